package node

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// clockTolerance is how far two clocks may differ and still be taken for right.
	clockTolerance = time.Minute
	// opinionLife is how long a peer's word about the time counts.
	opinionLife = 15 * time.Second
)

// clockSource says which time the node goes by.
type clockSource int

// The sources.
const (
	clockOwn      clockSource = iota // this machine's clock
	clockDistrict                    // what the majority of the district's nodes say: this machine's clock is wrong
	clockHeld                        // the time before this machine's clock was set, counted on by the monotonic clock
)

// String names the source for status.
func (s clockSource) String() string {
	return [...]string{"own", "district", "held"}[min(max(s, clockOwn), clockHeld)]
}

// timekeeper is the node's time of day. It follows the machine's clock as long as that
// runs evenly and no majority of the district's nodes disagrees by more than a minute.
// A clock that is set by more than that is followed when a majority says the same time,
// and is never believed when a majority says another; without a majority to ask, the old
// time goes on by the monotonic clock for as long as an alert is in force by either time:
// so no alert ends early and none comes back because somebody set a clock.
//
// Its methods may be called from any goroutine.
type timekeeper struct {
	wall  func() time.Time
	begun time.Time // the zero of the monotonic clock
	calm  func(a, b time.Time) bool

	mu       sync.Mutex
	source   clockSource
	base     time.Time     // the node's time at begun
	off      time.Duration // of the machine's clock from the node's time, when last looked
	voters   int           // of the district, this node included
	opinions map[string]opinion
}

// opinion is what one peer's clock said.
type opinion struct {
	base time.Time     // the peer's time at begun
	at   time.Duration // since begun
}

// newTimekeeper makes one that goes by wall from now on; it is not before since, the time
// that an earlier process of the node has seen, as far as that is more than a minute away.
// calm reports that no alert is in force at either time.
func newTimekeeper(wall func() time.Time, since time.Time, calm func(a, b time.Time) bool) *timekeeper {
	k := &timekeeper{wall: wall, begun: time.Now(), calm: calm, voters: 1, opinions: map[string]opinion{}}
	now := wall().Round(0)
	k.base = now
	if since.Sub(now) > clockTolerance {
		k.base, k.source = since, clockHeld
	}
	return k
}

// Now is the node's time of day.
func (k *timekeeper) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	mono := time.Since(k.begun)
	own := k.own(mono)
	k.off = own.Sub(k.base)
	switch {
	case k.source == clockOwn && k.off.Abs() <= clockTolerance:
		k.base, k.off = own, 0
	case k.source == clockOwn:
		k.decide(own, mono)
	}
	return k.base.Add(mono)
}

// own is the machine's time at begun, if it had always been what it is now. mu is held.
func (k *timekeeper) own(mono time.Duration) time.Time { return k.wall().Round(0).Add(-mono) }

// raw is the machine's time of day, which the other nodes are told.
func (k *timekeeper) raw() time.Time { return k.wall().Round(0) }

// hear takes a peer's time: what its clock said at some moment of the last took.
func (k *timekeeper) hear(peer string, at time.Time, took time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	mono := time.Since(k.begun)
	k.opinions[peer] = opinion{base: at.Round(0).Add(took/2 - mono), at: mono}
}

// review decides anew which time to go by. voters is how many nodes the district has,
// this one included. calm is asked without a lock held.
func (k *timekeeper) review(voters int) {
	k.mu.Lock()
	k.voters = voters
	mono := time.Since(k.begun)
	own := k.own(mono)
	k.decide(own, mono)
	held := k.source == clockHeld
	before, after := k.base.Add(mono), own.Add(mono)
	k.mu.Unlock()
	if held && k.calm(before, after) {
		k.follow()
	}
}

// follow goes by the machine's clock again.
func (k *timekeeper) follow() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.source == clockHeld {
		k.base, k.off, k.source = k.own(time.Since(k.begun)), 0, clockOwn
	}
}

// decide chooses the source. mu is held.
func (k *timekeeper) decide(own time.Time, mono time.Duration) {
	agreed, with, ok := k.majority(own, mono)
	switch {
	case ok && with: // the others say what this machine's clock says
		k.base, k.source = own, clockOwn
	case ok:
		if k.source != clockDistrict || agreed.Sub(k.base).Abs() > time.Second { // do not follow jitter
			k.base = agreed
		}
		k.source = clockDistrict
	case own.Sub(k.base).Abs() <= clockTolerance:
		k.base, k.source = own, clockOwn
	default:
		k.source = clockHeld
	}
	k.off = own.Sub(k.base)
}

// majority finds a time on which more than half of the district's nodes agree, and
// whether this machine's clock is among them. At least one other node must be. mu is
// held.
func (k *timekeeper) majority(own time.Time, mono time.Duration) (agreed time.Time, with, ok bool) {
	times := []time.Time{own}
	for peer, o := range k.opinions {
		if mono-o.at > opinionLife {
			delete(k.opinions, peer)
			continue
		}
		times = append(times, o.base)
	}
	slices.SortFunc(times, time.Time.Compare)
	var best []time.Time
	for i := range times {
		j := i
		for j < len(times) && times[j].Sub(times[i]) <= clockTolerance {
			j++
		}
		if j-i > len(best) {
			best = times[i:j]
		}
	}
	if len(best) < 2 || 2*len(best) <= k.voters {
		return time.Time{}, false, false
	}
	return best[len(best)/2], !own.Before(best[0]) && !own.After(best[len(best)-1]), true
}

// state is the source and by how much the machine's clock is ahead of the node's time.
func (k *timekeeper) state() (clockSource, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.source, k.off
}

// sentence says what is wrong with the machine's clock; "" when nothing is.
func (k *timekeeper) sentence() string {
	source, off := k.state()
	by := off.Abs().Round(time.Second).String() + " ahead"
	if off < 0 {
		by = off.Abs().Round(time.Second).String() + " behind"
	}
	switch source {
	case clockDistrict:
		return fmt.Sprintf("the clock of this machine is %s of the other nodes' clocks; times and expiries follow theirs: set it right", by)
	case clockHeld:
		return fmt.Sprintf("the clock of this machine was set and is now %s; expiries go on by the time before, until no alert is in force or a majority of the nodes says the new time", by)
	}
	return ""
}
