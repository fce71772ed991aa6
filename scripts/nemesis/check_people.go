//go:build linux

package main

import (
	"slices"
	"time"

	"almenara/node/wire"
)

// approvalsHeld: who has approved is on record everywhere, and nothing waits any more.
func approvalsHeld(e Evidence) (v Verdict) {
	for _, a := range e.Approvings {
		if a.Outcome != Acked {
			continue
		}
		if a.Replication == wire.ReplicationLocal && e.takenAlong(a.Node, a.Answered) {
			v.Excused++
			continue
		}
		for _, view := range e.Views {
			v.Judged++
			shown, ok := view.alert(a.Alert)
			by := func(g wire.ApprovedBy) bool { return g.Name == secondName }
			switch {
			case !ok:
				v.breach("%s took the approval of %s at %s, %s does not have the alert", nodeName(a.Node), short(a.Alert), clock(a.Answered), view.Node)
			case shown.Approvals == nil || !slices.ContainsFunc(shown.Approvals.Given, by):
				v.breach("%s took the approval of %s at %s, %s does not count it", nodeName(a.Node), short(a.Alert), clock(a.Answered), view.Node)
			case shown.State == wire.StatePending:
				v.breach("%s was approved at %s and still waits at %s", short(a.Alert), clock(a.Answered), view.Node)
			}
		}
	}
	return v
}

// nobodyBeforeApproval: what needs a second person begins nowhere before one was asked,
// or a node that was alone had it sent under a licence, or may have.
func nobodyBeforeApproval(e Evidence) (v Verdict) {
	waits, first := map[string]bool{}, map[string]time.Time{}
	allow := func(alert string, asked time.Time) {
		if at, ok := first[alert]; !ok || asked.Before(at) {
			first[alert] = asked
		}
	}
	for _, m := range e.Messages {
		waits[m.Alert] = waits[m.Alert] || m.Waits
		if m.Licence != "" || m.Waits && m.Outcome == Unknown {
			allow(m.Alert, m.Asked)
		}
	}
	for _, a := range e.Approvings {
		if a.Outcome != Refused {
			allow(a.Alert, a.Asked)
		}
	}
	for _, h := range e.starts() {
		if !waits[h.Alert] {
			continue
		}
		v.Judged++
		if at, ok := first[h.Alert]; !ok || h.At.Before(at) {
			v.breach("%s began %s at %s, which nobody had approved", h.Device, short(h.Alert), clock(h.At))
		}
	}
	return v
}
