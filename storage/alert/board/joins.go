package board

import "time"

// Ends lists the messages that are in force, or to come, and that adding e would end. A
// Cancel does so on purpose; an Update that joins what goes on with what was cancelled does
// so by the way, and should not be taken. It costs as much as the alerts that e names.
func (b *Board) Ends(e Entry, now time.Time) (lost []Entry) {
	small, entries := New(), b.Related(e)
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
