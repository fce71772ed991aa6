package authority

import (
	"time"

	"almenara/node/wire"
	"almenara/node/wire/able"
)

// MinimalReport rounds the counts of the report of an alert that is Personal, unless the caller is an
// operator, as MinimalAlert does, and leaves out what tells of single members: lists, and the times of
// the first, of the last, and of small groups.
func MinimalReport(by Caller, out *wire.Report) {
	personal := out.Alert.Personal
	MinimalAlert(by, &out.Alert)
	if !personal || operates(by) {
		return
	}
	out.RoundedTo, out.Slowest, out.Dark, out.DarkTotal = FewestMembers, []wire.ReportRow{}, []wire.ReportRow{}, inFives(out.DarkTotal)
	out.Estates = []able.Score{}
	minimalSpread(&out.Reached)
	out.Curve = minimalCurve(out.Curve)
	if out.Stopped != nil {
		minimalSpread(out.Stopped)
	}
	out.Answers = rounded(out.Answers)
	events := []wire.ReportEvent{}
	for _, e := range out.Events {
		if e.Reached != nil {
			reached := *e.Reached
			minimalSpread(&reached)
			e.Reached = &reached
		}
		if !e.What.ByDevices() || e.At.Equal(out.Reached.Half) || e.At.Equal(out.Reached.Ninety) || e.At.Equal(out.Reached.NinetyFive) {
			events = append(events, e)
		}
	}
	out.Events = events
	kinds := []wire.ReportKind{}
	for _, k := range out.Kinds {
		if minimalSpread(&k.Reached); k.Reached.Of > 0 {
			k.Curve = minimalCurve(k.Curve)
			kinds = append(kinds, k)
		}
	}
	out.Kinds = kinds
	groups := []wire.ReportGroup{}
	for _, g := range out.Groups {
		if minimalSpread(&g.Reached); g.Reached.Of > 0 {
			groups = append(groups, g)
		}
	}
	out.Groups = groups
}

// minimalSpread rounds the counts. The times of shares stay where they are about enough members; the
// first and the last are times of one.
func minimalSpread(s *wire.Spread) {
	s.Of, s.Count, s.NodeClock = inFives(s.Of), inFives(s.Count), inFives(s.NodeClock)
	s.First, s.Last = time.Time{}, time.Time{}
	if s.Of < 2*FewestMembers {
		s.Half, s.Ninety, s.NinetyFive = time.Time{}, time.Time{}, time.Time{}
	}
}

// minimalCurve keeps the steps at which the rounded number grows.
func minimalCurve(curve []wire.CurvePoint) []wire.CurvePoint {
	out, last := []wire.CurvePoint{}, uint64(0)
	for _, p := range curve {
		if n := inFives(p.Count); n > last {
			out, last = append(out, wire.CurvePoint{At: p.At, Count: n}), n
		}
	}
	return out
}
