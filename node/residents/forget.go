package residents

import (
	"almenara/cluster/fact"
	"almenara/storage/factbody"
	"almenara/storage/personal"
)

// Forget forgets the words, photos and places of answers that were taken before the time, ms since 1970, that is
// given for them, and returns of how many. The answers stay counted. Residents are no members: none is erased.
func (b *Book) Forget(_ func(member uint32) bool, before func(personal.What) int64) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.alerts {
		for id, a := range s.said {
			if !a.Gone && a.Taken < before(personal.OldResidents) {
				s.said[id] = a.Old()
				n++
			}
		}
	}
	return n
}

// Relearn takes answers, or what was made of one, that have lost words, in the place of what is known of them.
func (b *Book) Relearn(f fact.Fact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.Kind == fact.KindModeration {
		m, err := factbody.DecodeModeration(f.Body)
		if old, known := b.words[m.Report]; err == nil && known && old.By == m.By && old.State == m.State && old.At <= m.At {
			m.At = old.At // as far as it was believed
			b.words[m.Report] = m
		}
		return
	}
	r, _ := factbody.DecodeResidents(f.Body) // of another kind there are none
	for _, a := range r.Answers {
		s := b.alerts[a.Alert]
		if s == nil {
			continue
		}
		if old, known := s.said[a.ID]; known && !old.Gone {
			a.Taken = old.Taken
			s.said[a.ID] = a
		}
	}
}

// Photos are the digests of the photos of the answers that are known.
func (b *Book) Photos() (out [][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.alerts {
		for _, a := range s.said {
			if a.Photo != nil {
				out = append(out, a.Photo.SHA256)
			}
		}
	}
	return out
}
