//go:build linux

package main

import (
	"errors"
	"slices"
	"time"

	"almenara/node/wire"
)

// Times in which a node need not have done what it is asked for.
const (
	moved   = 10 * time.Second // after its clock was right again, or it had joined
	noticed = 5 * time.Second  // without any link, until it goes by licences (the node's 3 s, and the noticing)
)

// warnedAtOnce judges what a node makes of a warning that it is given, whatever becomes
// of the others: it is in force at once. A refusal breaks that promise as much as a late
// device does, and so does an answer that puts the warning off.
func warnedAtOnce(e Evidence) (v Verdict) {
	for _, m := range e.Messages {
		if m.Type != "Alert" || m.Kind == "" && m.Outcome != Acked { // no answer came: there is nothing to judge
			continue
		}
		if e.ailing(m.Node, m.Asked.Add(-settled), m.Answered, blinding) || e.ailing(m.Node, m.Asked.Add(-moved), m.Answered, []Kind{Clock}) ||
			e.fresh(m) || e.leaving(m) || m.ranOut() {
			v.Excused++
			continue
		}
		v.Judged++
		switch {
		case m.Outcome != Acked:
			v.breach("%s did not take the alert %s at %s: %s", nodeName(m.Node), short(m.Alert), clock(m.Asked), m.Why)
		case !e.mayBe(m):
			v.breach("%s took the alert %s at %s, and it is %q there", nodeName(m.Node), short(m.Alert), clock(m.Answered), m.State)
		}
	}
	return v
}

// ranOut reports whether the message was over, or nearly, when the answer came.
func (m Message) ranOut() bool { return !m.Expires.After(m.Answered.Add(justNow)) }

// mayBe reports whether the message may have stood there at its node.
func (e Evidence) mayBe(m Message) bool {
	if m.Duplicate && m.State != wire.StatePending {
		return true
	}
	switch m.State {
	case wire.StateInForce:
		return true
	case wire.StatePending: // a node that is alone has the licence
		return m.Waits && m.Licence == "" && !e.cutOff(m.Node, m.Asked.Add(-noticed), m.Answered)
	case wire.StateCancelled, wire.StateSuperseded:
		return e.overtaken(m, m.Answered)
	}
	return false
}

// blinding are the faults in which a node is not itself, or cannot be reached by its
// devices. A slow or full disk is none of them: who was answered was answered from it.
var blinding = []Kind{Kill, KillAll, Freeze, Stop, StallDisk, PowerCut, PowerAll, Unplug}

// ailing reports whether one of the faults befell the node, or the machine was starved,
// at any time between the two.
func (e Evidence) ailing(node int, from, to time.Time, of []Kind) bool {
	return slices.ContainsFunc(e.Spans, func(s Span) bool {
		return (s.Node == outside || s.Node == node && slices.Contains(of, Kind(s.What))) && s.overlaps(from, to)
	}) || slices.ContainsFunc(e.Exits, func(x Exit) bool {
		return x.Node == node && x.At.After(from) && x.At.Before(to.Add(againAfter))
	})
}

func (s Span) overlaps(from, to time.Time) bool {
	return s.From.Before(to) && (s.To.IsZero() || s.To.After(from))
}

// fresh reports whether the node had just joined: it may not know yet who may send.
func (e Evidence) fresh(m Message) bool {
	return slices.ContainsFunc(e.Joinings, func(j Joining) bool {
		return j.Node == m.Node && m.Asked.Before(j.Done.Add(moved))
	})
}

// leaving reports whether the node was to be removed by the time of its answer.
func (e Evidence) leaving(m Message) bool {
	return slices.ContainsFunc(e.Removals, func(r Removal) bool { return r.Node == m.Node && r.Asked.Before(m.Answered) })
}

// cutOff reports whether the node had no link to any other all the time.
func (e Evidence) cutOff(node int, from, to time.Time) bool {
	return slices.ContainsFunc(e.Cuts, func(c Span) bool {
		return c.Node == node && c.What == allLinks && !c.From.After(from) && (c.To.IsZero() || !c.To.Before(to))
	})
}

// overtaken reports whether the node may have known by then of another message of the
// alert that ends or replaces this one: nobody refused it, and it could reach the node.
func (e Evidence) overtaken(m Message, by time.Time) bool {
	return slices.ContainsFunc(e.Messages, func(o Message) bool {
		return o.Alert == m.Alert && o.Key != m.Key && o.Outcome != Refused && o.Asked.Before(by) && (o.Type == "Cancel" || o.Revision > m.Revision) &&
			(o.Node == m.Node || !e.cutOff(m.Node, o.Asked, by))
	})
}

// haltedWithReason reports whether a node that ended to be started again had one: its
// disk, or a time in which it did not run.
func (e Evidence) haltedWithReason(x Exit) bool {
	return e.ailingDisk(x.Node, x.At.Add(-haltAfter), x.At)
}

// haltAfter is how long after a fault of its disk a node may end by its watchdog, which
// waits 10 s.
const haltAfter = 20 * time.Second

func (e Evidence) ailingDisk(node int, from, to time.Time) bool {
	return slices.ContainsFunc(e.Spans, func(s Span) bool {
		return (s.Node == node && slices.Contains([]Kind{SlowDisk, StallDisk, FullDisk, PowerCut, Freeze}, Kind(s.What)) || s.Node == outside) && s.overlaps(from, to)
	})
}

// kindOf is what a node said that its problem is; "" when it did not answer.
func kindOf(err error) string {
	var p *wire.Problem
	if errors.As(err, &p) {
		return p.Kind
	}
	return ""
}
