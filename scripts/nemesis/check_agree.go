//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"almenara/channels/device"
	"almenara/node/wire"
	"almenara/storage/receipt"
)

// sameAlerts compares every node with the first, field by field as the API has them.
func sameAlerts(e Evidence) (v Verdict) {
	for _, view := range e.Views[1:] {
		first := e.Views[0]
		for _, a := range first.Alerts {
			v.Judged++
			b, ok := view.alert(a.ID)
			switch {
			case !ok:
				v.breach("%s has the alert %s, %s does not", first.Node, short(a.ID), view.Node)
			case text(a) != text(b):
				v.breach("%s and %s differ about %s: %s", first.Node, view.Node, short(a.ID), difference(text(a), text(b)))
			}
		}
		for _, b := range view.Alerts {
			if _, ok := first.alert(b.ID); !ok {
				v.breach("%s has the alert %s, %s does not", view.Node, short(b.ID), first.Node)
			}
		}
	}
	return v
}

func (v View) alert(id string) (wire.Alert, bool) {
	i := slices.IndexFunc(v.Alerts, func(a wire.Alert) bool { return a.ID == id })
	if i < 0 {
		return wire.Alert{}, false
	}
	return v.Alerts[i], true
}

// text is an alert as a node shows it, in lines.
func text(a wire.Alert) string {
	raw, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// difference is the first line in which two texts differ.
func difference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range left {
		if i >= len(right) || left[i] != right[i] {
			return strings.TrimSpace(left[i]) + " | " + strings.TrimSpace(strings.Join(right[min(i, len(right)):min(i+1, len(right))], ""))
		}
	}
	return "one says more"
}

func sameHash(e Evidence) (v Verdict) {
	first := e.Views[0].Status.StateHash
	for _, view := range e.Views {
		v.Judged++
		if hash := view.Status.StateHash; hash == "" || hash != first {
			v.breach("%s has state %s, %s has %s", e.Views[0].Node, first, view.Node, hash)
		}
		if n := view.Status.PendingFacts; n > 0 {
			v.breach("%s still has %d facts that are not committed", view.Node, n)
		}
	}
	return v
}

func sameAudit(e Evidence) (v Verdict) {
	for _, view := range e.Views {
		v.Judged++
		if view.Unproven != "" {
			v.breach("the chain of %s does not verify: %s", view.Node, view.Unproven)
		}
		if len(view.Audit) == 0 || !bytes.Equal(view.Audit, e.Views[0].Audit) {
			v.breach("the chains of %s and %s differ: %s", e.Views[0].Node, view.Node, difference(string(e.Views[0].Audit), string(view.Audit)))
		}
	}
	return v
}

// ackedAlerts holds for every answer, however little it promised: local, reached or
// committed.
func ackedAlerts(e Evidence) (v Verdict) {
	rooted := e.rooted()
	for _, m := range e.acked("Alert", "Update") {
		for _, view := range e.Views {
			if !rooted[m.Alert] || e.lostWith(m) {
				v.Excused++
				continue
			}
			v.Judged++
			a, ok := view.alert(m.Alert)
			switch {
			case !ok:
				v.breach("%s took %s %s (%s) at %s, %s does not have it", nodeName(m.Node), m.Type, short(m.Alert), m.Replication, clock(m.Answered), view.Node)
			case !slices.ContainsFunc(a.Messages, func(w wire.Message) bool { return w.Key == m.Key }):
				v.breach("%s took the %s %s of %s (%s) at %s, %s does not have it", nodeName(m.Node), m.Type, m.Key, short(m.Alert), m.Replication, clock(m.Answered), view.Node)
			case a.Replication != wire.ReplicationCommitted:
				v.breach("%s says that %s is %s, not committed", view.Node, short(m.Alert), a.Replication)
			}
		}
	}
	return v
}

func ackedCancels(e Evidence) (v Verdict) {
	rooted := e.rooted()
	for _, m := range e.acked("Cancel") {
		for _, view := range e.Views {
			if !rooted[m.Alert] || e.lostWith(m) {
				v.Excused++
				continue
			}
			v.Judged++
			if a, ok := view.alert(m.Alert); !ok || a.State != wire.StateCancelled {
				v.breach("%s took the cancel of %s at %s, %s says %q of it", nodeName(m.Node), short(m.Alert), clock(m.Answered), view.Node, a.State)
			}
		}
	}
	return v
}

// rooted are the alerts that nodes list for certain: the real ones, and those whose
// first message was taken. What follows upon a drill that nobody knows is only kept,
// because it might name a real alert (storage/alert, Board).
func (e Evidence) rooted() map[string]bool {
	out := map[string]bool{}
	for _, m := range e.Messages {
		out[m.Alert] = out[m.Alert] || m.Real || m.Type == "Alert" && m.Outcome == Acked
	}
	return out
}

// ackedRecorded looks for every message in every audit chain, also for those that no
// list shows.
func ackedRecorded(e Evidence) (v Verdict) {
	for _, m := range e.acked("Alert", "Update", "Cancel") {
		for _, view := range e.Views {
			if e.lostWith(m) {
				v.Excused++
				continue
			}
			v.Judged++
			if !bytes.Contains(view.Audit, []byte(" "+m.Key+", ")) {
				v.breach("%s took the %s %s (%s) at %s, the audit chain of %s lacks it", nodeName(m.Node), m.Type, m.Key, m.Replication, clock(m.Answered), view.Node)
			}
		}
	}
	return v
}

// lostWith reports whether a removed node took the message along. What more than one
// node had stays.
func (e Evidence) lostWith(m Message) bool {
	return m.Replication == wire.ReplicationLocal && e.takenAlong(m.Node, m.Answered)
}

// telling is one rung, and whether a removed node took it along.
type telling struct {
	rung receipt.Rung
	lost bool
}

// tellings are the rungs that devices told, and a node acknowledged, of a revision.
func (e Evidence) tellings() map[revision][]telling {
	out := map[revision][]telling{}
	for _, h := range e.Happenings {
		if h.What != device.Told {
			continue
		}
		if rung, err := receipt.ParseRung(h.Rung); err == nil {
			out[h.key()] = append(out[h.key()], telling{rung, e.takenAlong(h.Node, h.At)})
		}
	}
	return out
}

// toldCounted looks at the newest revision of every alert: the API shows no other.
func toldCounted(e Evidence) (v Verdict) {
	for k, rungs := range e.tellings() {
		for _, view := range e.Views {
			a, ok := view.alert(k.alert)
			if ok && a.Revision != k.revision {
				v.Excused++
				continue
			}
			for _, one := range rungs {
				rung := one.rung
				if !slices.Contains(provenRungs, rung.String()) {
					continue
				}
				if one.lost {
					v.Excused++
					continue
				}
				v.Judged++
				if !slices.Contains(view.Reached[k.alert][rung.String()], k.device) {
					v.breach("%s told %s for %s revision %d and a node acknowledged it; %s does not count it", k.device, rung, short(k.alert), k.revision, view.Node)
				}
			}
		}
	}
	return v
}

func countedTold(e Evidence) (v Verdict) {
	told := e.tellings()
	for _, view := range e.Views {
		for _, a := range view.Alerts {
			for name, members := range view.Reached[a.ID] {
				rung, err := receipt.ParseRung(name)
				if err != nil {
					continue
				}
				for _, m := range members {
					v.Judged++
					if !slices.ContainsFunc(told[revision{m, a.ID, a.Revision}], func(t telling) bool { return t.rung.Implies(rung) }) {
						v.breach("%s counts %s as %s for %s revision %d; it never told", view.Node, m, name, short(a.ID), a.Revision)
					}
				}
			}
		}
	}
	return v
}
