package receipt

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/alert"
)

// Tally counts receipts: one bitmap of members for each alert, revision and rung,
// and the last answer of each member. It is a fold: the same set of receipts, in
// any order and any number of times, gives the same state. What a rung implies is
// applied when reading; the bitmaps hold what was reported.
//
// A Tally may be used by several goroutines at once. It is in memory only.
type Tally struct {
	mu     sync.RWMutex
	alerts map[alert.ID]*sheet
}

// sheet is what is known of one alert. mu of the Tally guards it.
type sheet struct {
	ladders map[alert.Revision]*ladder
	answers map[uint32]Answer
}

// ladder has the members that reported each rung; nil is nobody.
type ladder [Refused + 1]*roaring.Bitmap

// Answer is what one member answered last to one alert: to the highest revision,
// and there by the device's clock.
type Answer struct {
	Member   uint32
	Revision alert.Revision
	At       time.Time // in units of Resolution
	Text     string
}

// Counts says how many members reached each rung of one revision or a higher one.
// Each end but Cancelled counts members that were not presented the alert, each of them
// once. Cancelled counts who told that they show it no more, whatever ended that, or never
// began because it was ended, whatever they had told before.
type Counts struct {
	Queued       uint64 `json:"queued"`
	Sent         uint64 `json:"sent"`
	Delivered    uint64 `json:"delivered"`
	Verified     uint64 `json:"verified"`
	Presented    uint64 `json:"presented"`
	Acknowledged uint64 `json:"acknowledged"`
	Failed       uint64 `json:"failed"`
	Expired      uint64 `json:"expired"`
	Cancelled    uint64 `json:"cancelled"`
	Refused      uint64 `json:"refused"`
}

// NewTally returns an empty tally.
func NewTally() *Tally { return &Tally{alerts: make(map[alert.ID]*sheet)} }

// Add folds a block in. Receipts without an alert id or a rung are left out, and
// answers are cut, as by Encode.
func (t *Tally) Add(b Block) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var members []uint32
	for rest := b.Receipts; len(rest) > 0; {
		first := rest[0]
		n := 1
		for n < len(rest) && sameColumn(&first, &rest[n]) {
			n++
		}
		if writable(first.Alert, first.Rung) == nil {
			members = members[:0]
			for i := range rest[:n] {
				members = append(members, rest[i].Member)
			}
			s := t.sheet(first.Alert)
			s.column(first.Revision, first.Rung).AddMany(members)
			s.answer(rest[:n])
		}
		rest = rest[n:]
	}
}

func sameColumn(x, y *Receipt) bool {
	return x.Rung == y.Rung && x.Revision == y.Revision && x.Alert == y.Alert
}

func (t *Tally) sheet(id alert.ID) *sheet {
	s, ok := t.alerts[id]
	if !ok {
		s = &sheet{ladders: make(map[alert.Revision]*ladder), answers: make(map[uint32]Answer)}
		t.alerts[alert.ID(strings.Clone(string(id)))] = s
	}
	return s
}

func (s *sheet) column(rev alert.Revision, r Rung) *roaring.Bitmap {
	l, ok := s.ladders[rev]
	if !ok {
		l = new(ladder)
		s.ladders[rev] = l
	}
	if l[r] == nil {
		l[r] = roaring.New()
	}
	return l[r]
}

func (s *sheet) answer(rs []Receipt) {
	for i := range rs {
		text := answerOf(&rs[i])
		if text == "" {
			continue
		}
		next := Answer{Member: rs[i].Member, Revision: rs[i].Revision, At: timeOf(tickOf(rs[i].At)), Text: text}
		if old, ok := s.answers[next.Member]; !ok || next.follows(old) {
			s.answers[next.Member] = next
		}
	}
}

// follows orders the answers of one member; it is total, so that the last one is
// the same in every order of arrival.
func (a Answer) follows(old Answer) bool {
	return cmp.Or(cmp.Compare(a.Revision, old.Revision), a.At.Compare(old.At), strings.Compare(a.Text, old.Text)) > 0
}

// Counts gives the counts of one revision; all zero when nothing is known of it.
func (t *Tally) Counts(id alert.ID, rev alert.Revision) Counts { return t.CountsAmong(nil, id, rev) }

// CountsAmong is Counts of these members only; nil is all. A device can tell of any
// alert, also of one that it was never sent.
func (t *Tally) CountsAmong(members *roaring.Bitmap, id alert.ID, rev alert.Revision) Counts {
	t.mu.RLock()
	defer t.mu.RUnlock()
	l := t.ladder(id, rev)
	if l == nil {
		return Counts{}
	}
	l = l.among(members)
	var c Counts
	reached := roaring.New()
	for _, rung := range []struct {
		count *uint64
		of    []Rung // what implies the rung and none above it
	}{
		{&c.Acknowledged, []Rung{Acknowledged}},
		{&c.Presented, []Rung{Presented}},
		{&c.Verified, []Rung{Verified}},
		{&c.Delivered, []Rung{Delivered, Refused}},
		{&c.Sent, []Rung{Sent, Failed}},
		{&c.Queued, []Rung{Queued, Expired, Cancelled}},
	} {
		for _, r := range rung.of {
			l.or(reached, r)
		}
		*rung.count = reached.GetCardinality()
	}
	l.countEnds(&c)
	return c
}

// countEnds counts each member under the end of the highest rank.
func (l *ladder) countEnds(c *Counts) {
	done := roaring.New()
	l.or(done, Presented)
	l.or(done, Acknowledged)
	for _, end := range []struct {
		count *uint64
		rung  Rung
	}{{&c.Refused, Refused}, {&c.Failed, Failed}, {&c.Cancelled, Cancelled}, {&c.Expired, Expired}} {
		before := done.GetCardinality()
		l.or(done, end.rung)
		*end.count = done.GetCardinality() - before
	}
	if l[Cancelled] != nil { // also after it was presented: who has really stopped
		c.Cancelled = l[Cancelled].GetCardinality()
	}
}

// among is the ladder without everybody else.
func (l *ladder) among(members *roaring.Bitmap) *ladder {
	if members == nil {
		return l
	}
	out := new(ladder)
	for r, reached := range l {
		if reached != nil {
			out[r] = roaring.And(reached, members)
		}
	}
	return out
}

func (l *ladder) or(into *roaring.Bitmap, r Rung) {
	if l[r] != nil {
		into.Or(l[r])
	}
}

func (t *Tally) ladder(id alert.ID, rev alert.Revision) *ladder {
	if s, ok := t.alerts[id]; ok {
		return s.ladders[rev]
	}
	return nil
}

// Members lists who reached the rung of one revision, or a rung that implies it;
// for an end but Cancelled, who reported it and was not presented the alert all the same.
// The bitmap is the caller's own.
func (t *Tally) Members(id alert.ID, rev alert.Revision, r Rung) *roaring.Bitmap {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := roaring.New()
	l := t.ladder(id, rev)
	if l == nil {
		return out
	}
	for from := Queued; from <= Refused; from++ {
		if from.Implies(r) {
			l.or(out, from)
		}
	}
	if r.Ends() && r != Cancelled {
		for from := Queued; from <= Refused; from++ {
			if l[from] != nil && Climbs(r, from) {
				out.AndNot(l[from])
			}
		}
	}
	return out
}

// Missing lists which members of target have not reached the rung. The bitmap is
// the caller's own; target is only read.
func (t *Tally) Missing(target *roaring.Bitmap, id alert.ID, rev alert.Revision, r Rung) *roaring.Bitmap {
	return roaring.AndNot(target, t.Members(id, rev, r))
}

// AnswerOf is the last answer of one member to the alert; false where it gave none.
func (t *Tally) AnswerOf(id alert.ID, member uint32) (Answer, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s, ok := t.alerts[id]
	if !ok {
		return Answer{}, false
	}
	a, ok := s.answers[member]
	return a, ok
}

// Follows reports whether the answer counts above another one of the same member.
func (a Answer) Follows(old Answer) bool { return a.follows(old) }

// Answers lists the last answer of each member to the alert, by member.
func (t *Tally) Answers(id alert.ID) []Answer {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s, ok := t.alerts[id]; ok {
		return s.sortedAnswers()
	}
	return nil
}

func (s *sheet) sortedAnswers() []Answer {
	return slices.SortedFunc(maps.Values(s.answers), func(x, y Answer) int { return cmp.Compare(x.Member, y.Member) })
}

// Revisions lists the revisions of the alert of which receipts are known, lowest
// first.
func (t *Tally) Revisions(id alert.ID) []alert.Revision {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s, ok := t.alerts[id]; ok {
		return slices.Sorted(maps.Keys(s.ladders))
	}
	return nil
}

// Alerts lists the alerts of which receipts are known, by id.
func (t *Tally) Alerts() []alert.ID {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Sorted(maps.Keys(t.alerts))
}

// Forget drops all that is known of the alert.
func (t *Tally) Forget(id alert.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.alerts, id)
}
