package ledger

import (
	"cmp"
	"container/heap"
	"time"
)

// queue orders the jobs of a ledger, so that finding the next ones costs as many as there
// are to do, however many have been done. A job is in it where there is something to do for
// it, now or later; what it was put there for may be over by then.
type queue struct {
	ready ready   // due, the loudest first
	later waiting // due later, the earliest first
}

// now makes a job due.
func (q *queue) now(j *Job, at time.Time) {
	j.due = at
	j.turn++ // what was planned before does not count
	if !j.ready {
		j.ready = true
		heap.Push(&q.ready, j)
	}
}

// at makes a job due at its time.
func (q *queue) at(j *Job) {
	j.turn++
	heap.Push(&q.later, turn{j, j.turn, j.due})
}

// ripen makes due what is due by now.
func (q *queue) ripen(now time.Time) {
	for len(q.later) > 0 && (q.later.stale() || !q.later[0].at.After(now)) {
		if t := heap.Pop(&q.later).(turn); t.number == t.Job.turn && !t.Job.gone {
			q.now(t.Job, t.at)
		}
	}
}

// take gives the loudest job that is due; nil when there is none.
func (q *queue) take() *Job {
	if len(q.ready) == 0 {
		return nil
	}
	j := heap.Pop(&q.ready).(*Job)
	j.ready = false
	return j
}

// turn is the time at which a job is due, unless it was given another one since.
type turn struct {
	Job    *Job
	number int
	at     time.Time
}

// ready is a heap: by the order of the deliveries, of one delivery loud devices first.
type ready []*Job

func (r ready) Len() int { return len(r) }

func (r ready) Less(i, j int) bool {
	a, b := r[i], r[j]
	return cmp.Or(cmp.Compare(a.part.place, b.part.place), cmp.Compare(a.order, b.order)) < 0
}

func (r ready) Swap(i, j int) { r[i], r[j] = r[j], r[i] }

// Push is heap.Interface's.
func (r *ready) Push(x any) { *r = append(*r, x.(*Job)) }

// Pop is heap.Interface's.
func (r *ready) Pop() any {
	last := len(*r) - 1
	out := (*r)[last]
	(*r)[last] = nil
	*r = (*r)[:last]
	return out
}

// waiting is a heap by time.
type waiting []turn

// stale reports whether the first turn does not count any more.
func (w waiting) stale() bool { return w[0].Job.gone || w[0].number != w[0].Job.turn }

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].at.Before(w[j].at) }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push is heap.Interface's.
func (w *waiting) Push(x any) { *w = append(*w, x.(turn)) }

// Pop is heap.Interface's.
func (w *waiting) Pop() any {
	last := len(*w) - 1
	out := (*w)[last]
	(*w)[last] = turn{}
	*w = (*w)[:last]
	return out
}
