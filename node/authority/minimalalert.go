package authority

import (
	"slices"

	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/node/wire/splits"
	"almenara/storage/audience"
)

// Where an alert was addressed by tags, languages or addresses, every count of it says how many
// have them, a total too: of an alert to one person it tells that somebody is that person, and
// the difference between two exact counts tells of who is in one of them. So everybody but its
// operators gets all of them rounded down alike, in every answer. Counts of what was addressed
// by kinds, places and ids alone are exact for everybody: whoever may read alerts may count and
// list members by those (ReadAudience).

// operates reports whether the caller sends, corrects, ends or approves alerts, or manages the
// audience: a wrong number before people's eyes costs more than what it tells.
func operates(by Caller) bool {
	return slices.ContainsFunc([]Action{ReadPersons, Send, Update, Correct, Cancel, Approve}, func(a Action) bool { return May(by, a) })
}

// MinimalAlert rounds the counts of an alert that is Personal, unless the caller is an operator,
// and leaves out the selection where it names members beside what is known of them, and which
// other alerts are for some of the same members.
func MinimalAlert(by Caller, out *wire.Alert) {
	if operates(by) {
		return
	}
	out.Approvals, out.Messages = withoutNames(out.Approvals), slices.Clone(out.Messages)
	for i := range out.Messages {
		out.Messages[i].Approvals = withoutNames(out.Messages[i].Approvals)
	}
	out.Duplicates = slices.DeleteFunc(slices.Clone(out.Duplicates), func(id string) bool { return out.Personal || slices.Contains(out.PersonalDuplicates, id) })
	if !out.Personal {
		return
	}
	if s, err := audience.Parse(out.Select); out.Select != "" && (err != nil || s.NamesMembers()) { // of several messages there may be several selections
		out.Select = ""
	}
	out.RoundedTo, out.Approvals = FewestMembers, minimalDemand(out.Approvals)
	minimalCounts(&out.Addressed)
	out.Joined = inFives(out.Joined)
	out.Rungs, out.Escalation = minimalRungs(out.Rungs), nil // its selections and counts are of a few persons
	for i := range out.Messages {
		m := &out.Messages[i]
		m.Addressed, m.Joined = inFives(m.Addressed), inFives(m.Joined)
		if m.Rungs != nil {
			rungs := minimalRungs(*m.Rungs)
			m.Rungs = &rungs
		}
	}
	var groups []wire.GroupRow
	for _, row := range out.ByGroup {
		if row.Rungs = minimalRungs(row.Rungs); row.Rungs != (wire.Rungs{}) {
			groups = append(groups, row)
		}
	}
	out.ByGroup = groups
}

// MinimalEvent rounds the counts of an event as MinimalAlert does. The event may be shared with
// other readers.
func MinimalEvent(by Caller, out *wire.Event) {
	if out.Type == reported.Event && len(by.Places) > 0 {
		out.Alert = "" // it may be of other places: what it is, the caller reads
	}
	if !out.Personal || out.Rungs == nil || operates(by) {
		return
	}
	rungs := minimalRungs(*out.Rungs)
	out.Rungs, out.RoundedTo = &rungs, FewestMembers
}

// MinimalSplit rounds the counts of the alerts of a split that are Personal, and the sum of
// late receipts, from which they could be told otherwise.
func MinimalSplit(by Caller, out *splits.Split) {
	if operates(by) {
		return
	}
	for i := range out.Alerts {
		a := &out.Alerts[i]
		if !a.Personal {
			continue
		}
		a.RoundedTo, a.Addressed, a.Receipts = FewestMembers, inFives(a.Addressed), inFives(a.Receipts)
		for j := range a.Told {
			a.Told[j].Devices = inFives(a.Told[j].Devices)
		}
		out.LateReceipts = inFives(out.LateReceipts)
	}
}

// minimalCounts rounds counts of members, and leaves out the lines of too few.
func minimalCounts(c *wire.Counts) {
	c.Total, c.Removed = inFives(c.Total), inFives(c.Removed)
	c.ByKind, c.ByPlace = rounded(c.ByKind), rounded(c.ByPlace)
}

func minimalRungs(r wire.Rungs) wire.Rungs {
	for _, count := range r.All() {
		*count = inFives(*count)
	}
	return r
}
