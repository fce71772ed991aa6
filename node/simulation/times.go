package simulation

import (
	"slices"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/node/cli/inprocess"
)

const (
	// dueWithin is how soon a connected device has to prove an alert: after that people are sent to
	// knock at its door.
	dueWithin = 10 * time.Second
	// dueBack is the same of a device that connects while the alert is in force.
	dueBack = 5 * time.Second
)

// times is when what happened to which device, by a clock that only goes on. Its methods may be
// called from any goroutine.
type times struct {
	now func() time.Duration

	mu    sync.Mutex                        // guards what follows
	first map[device.Revision]time.Duration // when the first of all devices began to present it
	of    []seen                            // by device
}

// seen is what is known of one device.
type seen struct {
	online bool
	since  time.Duration                     // when it was connected last
	proven map[device.Revision]time.Duration // when a node had acknowledged that it was presented
	due    map[device.Revision]time.Duration // when that should have been, as it was then
}

func newTimes(devices int, now func() time.Duration) *times {
	return &times{now: now, first: map[device.Revision]time.Duration{}, of: make([]seen, devices)}
}

// happened takes an event of the i-th device.
func (t *times) happened(i int, e device.Event) {
	now, key := t.now(), device.Revision{Alert: e.Alert, Revision: e.Revision}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.of[i]
	switch {
	case e.What == device.Connected:
		s.online, s.since = true, now
	case e.What == device.Disconnected:
		s.online = false
	case e.What == device.Started:
		if _, any := t.first[key]; !any {
			t.first[key] = now
		}
	case e.What == device.Told && e.Rung == contract.RungPresented:
		if _, was := s.proven[key]; was {
			return
		}
		if s.proven == nil {
			s.proven, s.due = map[device.Revision]time.Duration{}, map[device.Revision]time.Duration{}
		}
		s.proven[key], s.due[key] = now, t.dueOf(s, key)
	}
}

// dueOf is by when a device has to have proven a revision that began somewhere. The caller holds mu.
func (t *times) dueOf(s *seen, key device.Revision) time.Duration {
	if first := t.first[key]; s.since <= first {
		return first + dueWithin
	}
	return s.since + dueBack
}

// begun lists what began at any device.
func (t *times) begun() []device.Revision {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []device.Revision
	for key := range t.first {
		out = append(out, key)
	}
	return out
}

// verdict is what is said of one device and one revision.
type verdict struct {
	back  bool          // it was connected only after the revision had begun
	late  bool          // it was not proven in time, or is not though the time is over
	took  time.Duration // from the first device, or from when it was connected, until it was proven
	known bool          // it was proven, or the time is over: else nothing can be said yet
}

// judge says whether the i-th device was in time. A device that is dark is not late: it is counted
// as dark.
func (t *times) judge(i int, key device.Revision) verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, first := &t.of[i], t.first[key]
	v := verdict{back: s.since > first}
	if proven, ok := s.proven[key]; ok {
		due := s.due[key]
		v.back = due != first+dueWithin
		v.known, v.late = true, proven > due
		if v.took = proven - first; v.back {
			v.took = proven - (due - dueBack)
		}
		return v
	}
	if s.online && t.now() > t.dueOf(s, key) {
		v.known, v.late = true, true
	}
	return v
}

// pace is how fast devices were, of their verdicts.
func pace(all []verdict) inprocess.Pace {
	var took []time.Duration
	p := inprocess.Pace{Due: len(all)}
	for _, v := range all {
		if !v.late {
			p.InTime++
		}
		if v.took > 0 {
			took = append(took, v.took)
		}
	}
	if len(took) == 0 {
		return p
	}
	slices.Sort(took)
	at := func(percent int) float64 {
		return float64(took[min(len(took)-1, len(took)*percent/100)].Microseconds()) / 1000
	}
	p.P50MS, p.P99MS, p.LastMS = at(50), at(99), at(100)
	return p
}
