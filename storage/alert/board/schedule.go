package board

import (
	"container/heap"
	"slices"
	"time"

	"almenara/storage/alert"
)

// schedule orders the families of a board by time, so that an answer costs what is
// open at that time and not what is known: what is over is looked at once more, when it
// is forgotten.
type schedule struct {
	seen  time.Time            // the time of the last look
	open  map[*family]struct{} // families that may show or list something at seen or later
	kept  queue                // by family.keep
	early map[*family]struct{} // changed since the last look
	spare []*family            // that need not be remembered, and were spared; queued, but not in kept
}

func newSchedule() schedule {
	return schedule{open: make(map[*family]struct{}), early: make(map[*family]struct{})}
}

// put lets the family be looked at again. A family is queued once; its time in the queue
// may be too early, never too late.
func (s *schedule) put(f *family) {
	s.early[f] = struct{}{}
	if !f.queued {
		f.queued = true
		heap.Push(&s.kept, due{family: f})
	}
}

// drop forgets a family that has moved into another one or was pruned. Its place in the
// queue is skipped when it comes up.
func (s *schedule) drop(f *family) {
	delete(s.early, f)
	delete(s.open, f)
}

// look ranges over the families that may show or list something at now or later, in no
// particular order, and puts the others aside.
func (b *Board) look(now time.Time, fn func(*family)) {
	s := &b.schedule
	if now.Before(s.seen) { // a clock was set back: what was put aside counts again
		for f := range b.families {
			s.open[f] = struct{}{}
		}
	}
	s.seen = now
	for f := range s.early {
		s.open[f] = struct{}{}
	}
	clear(s.early)
	for f := range s.open {
		if !now.Before(f.over()) {
			delete(s.open, f)
			continue
		}
		fn(f)
	}
}

// over is the first instant from which on nothing of the family is shown or listed if
// nothing is added.
func (f *family) over() time.Time {
	cards := f.cards()
	if !f.judged {
		f.judged, f.quiet = true, time.Time{}
		for _, c := range cards {
			f.quiet = alert.Later(f.quiet, c.over())
		}
	}
	return f.quiet
}

// over is the last instant at which the card stops to look like anything, or at which
// what waits for approvals runs out.
func (c *card) over() (last time.Time) {
	for _, e := range c.waiting {
		last = alert.Later(last, e.Expires)
	}
	for i := len(c.instants) - 1; i >= 0; i-- {
		if c.at(c.instants[i].Add(-1)) != (face{}) {
			return alert.Later(last, c.instants[i])
		}
	}
	return last
}

// due is a family that need not be remembered from at on, or from later.
type due struct {
	family *family
	at     time.Time
}

// queue is a heap of families, the earliest first.
type queue []due

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is heap.Interface's.
func (q *queue) Push(x any) { *q = append(*q, x.(due)) }

// Pop is heap.Interface's.
func (q *queue) Pop() any {
	last := len(*q) - 1
	out := (*q)[last]
	(*q)[last] = due{}
	*q = (*q)[:last]
	return out
}

// past takes the families out that need not be remembered at now, but for those with a message to spare, which are put
// aside until AskAgain. Each is asked anew: what was added since it was queued may have made it last longer.
func (b *Board) past(now time.Time, spare func(Entry) bool) (out []*family) {
	q := &b.schedule.kept
	for len(*q) > 0 && !now.Before((*q)[0].at) {
		f := heap.Pop(q).(due).family
		f.queued = false
		if _, ok := b.families[f]; !ok {
			continue // it moved into another one
		}
		until := f.keep()
		switch {
		case now.Before(until):
			f.queued = true
			heap.Push(q, due{family: f, at: until})
		case spare != nil && slices.ContainsFunc(f.entries(), spare):
			f.queued = true
			b.schedule.spare = append(b.schedule.spare, f)
		default:
			out = append(out, f)
		}
	}
	return out
}

// AskAgain has the next Prune ask anew about all that was spared, which costs nothing at each look: on a node that is
// alone for days thousands of messages are spared.
func (b *Board) AskAgain() {
	for _, f := range b.schedule.spare {
		heap.Push(&b.schedule.kept, due{family: f})
	}
	b.schedule.spare = nil
}
