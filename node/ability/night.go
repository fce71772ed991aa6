package ability

import (
	"context"
	"slices"
	"time"
)

// The hours in which devices are tested, in the district's local time, which is that of its nodes: lifts
// and lobbies are empty, and who reads the page at seven sees a result of the same night. What an
// emergency or a restart interrupts is taken up until they are over.
const (
	nightFrom  = 3
	nightUntil = 5
	asksEvery  = 30 * time.Second // a node that has not gone through its devices yet
)

const dateOnly = time.DateOnly

// nightOf is the night that now is in, and whether it is in the hours of tests.
func nightOf(now time.Time) (night string, hours bool) {
	return now.Format(dateOnly), now.Hour() >= nightFrom && now.Hour() < nightUntil
}

// beginOf is when the tests of a night begin; the zero time for what is no night.
func beginOf(night string, zone *time.Location) time.Time {
	day, err := time.ParseInLocation(dateOnly, night, zone)
	if err != nil {
		return time.Time{}
	}
	return time.Date(day.Year(), day.Month(), day.Day(), nightFrom, 0, 0, 0, zone)
}

// Nights has every node test its devices in the night. It is the duty of one node in each part of the
// district: two that ask change nothing, because a node goes through its devices once a night.
type Nights struct {
	asked *Asked
	done  map[string]string // by node: the night that it has gone through
	last  time.Time         // when it was asked last
}

// NewNights makes one; Do is called by one goroutine at a time.
func NewNights(a *Asked) *Nights { return &Nights{asked: a, done: map[string]string{}} }

// Do asks the nodes that have not gone through their devices in this night, if it is night and no
// emergency is in force.
func (n *Nights) Do(ctx context.Context) error {
	o := n.asked.o
	now := o.Clock().In(o.Tester.o.Zone)
	night, hours := nightOf(now)
	if !hours || now.Sub(n.last).Abs() < asksEvery || o.Tester.o.Emergency() {
		return nil
	}
	n.last = now
	for _, node := range slices.Concat([]string{o.Self}, o.Others()) {
		if n.done[node] == night {
			continue
		}
		a, err := n.asked.node(ctx, node, question{Do: askNight, Night: night}, patience)
		if err != nil {
			o.Logger.Debug("a node does not test its devices now", "peer", node, "error", err)
			continue // it is asked again
		}
		if a.Done {
			n.done[node] = night
		}
	}
	return nil
}

// nightHere goes through the devices of this node once in a night, and says whether it has.
func (a *Asked) nightHere(night string) (done bool) {
	t, m := a.o.Tester, a.o.Tester.o.Memory
	now, hours := nightOf(a.o.Clock().In(t.o.Zone))
	if m.Done(night) || night != now || !hours { // the clocks of two nodes may differ
		return m.Done(night)
	}
	since := beginOf(night, t.o.Zone)
	devices := slices.DeleteFunc(t.here(), func(id string) bool { _, tested := m.TestedSince(id, since); return tested })
	slices.Sort(devices)
	t.begin(job{night: night, devices: devices})
	return false
}
