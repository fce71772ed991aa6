// Package intake is the one path of every message on its way in: what was sent is read, judged,
// held against what is known, against the rules and the budget, and recorded as a fact of this
// node. Everything else follows from the fact.
//
//	CAP, JSON, scenario, cancel, correction ─> take
//	  admit      the caller may speak for the sender; the message can be shown     authority, judge
//	  known      not taken before, not contradicting what was                      alerts, stories
//	  checkTimes its times can be meant                                            judge
//	  targets    whom it addresses                                                 judge
//	  further    which groups are called later, and how often people are reminded  escalation
//	  rule       may this caller, for these, now, and for what it changes          stories, authority
//	  record     afford, then a fact, flushed to the journal                       budget, exchange
//	  answers    what it does now, to whom                                         outcome
//
// A preview goes the same way up to record, and makes nothing. It never imports api or channels.
package intake

import (
	"bytes"
	"context"
	"sync"
	"time"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/budget"
	"almenara/node/district"
	"almenara/node/escalation"
	"almenara/node/intake/narrowed"
	"almenara/node/judge"
	"almenara/node/newest"
	"almenara/node/notes"
	"almenara/node/originals"
	"almenara/node/outcome"
	"almenara/node/records"
	"almenara/node/replication"
	"almenara/node/shortid"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/looks"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capjson"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
)

// Exchange makes facts; *exchange.Exchange is one.
type Exchange interface {
	Create(ctx context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error)
}

// Originals keeps messages that are too large for a fact; *originals.Keeper is one.
type Originals interface {
	Take(ctx context.Context, issue factbody.Issue, a *alert.Alert, urgent, dryRun bool) (*originals.Large, error)
}

// Options say what an Intake needs. None may be nil.
type Options struct {
	Book      *alerts.Book
	Stories   *stories.Finder
	State     State // of whom messages addressed
	Rules     *authority.Rules
	Budget    *budget.Budget
	District  *district.District
	Originals Originals
	Exchange  Exchange
	Progress  *replication.Facts
	Notes     *notes.Notes
	Answers   *outcome.Answers
	Store     *storage.Store // of scenarios
	Audience  func() *lookup.Index
	// Understood reports an error while a node of the district does not understand commands of
	// that version.
	Understood  func(ctx context.Context, version uint64) error
	Alone       func() bool           // there is no majority
	Escalations *escalation.Reader    // who is in which group
	Called      func(fact string) int // how many of the further groups of the message of a fact were called
	// Speech says how a message would be heard, for dry runs; nil says nothing of it.
	Speech  func(status alert.Status, infos []alert.Info) []looks.SpokenText
	Clock   func() time.Time
	Trusted func() bool // the clock is right, as far as this node knows
}

// Intake answers service.Alerts. Its methods may be called from any goroutine.
type Intake struct {
	book       *alerts.Book
	stories    *stories.Finder
	affected   affected
	rules      *authority.Rules
	budget     *budget.Budget
	district   *district.District
	originals  Originals
	exchange   Exchange
	progress   *replication.Facts
	notes      *notes.Notes
	answers    *outcome.Answers
	store      *storage.Store
	audience   func() *lookup.Index
	understood func(ctx context.Context, version uint64) error
	alone      func() bool
	speech     func(status alert.Status, infos []alert.Info) []looks.SpokenText

	escalations *escalation.Reader
	called      func(fact string) int

	clock   func() time.Time
	trusted func() bool

	recording sync.Mutex // one message at a time decides whether it is known
}

// New makes one.
func New(o Options) *Intake {
	return &Intake{
		book: o.Book, stories: o.Stories, affected: affected{o.Book, o.Stories, o.State, o.Clock}, rules: o.Rules, budget: o.Budget, district: o.District, originals: o.Originals,
		exchange: o.Exchange, progress: o.Progress, notes: o.Notes, answers: o.Answers, store: o.Store, audience: o.Audience,
		understood: o.Understood, alone: o.Alone, speech: o.Speech, escalations: o.Escalations, called: o.Called, clock: o.Clock, trusted: o.Trusted,
	}
}

// TakeCAP implements service.Alerts.
func (t *Intake) TakeCAP(ctx context.Context, by authority.Caller, raw []byte, selection string, wait wire.Wait) (wire.Outcome, error) {
	return t.takeCAP(ctx, incoming{by: by, raw: raw, selected: selection, wait: wait})
}

// PreviewCAP implements service.Alerts: TakeCAP up to the record.
func (t *Intake) PreviewCAP(ctx context.Context, by authority.Caller, raw []byte, selection string) (wire.Outcome, error) {
	return t.takeCAP(ctx, incoming{by: by, raw: raw, selected: selection, dryRun: true})
}

func (t *Intake) takeCAP(ctx context.Context, in incoming) (wire.Outcome, error) {
	if err := t.parse(ctx, &in); err != nil {
		return wire.Outcome{}, err
	}
	return t.take(ctx, in)
}

// parse reads a message as it came.
func (t *Intake) parse(ctx context.Context, in *incoming) error {
	a, findings, err := capxml.Parse(in.raw)
	if err != nil {
		return judge.Refusal(err, findings)
	}
	in.alert, in.warnings = a, judge.Sentences(judge.Selected(findings, in.selected))
	raw, err := recordedForm(in.raw, a, findings, func() bool { return t.understood(ctx, records.NodeVersionSince) == nil })
	if err != nil {
		return err
	}
	in.read, in.raw = bytes.Equal(raw, in.raw), raw
	return nil
}

// SendAlert implements service.Alerts: the same path, from the JSON form.
func (t *Intake) SendAlert(ctx context.Context, by authority.Caller, in wire.SendAlert, wait wire.Wait) (wire.Outcome, error) {
	return newest.Write(func() (wire.Outcome, error) { return t.takeJSON(ctx, in, incoming{by: by, wait: wait, direct: true}) })
}

// PreviewAlert implements service.Alerts: SendAlert up to the record.
func (t *Intake) PreviewAlert(ctx context.Context, by authority.Caller, in wire.SendAlert) (wire.Outcome, error) {
	return newest.Write(func() (wire.Outcome, error) { return t.takeJSON(ctx, in, incoming{by: by, dryRun: true, direct: true}) })
}

func (t *Intake) takeJSON(ctx context.Context, sent wire.SendAlert, in incoming) (wire.Outcome, error) {
	form, err := sent.Alert, error(nil)
	if !in.passed { // what passed its levels was filled in when it was written
		form, err = t.fromScenario(sent, &in)
	}
	if err != nil {
		return wire.Outcome{}, err
	}
	if in.scenario.Choose && sent.Select == "" {
		return wire.Outcome{}, wire.Problemf(wire.KindRefused, "nothing was sent: the scenario %s leaves it to whoever sends it whom to warn; give a selection", sent.Scenario).Because(why.SelectionMissing)
	}
	identifier := shortid.New()
	a, findings, err := capjson.FromJSON(form, t.district.SenderOf(in.by), identifier, t.clock().UTC())
	if err != nil {
		return wire.Outcome{}, judge.Refusal(err, findings)
	}
	if err := in.judged(judge.Typed(form)); err != nil {
		return wire.Outcome{}, err
	}
	in.made, in.stamped = a.Identifier == identifier, !newest.SaysSent(form)
	if in.incident, err = t.incidentOf(in.by, in.scenario.ID, sent.Incident, a.Status); err != nil {
		return wire.Outcome{}, err
	}
	if in.scenario.ID != "" && sent.Incident != "" {
		a.Incidents = []string{sent.Incident}
	}
	if err := t.takeFurther(&in, sent); err != nil {
		return wire.Outcome{}, err
	}
	in.alert = a
	t.nameSender(&in)
	if in.stamped {
		a.Sent = alert.NewDateTime(alert.Later(a.Sent.Time(), newest.After(t.book, in.continues())))
	}
	raw, err := capxml.Write(a)
	if err != nil {
		return wire.Outcome{}, wire.Problemf(wire.KindMalformed, "the alert cannot be written as CAP: %v", err).Because(why.NotCAP, err)
	}
	in.raw, in.warnings = raw, judge.Sentences(judge.Selected(findings, sent.Select, in.scenario.Select))
	in.selected, in.reason = sent.Select, sent.Reason
	return t.take(ctx, in)
}

// take is the one path of every message: verify, record, and let everything else
// follow from the record.
func (t *Intake) take(ctx context.Context, in incoming) (wire.Outcome, error) {
	err := t.admit(&in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if in.limit.IsZero() { // a correction keeps that of its alert
		if in.limit, err = narrowed.Both(in.scenario.Select, in.selected, t.audience()); err != nil {
			return wire.Outcome{}, err
		}
		own := in.scenario.ID == "" || in.selected != "" // what a scenario selects was not the caller's choice
		if own && in.alert.MsgType != alert.MsgTypeCancel {
			if err := authority.MayAsk(in.by, in.limit, in.alert); err != nil {
				return wire.Outcome{}, err
			}
		}
	}
	known, err := t.known(in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if known != nil { // before anything that may have changed since: a repeat is a repeat
		out := t.answers.Known(ctx, known, in.wait, in.warnings)
		if in.dryRun {
			out = outcome.Asked(out)
		}
		return out, nil
	}
	if !in.passed && !in.by.System { // another district's notices come from its system
		if err := judge.NamedAsNotice(in.alert.Identifier); err != nil {
			return wire.Outcome{}, err
		}
	}
	now := t.clock()
	if in.direct {
		if err := in.judged(judge.Over(in.alert, now)); err != nil {
			return wire.Outcome{}, err
		}
	}
	if err := in.checkTimes(now, t.trusted(), t.book); err != nil {
		return wire.Outcome{}, err
	}
	if err := checkJoins(board.EntryOf(in.alert, "", now, ""), now, t.book); err != nil {
		return wire.Outcome{}, err
	}
	targets, err := t.targets(&in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := t.checkFurther(ctx, &in); err != nil {
		return wire.Outcome{}, err
	}
	right, err := t.rule(in, in.further.written().Everybody(targets))
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := in.keep(targets, right.Within); err != nil {
		return wire.Outcome{}, err
	}
	if in.dryRun {
		return t.preview(ctx, in, targets, right)
	}
	m, progress, err := t.record(ctx, &in, targets, right)
	if err != nil {
		return wire.Outcome{}, err
	}
	if progress == nil {
		return t.usual(in, t.answers.Known(ctx, m, in.wait, in.warnings)), nil
	}
	replication.Await(ctx, progress, in.wait, t.alone)
	return t.grouped(m, t.usual(in, t.answers.Recorded(ctx, m, progress, in.wait, in.warnings)))
}

// grouped adds who is in which group of the message, and how often people are reminded.
func (t *Intake) grouped(m *alerts.Message, out wire.Outcome) (_ wire.Outcome, err error) {
	out.RemindMinutes = int(m.Issue.Remind)
	out.Escalation, err = t.escalations.Expected(m)
	return out, err
}
