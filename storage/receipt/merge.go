package receipt

import "almenara/storage/alert"

// Merge folds in what other knows of the alert from, as if its receipts were of the alert
// id. other is only read.
func (t *Tally) Merge(id alert.ID, other *Tally, from alert.ID) {
	other.mu.RLock()
	defer other.mu.RUnlock()
	known, ok := other.alerts[from]
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sheet(id)
	for revision, l := range known.ladders {
		for rung, members := range l {
			if members != nil {
				s.column(revision, Rung(rung)).Or(members)
			}
		}
	}
	for member, next := range known.answers {
		if old, ok := s.answers[member]; !ok || next.follows(old) {
			s.answers[member] = next
		}
	}
}
