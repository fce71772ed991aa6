// Package ledger knows what an outlet owes its endpoints: which message goes to whom, when it is
// due, when again, and who has answered. Outlets whose endpoints are not connected to the node
// itself keep one: brokers, text messages, telephone calls.
//
//	what holds ─> Set ─> jobs ─> Due ─> (the outlet hands over) ─> Sent ─> Answer, or due again
//	                              └─> File: what was begun, durable before it is handed over
//
// It has no clock, no connection and no lock. It imports channels and its contract, but no
// outlet.
package ledger

import (
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// resendMost is how often a body goes to a device that does not answer, on one of its
// sessions; resendGrowth by how much the pause grows at most.
const (
	resendMost   = 20
	resendGrowth = 12
)

// Ledger knows which body each device should get, and whether it has answered. It
// has no clock and no connection: at is the process's own clock, by which pauses are
// measured, and wall is the node's time of day, by which alerts expire. One goroutine at a
// time may use it.
//
// What changes is paid for, and not what holds: with 1,000 alerts for 1,000 devices there are
// a million jobs, nearly all of them done.
type Ledger struct {
	resend     time.Duration
	sheets     map[sheetKey]*sheet
	queue      queue
	unanswered map[string]int // by device
	devices    map[string]*Presence
	begun      *File // nil: nothing is kept
}

// sheetKey is one revision of an alert.
type sheetKey struct {
	alert    alert.ID
	revision alert.Revision
}

// sheet is one revision of an alert, in as many parts as it has bodies, and the jobs of its
// devices, each of which gets one of them.
type sheet struct {
	parts []*part
	jobs  map[string]*Job
}

// part is one body.
type part struct {
	delivery *channels.Delivery
	place    int // among the deliveries, loudest first
}

// Presence is a device as it describes itself on the broker.
type Presence struct {
	channels.Endpoint
	Session uint64    // grows with every connection of the device
	Up      bool      // it has not said goodbye, and the broker has not published its will
	State   string    // contract.State.State
	Since   time.Time // of the session, by this node's clock
}

// Job is one body for one device.
type Job struct {
	to       channels.Endpoint
	part     *part
	order    int // among the jobs of its part: loud devices first
	tries    int
	due      time.Time
	answered bool

	gone  bool // the delivery does not hold any more, or is not the device's
	ready bool // in queue.ready
	turn  int  // counts the times for which it was planned
}

// To is the device that the job is for.
func (j *Job) To() channels.Endpoint { return j.to }

// Delivery is the body. It is not modified.
func (j *Job) Delivery() *channels.Delivery { return j.part.delivery }

// New makes a ledger. resend is the first pause before a device that is there and silent gets
// its body again; it doubles, up to twelve times that. begun keeps across restarts what was
// handed over, for endpoints where a second time costs money or is heard; nil keeps nothing,
// for devices that begin a revision once however often it comes.
func New(resend time.Duration, begun *File) *Ledger {
	return &Ledger{begun: begun, resend: resend, sheets: map[sheetKey]*sheet{}, unanswered: map[string]int{}, devices: map[string]*Presence{}}
}

// bySheet groups deliveries, by index.
func bySheet(active []channels.Delivery) map[sheetKey][]int {
	out := make(map[sheetKey][]int, len(active))
	for i := range active {
		key := sheetKey{active[i].Alert, active[i].Revision}
		out[key] = append(out[key], i)
	}
	return out
}

// Unlisted lists the deliveries whose devices set must be told: those of alerts that are new,
// or are for others than before.
func (l *Ledger) Unlisted(active []channels.Delivery) (indices []int) {
	for key, of := range bySheet(active) {
		s := l.sheets[key]
		same := s != nil && len(s.parts) == len(of)
		for n := 0; same && n < len(of); n++ {
			was, is := s.parts[n].delivery.To, active[of[n]].To
			same = was == is || was.Equals(is)
		}
		if !same {
			indices = append(indices, of...)
		}
	}
	return indices
}

// Set replaces what holds; to has the devices of the deliveries that unlisted named, or of
// all, by index. Jobs that go on keep what is known of them.
func (l *Ledger) Set(active []channels.Delivery, to map[int][]channels.Endpoint, at time.Time) {
	old := l.sheets
	l.sheets = make(map[sheetKey]*sheet, len(active))
	for key, of := range bySheet(active) {
		s := old[key]
		if s == nil {
			s = &sheet{jobs: map[string]*Job{}}
		}
		delete(old, key)
		l.sheets[key] = s
		for len(s.parts) < len(of) {
			s.parts = append(s.parts, &part{})
		}
		s.parts = s.parts[:len(of)]
		var devices [][]channels.Endpoint
		for n, i := range of {
			s.parts[n].delivery, s.parts[n].place = &active[i], i
			if some, ok := to[i]; ok {
				devices = append(devices, some)
			}
		}
		if len(devices) == len(of) {
			l.list(s, devices, at)
		}
	}
	for _, s := range old {
		l.list(s, nil, at)
	}
	heap.Init(&l.queue.ready) // places have changed
}

// list makes the jobs of a sheet those of the devices of each part.
func (l *Ledger) list(s *sheet, devices [][]channels.Endpoint, at time.Time) {
	old := s.jobs
	s.jobs = make(map[string]*Job, len(old))
	for n, some := range devices {
		slices.SortStableFunc(some, func(a, b channels.Endpoint) int { return rank(a) - rank(b) })
		for i, e := range some {
			if s.jobs[e.Device] != nil {
				continue // one body is enough
			}
			j := old[e.Device]
			if j == nil {
				j = &Job{}
				if l.begun.Has(handedOf(s.parts[n].delivery, e)) {
					j.tries = 1 // before a restart
				}
			}
			j.to, j.part, j.order = e, s.parts[n], i
			if old[e.Device] == nil {
				l.unanswered[e.Device]++
				l.queue.now(j, at)
			}
			delete(old, e.Device)
			s.jobs[e.Device] = j
		}
	}
	for device, j := range old {
		j.gone = true
		if !j.answered {
			l.settled(device)
		}
	}
}

// settled counts one body less that the device has not answered.
func (l *Ledger) settled(device string) {
	if l.unanswered[device]--; l.unanswered[device] == 0 {
		delete(l.unanswered, device)
	}
}

func rank(e channels.Endpoint) int {
	if e.Loud {
		return 0
	}
	return 1
}

// Again makes everything unanswered due: the broker may have lost all it had.
func (l *Ledger) Again(at time.Time) {
	for _, s := range l.sheets {
		for _, j := range s.jobs {
			if !j.answered {
				j.tries = 0
				l.queue.now(j, at)
			}
		}
	}
}

// Due takes out the loudest jobs that are due, at most so many, and says when the next one
// is; the zero time when nothing waits. Each must be told to Sent. What is kept is durable
// when it returns; where that fails there are no jobs, and the error says why: they are due
// again after the pause.
func (l *Ledger) Due(at, wall time.Time, most int) (jobs []*Job, next time.Time, err error) {
	jobs, next = l.ripe(at, wall, most)
	if err := l.begun.begin(jobs); err != nil {
		next = at.Add(l.resend)
		for _, j := range jobs {
			j.due = next
			l.queue.at(j)
		}
		return nil, next, err
	}
	return jobs, next, nil
}

func (l *Ledger) ripe(at, wall time.Time, most int) (jobs []*Job, next time.Time) {
	l.queue.ripen(at)
	for len(jobs) < most {
		j := l.queue.take()
		switch {
		case j == nil:
			if len(l.queue.later) > 0 {
				next = l.queue.later[0].at
			}
			return jobs, next
		case j.gone || j.answered || !l.wanted(j): // whoever arrives makes it due again
		case !wall.Before(j.part.delivery.Expires): // unless the clock is put right
			j.due = at.Add(l.resend * resendGrowth)
			l.queue.at(j)
		default:
			jobs = append(jobs, j)
		}
	}
	return jobs, at
}

// wanted: everybody gets a body once, also who never said a word at the broker; only
// who is there, and silent, gets it again.
func (l *Ledger) wanted(j *Job) bool {
	if j.tries == 0 {
		return true
	}
	p := l.devices[j.to.Device]
	return p != nil && p.Up && j.tries < resendMost
}

// Sent notes that the job's body was handed to the broker.
func (l *Ledger) Sent(j *Job, at time.Time) {
	j.due = at.Add(l.resend * time.Duration(min(1<<min(j.tries, 10), resendGrowth)))
	j.tries++
	if l.wanted(j) {
		l.queue.at(j)
	}
}

// Answer notes what a device told. Verified alone is not the last word, but there is
// more time for the next one.
func (l *Ledger) Answer(device string, r receipt.Receipt, at time.Time) {
	s := l.sheets[sheetKey{r.Alert, r.Revision}]
	if s == nil || s.jobs[device] == nil || s.jobs[device].answered {
		return
	}
	j := s.jobs[device]
	if r.Rung == receipt.Verified {
		if !j.ready {
			j.due = at.Add(l.resend * resendGrowth / 2)
			l.queue.at(j)
		}
		return
	}
	j.answered = true
	l.settled(device)
}

// Arrive notes what a device says of itself. It reports whether the device is new
// here or has connected again: then it lacks everything.
func (l *Ledger) Arrive(e channels.Endpoint, s contract.State, at, wall time.Time) bool {
	p := l.devices[e.Device]
	if p != nil && s.Session < p.Session {
		return false // the will of a connection that was replaced
	}
	up := s.State != contract.StateLost && s.State != contract.StateDisconnected
	fresh := up && (p == nil || s.Session > p.Session || !p.Up)
	if p == nil || s.Session > p.Session {
		p = &Presence{Since: wall}
		l.devices[e.Device] = p
	}
	p.Endpoint, p.Session, p.Up, p.State = e, s.Session, up, s.State
	if !fresh {
		return false
	}
	for _, s := range l.sheets {
		if j := s.jobs[e.Device]; j != nil {
			if j.answered {
				l.unanswered[e.Device]++
			}
			j.answered, j.tries = false, 0
			l.queue.now(j, at)
		}
	}
	return true
}

func (l *Ledger) Count() (devices, unanswered int) {
	for device, p := range l.devices {
		if p.Up {
			devices++
			unanswered += l.unanswered[device]
		}
	}
	return devices, unanswered
}

func (l *Ledger) Reaching(members *roaring.Bitmap) (n int) {
	for _, p := range l.devices {
		if p.Up && members.Contains(p.Member) {
			n++
		}
	}
	return n
}

// There reports whether a device says that it is at the broker.
func (l *Ledger) There(device string) bool { return l.devices[device] != nil && l.devices[device].Up }

// Present lists the devices that say they are at the broker, by id.
func (l *Ledger) Present() []Presence {
	var out []Presence
	for _, p := range l.devices {
		if p.Up {
			out = append(out, *p)
		}
	}
	slices.SortFunc(out, func(a, b Presence) int { return strings.Compare(a.Device, b.Device) })
	return out
}
