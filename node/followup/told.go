package followup

import (
	"cmp"
	"slices"
	"time"

	"almenara/storage/alert"
)

// word is what one person put on record of one member: that they were told, or that this was a mistake.
type word struct {
	Told
	back bool
}

// words are those about one member, in order. However they come, on every node they are the same.
type words []word

// mostWords bounds them: of more, the oldest are given up.
const mostWords = 16

// compare orders words: by time; at the same time a mark stands below what takes it back, so that it can
// be set again and nobody counts as told by mistake.
func (w word) compare(o word) int {
	back := func(w word) int {
		if w.back {
			return 1
		}
		return 0
	}
	return cmp.Or(w.At.Compare(o.At), cmp.Compare(back(w), back(o)), cmp.Compare(w.By, o.By))
}

// with is the words with one more, unless it is there.
func (ws words) with(next word) words {
	at, known := slices.BinarySearchFunc(ws, next, word.compare)
	if known {
		return ws
	}
	out := slices.Insert(ws, at, next)
	return out[max(0, len(out)-mostWords):]
}

// stands is the first mark that nothing takes back.
func (ws words) stands() (Told, bool) {
	for i := len(ws) - 1; i >= 0; i-- {
		if ws[i].back {
			ws = ws[i+1:]
			break
		}
	}
	if len(ws) == 0 {
		return Told{}, false
	}
	return ws[0].Told, true
}

// above is a time, in ms since 1970, for a word that stands above all words about the members.
func (b *Book) above(ids []alert.ID, revision alert.Revision, members []uint32, now time.Time) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := now.UnixMilli()
	for _, id := range ids {
		s := b.alerts[id]
		if s == nil {
			continue
		}
		for _, m := range members {
			if said := s.told[revision][m]; len(said) > 0 {
				at = max(at, said[len(said)-1].At.UnixMilli()+1)
			}
		}
	}
	return at
}
