package broker

import (
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

// ledger knows which body each device should get, and whether it has answered. It
// has no clock and no connection. One goroutine at a time may use it.
type ledger struct {
	resend  time.Duration
	order   []*job            // loudest first
	jobs    map[string][]*job // the same, by device
	devices map[string]*Presence
}

// Presence is a device as it describes itself on the broker.
type Presence struct {
	channels.Endpoint
	Session uint64    // grows with every connection of the device
	Up      bool      // it has not said goodbye, and the broker has not published its will
	State   string    // contract.State.State
	Since   time.Time // of the session, by this node's clock
}

// job is one body for one device.
type job struct {
	to       channels.Endpoint
	delivery *channels.Delivery
	tries    int
	due      time.Time
	answered bool
}

func newLedger(resend time.Duration) *ledger {
	return &ledger{resend: resend, jobs: map[string][]*job{}, devices: map[string]*Presence{}}
}

// set replaces what holds; to[i] are the devices of active[i]. Jobs that go on keep
// what is known of them.
func (l *ledger) set(active []channels.Delivery, to [][]channels.Endpoint, at time.Time) {
	old := l.jobs
	l.jobs, l.order = make(map[string][]*job, len(old)), nil
	for i := range active {
		slices.SortStableFunc(to[i], func(a, b channels.Endpoint) int { return rank(a) - rank(b) })
		for _, e := range to[i] {
			j := find(old[e.Device], active[i].Alert, active[i].Revision)
			if j == nil {
				j = &job{due: at}
			}
			j.to, j.delivery = e, &active[i]
			l.jobs[e.Device] = append(l.jobs[e.Device], j)
			l.order = append(l.order, j)
		}
	}
}

// find gives the job of one revision, nil where there is none. A device has few.
func find(jobs []*job, id alert.ID, revision alert.Revision) *job {
	for _, j := range jobs {
		if j.delivery.Alert == id && j.delivery.Revision == revision {
			return j
		}
	}
	return nil
}

func rank(e channels.Endpoint) int {
	if e.Loud {
		return 0
	}
	return 1
}

// again makes everything unanswered due: the broker may have lost all it had.
func (l *ledger) again(at time.Time) {
	for _, j := range l.order {
		if !j.answered {
			j.tries, j.due = 0, at
		}
	}
}

// due lists the loudest jobs that are due, at most so many, and when the next one
// is; the zero time when nothing waits.
func (l *ledger) due(at time.Time, most int) (jobs []*job, next time.Time) {
	for _, j := range l.order {
		switch {
		case j.answered || !at.Before(j.delivery.Expires) || !l.wanted(j):
		case j.due.After(at):
			if next.IsZero() || j.due.Before(next) {
				next = j.due
			}
		case len(jobs) == most:
			return jobs, at
		default:
			jobs = append(jobs, j)
		}
	}
	return jobs, next
}

// wanted: everybody gets a body once, also who never said a word at the broker; only
// who is there, and silent, gets it again.
func (l *ledger) wanted(j *job) bool {
	if j.tries == 0 {
		return true
	}
	p := l.devices[j.to.Device]
	return p != nil && p.Up && j.tries < resendMost
}

// sent notes that the job's body was handed to the broker.
func (l *ledger) sent(j *job, at time.Time) {
	j.due = at.Add(l.resend * time.Duration(min(1<<min(j.tries, 10), resendGrowth)))
	j.tries++
}

// answer notes what a device told. Verified alone is not the last word, but there is
// more time for the next one.
func (l *ledger) answer(device string, r receipt.Receipt, at time.Time) {
	j := find(l.jobs[device], r.Alert, r.Revision)
	if j == nil {
		return
	}
	if r.Rung == receipt.Verified {
		j.due = at.Add(l.resend * resendGrowth / 2)
		return
	}
	j.answered = true
}

// arrive notes what a device says of itself. It reports whether the device is new
// here or has connected again: then it lacks everything.
func (l *ledger) arrive(e channels.Endpoint, s contract.State, at time.Time) bool {
	p := l.devices[e.Device]
	if p != nil && s.Session < p.Session {
		return false // the will of a connection that was replaced
	}
	up := s.State != contract.StateLost && s.State != contract.StateDisconnected
	fresh := up && (p == nil || s.Session > p.Session || !p.Up)
	if p == nil || s.Session > p.Session {
		p = &Presence{Since: at}
		l.devices[e.Device] = p
	}
	p.Endpoint, p.Session, p.Up, p.State = e, s.Session, up, s.State
	if !fresh {
		return false
	}
	for _, j := range l.jobs[e.Device] {
		j.answered, j.tries, j.due = false, 0, at
	}
	return true
}

func (l *ledger) count() (devices, unanswered int) {
	for _, p := range l.devices {
		if p.Up {
			devices++
		}
	}
	for _, j := range l.order {
		if p := l.devices[j.to.Device]; p != nil && p.Up && !j.answered {
			unanswered++
		}
	}
	return devices, unanswered
}

func (l *ledger) reaching(members *roaring.Bitmap) (n int) {
	for _, p := range l.devices {
		if p.Up && members.Contains(p.Member) {
			n++
		}
	}
	return n
}

func (l *ledger) present() []Presence {
	var out []Presence
	for _, p := range l.devices {
		if p.Up {
			out = append(out, *p)
		}
	}
	slices.SortFunc(out, func(a, b Presence) int { return strings.Compare(a.Device, b.Device) })
	return out
}
