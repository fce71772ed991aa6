package frame

import (
	"time"

	"almenara/node/wire"
)

// Banner says on every page how the node is, what still works, and how old what is shown is.
type Banner struct {
	Drill  bool
	Level  string // good, alone or bad
	State  string
	Works  string // what still works, where something does not
	Detail Point  // what the node says of it
	Help   string // path of what the handbook says of the state; "" where all works
	Policy string // how old the policy is, where that matters
	Clock  string // where the node's clock is not its own
	At     string // when the page's data were read
	Stale  string // what the script says when nothing comes any more
}

func (f *Frame) banner(q *Request, signedIn bool) Banner {
	b := Banner{Drill: f.drill(), Level: "good", At: q.ClockTime(q.Now), Stale: q.Lang.T("banner.stale")}
	s, err := f.opts.Status.Status(q.R.Context(), false)
	if err != nil {
		b.Level, b.State, b.Works, b.Help = "bad", q.Lang.T("banner.unknown"), q.Lang.T("banner.unknown.works"), help("banner.unknown")
		return b
	}
	switch {
	case s.Quarantined:
		b.Level, b.State, b.Works, b.Detail = "bad", q.Lang.T("banner.quarantined"), q.Lang.T("banner.alone.works"), q.Say(s.Why)
		b.Help = help("banner.quarantined")
	case s.Alone:
		b.Level, b.State, b.Works = "alone", q.Lang.T("banner.alone", q.ClockTime(s.AloneSince)), q.Lang.T("banner.alone.works")
		b.Policy, b.Help = policyAge(q, s), help("banner.alone")
	case !s.Ready:
		b.Level, b.State, b.Works, b.Detail = "bad", q.Lang.T("banner.notready"), q.Lang.T("banner.notready.works"), q.Say(s.Why)
		b.Help = help("banner.notready")
	default:
		if silent := silent(s); silent > 0 {
			b.Level, b.State, b.Works = "alone", q.Lang.T("banner.silent", silent, len(s.Nodes)), q.Lang.T("banner.silent.works")
			b.Help = help("banner.silent")
		} else if signedIn {
			b.State = q.Lang.T("banner.good")
		}
	}
	if s.Clock.Source != "" && s.Clock.Source != "own" {
		b.Clock = q.Lang.T("banner.clock." + s.Clock.Source)
	}
	return b
}

// help is where the handbook says what to do about what the console says for a key.
func help(key string) string { return Below + "handbook/faults#" + key }

func policyAge(q *Request, s wire.Status) string {
	if s.PolicyAge < 0 {
		return q.Lang.T("banner.policy.never")
	}
	return q.Lang.T("banner.policy", q.Lang.Span(time.Duration(s.PolicyAge)*time.Second))
}

func silent(s wire.Status) (n int) {
	for _, node := range s.Nodes {
		if !node.Reachable && node.ID != s.Node {
			n++
		}
	}
	return n
}
