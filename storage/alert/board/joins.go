package board

import (
	"time"

	"almenara/storage/alert"
)

// Ends lists the messages that are in force, or to come, and that adding e would end. A
// Cancel does so on purpose; an Update that joins what goes on with what was cancelled does
// so by the way, and should not be taken. It costs as much as the alerts that e names.
func (b *Board) Ends(e Entry, now time.Time) (lost []Entry) {
	small := New()
	seen := make(map[*family]bool)
	var entries []Entry
	for _, k := range append([]alert.Key{e.Key, e.Root}, e.References...) {
		n, ok := b.nodes[k.ID()]
		if !ok || seen[n.family] {
			continue
		}
		seen[n.family] = true
		for _, member := range n.family.nodes {
			for _, v := range member.versions {
				entries = append(entries, v.carriers...)
			}
		}
	}
	for _, known := range entries {
		small.Add(known)
		for _, a := range b.approvals[known.Fact] {
			small.Approve(a)
		}
	}
	var holds []Entry
	for _, known := range entries {
		switch small.Judge(known, now) {
		case InForce, Future, Pending:
			holds = append(holds, known)
		}
	}
	small.Add(e)
	for _, known := range holds {
		if small.Judge(known, now) == Cancelled {
			lost = append(lost, known)
		}
	}
	return lost
}
