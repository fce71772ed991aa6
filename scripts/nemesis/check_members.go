//go:build linux

package main

import (
	"slices"
	"time"
)

// joinsHeld: a node that is invited joins, whatever is cut meanwhile, once it can.
func joinsHeld(e Evidence) (v Verdict) {
	for _, j := range e.Joinings {
		v.Judged++
		if j.Why != "" {
			v.breach("%s could not join within %v with a leader since %s: %s", nodeName(j.Node), joinTime, clock(j.Asked), j.Why)
		}
	}
	return v
}

// removalsHeld: a removal is done in time where the district could agree for a while.
func removalsHeld(e Evidence) (v Verdict) {
	for _, r := range e.Removals {
		if r.Why != "" && e.longestPeace(r.Asked, r.Done) < enoughPeace {
			v.Excused++
			continue
		}
		v.Judged++
		if r.Why != "" {
			v.breach("%s could not be removed within %v of %s: %s", nodeName(r.Node), removeTime, clock(r.Asked), r.Why)
			continue
		}
		for _, view := range e.Views {
			if view.Node == nodeName(r.Node) {
				v.breach("%s was removed and is still asked", view.Node)
			}
		}
	}
	return v
}

// enoughPeace is in which a district elects a leader, which then sees that all others
// have caught up, and agrees on a removal.
const enoughPeace = 10 * time.Second

// longestPeace is the longest time between the two in which every node ran and reached
// every other, no disk was full, and the machine was not starved.
func (e Evidence) longestPeace(from, to time.Time) (longest time.Duration) {
	kinds := append([]Kind{FullDisk}, blinding...)
	troubles := slices.DeleteFunc(slices.Clone(e.Spans), func(s Span) bool { return s.Node != outside && !slices.Contains(kinds, Kind(s.What)) })
	troubles = slices.DeleteFunc(append(troubles, e.Cuts...), func(s Span) bool { return !s.overlaps(from, to) })
	slices.SortFunc(troubles, func(a, b Span) int { return a.From.Compare(b.From) })
	for _, s := range troubles {
		longest = max(longest, s.From.Sub(from))
		if s.To.IsZero() || !s.To.Before(to) {
			return longest
		}
		if s.To.After(from) {
			from = s.To
		}
	}
	return max(longest, to.Sub(from))
}

// allVote: every node that belongs to the district has a vote, and nobody else has.
func allVote(e Evidence) (v Verdict) {
	for _, view := range e.Views {
		v.Judged++
		if n := voters(view.Status); n != len(e.Views) || len(view.Status.Nodes) != n {
			v.breach("%s says that %d of %d nodes vote; %d are the district", view.Node, n, len(view.Status.Nodes), len(e.Views))
		}
	}
	return v
}

// endSeen is how long it may take until the end of a process is seen, once its disk lets go.
const endSeen = 5 * time.Second

// stallsEnd: a node whose disk stalls ends, to be started again, and when it led
// somebody else leads soon.
func stallsEnd(e Evidence) (v Verdict) {
	for _, s := range e.Stalls {
		var ended, led Verdict
		if !slices.ContainsFunc(e.Exits, func(x Exit) bool {
			return x.Node == s.Node && x.Code == exitHalt && x.At.After(s.From) && x.At.Before(s.To.Add(endSeen))
		}) {
			ended.breach("the disk of %s stalled from %s to %s, and the node did not end", nodeName(s.Node), clock(s.From), clock(s.To))
		}
		if s.Led && (s.Next.IsZero() || s.Next.After(s.From.Add(newLeaderTime))) {
			led.breach("the disk of %s, which led, stalled at %s, and within %v nobody else led", nodeName(s.Node), clock(s.From), newLeaderTime)
		}
		for _, part := range []struct {
			found Verdict
			by    int
		}{{ended, s.Node}, {led, anybody}} {
			if len(part.found.Breaches) > 0 && e.disturbed(s, part.by) {
				v.Excused++
				continue
			}
			v.Judged++
			v.Breaches = append(v.Breaches, part.found.Breaches...)
		}
	}
	return v
}

// anybody stands for every node of the district, and for the links between them.
const anybody = -3

// disturbed reports whether anything else was wrong with the node at the time, whether it was
// being removed, which hides how its process ended, or whether something was wrong with the
// machine for so long that it matters.
func (e Evidence) disturbed(s Stall, node int) bool {
	leaving := func(r Removal) bool {
		return r.Node == node && r.Asked.Before(s.To.Add(endSeen)) && r.Done.After(s.From)
	}
	if slices.ContainsFunc(e.Removals, leaving) {
		return true
	}
	overlaps := func(o Span) bool {
		if o.Node == outside && !o.To.IsZero() && o.To.Sub(o.From) < longStarved {
			return false
		}
		mine := node == anybody || o.Node == node || o.Node == outside
		return mine && o.What != string(StallDisk) && o.overlaps(s.From, s.To)
	}
	return slices.ContainsFunc(e.Spans, overlaps) || node == anybody && slices.ContainsFunc(e.Cuts, overlaps)
}

// longStarved is how long the machine must have been starved for an election to be late.
const longStarved = 3 * time.Second

// takenAlong reports whether what a node took at a time left the district with it: the
// node was removed while all its links were cut, and they had been cut all the time since.
// Then it could tell nobody, and may not any more. A node that comes back under a new id
// brings everything along.
func (e Evidence) takenAlong(node int, at time.Time) bool {
	i := slices.IndexFunc(e.Removals, func(r Removal) bool { return r.Node == node && r.Why == "" && !r.Back })
	if i < 0 {
		return false
	}
	done := e.Removals[i].Done
	return at.After(done) || slices.ContainsFunc(e.Cuts, func(c Span) bool {
		return c.Node == node && c.What == allLinks && c.From.Before(at.Add(inFlight)) && (c.To.IsZero() || c.To.After(e.Removals[i].Asked))
	})
}

// removed reports whether a node is no member any more.
func (e Evidence) removed(node int) bool {
	return slices.ContainsFunc(e.Removals, func(r Removal) bool { return r.Node == node && r.Why == "" })
}
