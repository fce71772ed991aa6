package machine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/durable"
)

const (
	// clockTolerance is how far two clocks may differ and still be taken for right.
	clockTolerance = time.Minute
	// opinionLife is how long a peer's word about the time counts.
	opinionLife = 15 * time.Second
	// plausibleAway is how long a node may have been away and need not ask the others first.
	plausibleAway = 2 * time.Minute
	timeFile      = "time"           // the last time of day that the node is known to have had
	timeFormat    = time.RFC3339Nano // in files and calls
)

// source says which time the node goes by.
type source int

// The sources.
const (
	sourceOwn      source = iota // this machine's clock
	sourceDistrict               // what the majority of the district's nodes say: this machine's clock is wrong
	sourceHeld                   // the time before this machine's clock was set, counted on by the monotonic clock
)

// String names the source for status.
func (s source) String() string {
	return [...]string{"own", "district", "held"}[min(max(s, sourceOwn), sourceHeld)]
}

// Clock is the node's time of day: the only one, which every other part is given. It follows the machine's clock as long as that
// runs evenly and no majority of the district's nodes disagrees by more than a minute.
// A clock that is set by more than that is followed when a majority says the same time,
// and is never believed when a majority says another; without a majority to ask, the old
// time goes on by the monotonic clock for as long as an alert is in force by either time:
// so no alert ends early and none comes back because somebody set a clock.
//
// Its methods may be called from any goroutine.
type Clock struct {
	dir       string // of timeFile; "" keeps none
	plausible bool   // the node was away for a short time only
	wall      func() time.Time
	begun     time.Time // the zero of the monotonic clock
	calm      func(a, b time.Time) bool

	mu       sync.Mutex
	settled  bool // it is known what time it is: after a short absence, or by the word of others
	source   source
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

// OpenClock makes the clock of the node whose data folder is dir. It goes by wall from now
// on, and never begins before the last time that an earlier process of the node is known to
// have had, as far as that is more than a minute away. A node that was away for longer than
// two minutes, or whose machine was set back meanwhile, asks the others before it tells its
// devices what time it is (Watch.Await). calm reports that no alert is in force at either
// time.
func OpenClock(dir string, wall func() time.Time, calm func(a, b time.Time) bool) *Clock {
	since := lastTime(dir)
	c := NewClock(wall, since, calm)
	c.dir = dir
	c.plausible = !since.IsZero() && wall().Sub(since) <= plausibleAway && since.Sub(wall()) <= clockTolerance
	c.settled = c.plausible
	return c
}

// NewClock is OpenClock without a folder, of a node that was not away: since is the last time that is known;
// zero where none is.
func NewClock(wall func() time.Time, since time.Time, calm func(a, b time.Time) bool) *Clock {
	c := &Clock{wall: wall, begun: time.Now(), calm: calm, settled: true, voters: 1, opinions: map[string]opinion{}}
	now := wall().Round(0)
	c.base = now
	if since.Sub(now) > clockTolerance {
		c.base, c.source = since, sourceHeld
	}
	return c
}

// lastTime reads timeFile; zero when it is missing or cannot be read as a time.
func lastTime(dir string) time.Time {
	raw, err := os.ReadFile(filepath.Join(dir, timeFile))
	if err != nil {
		return time.Time{}
	}
	at, err := time.Parse(timeFormat, strings.TrimSpace(string(raw)))
	if err != nil {
		return time.Time{}
	}
	return at
}

// keep writes timeFile.
func (c *Clock) keep() error {
	return durable.WriteFile(filepath.Join(c.dir, timeFile), []byte(c.Now().UTC().Format(timeFormat)+"\n"))
}

// Now is the node's time of day.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	mono := time.Since(c.begun)
	own := c.own(mono)
	c.off = own.Sub(c.base)
	switch {
	case c.source == sourceOwn && c.off.Abs() <= clockTolerance:
		c.base, c.off = own, 0
	case c.source == sourceOwn:
		c.decide(own, mono)
	}
	return c.base.Add(mono)
}

// own is the machine's time at begun, if it had always been what it is now. mu is held.
func (c *Clock) own(mono time.Duration) time.Time { return c.wall().Round(0).Add(-mono) }

// machine is the machine's time of day, which the other nodes are told.
func (c *Clock) machine() time.Time { return c.wall().Round(0) }

// hear takes a peer's time: what its clock said at some moment of the last took.
func (c *Clock) hear(peer string, at time.Time, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mono := time.Since(c.begun)
	c.opinions[peer] = opinion{base: at.Round(0).Add(took/2 - mono), at: mono}
}

// heard counts the peers that have said lately what time it is, asked or asking.
func (c *Clock) heard() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mono := time.Since(c.begun)
	for _, o := range c.opinions {
		if mono-o.at <= opinionLife {
			n++
		}
	}
	return n
}

// review decides anew which time to go by. voters is how many nodes the district has,
// this one included. calm is asked without a lock held.
func (c *Clock) review(voters int) {
	c.mu.Lock()
	c.voters = voters
	c.settled = c.settled || voters <= 1
	mono := time.Since(c.begun)
	own := c.own(mono)
	c.decide(own, mono)
	held := c.source == sourceHeld
	before, after := c.base.Add(mono), own.Add(mono)
	c.mu.Unlock()
	if held && c.calm(before, after) {
		c.follow()
	}
}

// follow goes by the machine's clock again.
func (c *Clock) follow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source == sourceHeld {
		c.base, c.off, c.source = c.own(time.Since(c.begun)), 0, sourceOwn
	}
}

// decide chooses the source. mu is held.
func (c *Clock) decide(own time.Time, mono time.Duration) {
	agreed, with, ok := c.majority(own, mono)
	if !ok && !c.settled {
		agreed, with, ok = c.others(own)
	}
	c.settled = c.settled || ok
	switch {
	case ok && with: // the others say what this machine's clock says
		c.base, c.source = own, sourceOwn
	case ok:
		if c.source != sourceDistrict || agreed.Sub(c.base).Abs() > time.Second { // do not follow jitter
			c.base = agreed
		}
		c.source = sourceDistrict
	case own.Sub(c.base).Abs() <= clockTolerance:
		c.base, c.source = own, sourceOwn
	default:
		c.source = sourceHeld
	}
	c.off = own.Sub(c.base)
}

// majority finds a time on which more than half of the district's nodes agree, and
// whether this machine's clock is among them. At least one other node must be. mu is
// held.
func (c *Clock) majority(own time.Time, mono time.Duration) (agreed time.Time, with, ok bool) {
	times := []time.Time{own}
	for peer, o := range c.opinions {
		if mono-o.at > opinionLife {
			delete(c.opinions, peer)
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
	if len(best) < 2 || 2*len(best) <= c.voters {
		return time.Time{}, false, false
	}
	return best[len(best)/2], !own.Before(best[0]) && !own.After(best[len(best)-1]), true
}

// others finds the time of the other nodes that were heard, where they agree among themselves and are a
// majority of the district with this one. Only a node that does not know yet what time it is goes by it: its own
// clock may have been set while it was away, and the district has gone on by theirs. mu is held.
func (c *Clock) others(own time.Time) (agreed time.Time, with, ok bool) {
	var times []time.Time
	for _, o := range c.opinions {
		times = append(times, o.base)
	}
	if len(times) == 0 || 2*(len(times)+1) <= c.voters {
		return time.Time{}, false, false
	}
	slices.SortFunc(times, time.Time.Compare)
	first, last := times[0], times[len(times)-1]
	return times[len(times)/2], own.Sub(first).Abs() <= clockTolerance, last.Sub(first) <= clockTolerance
}

// isSettled reports whether it is known what time it is.
func (c *Clock) isSettled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settled
}

// Trusted reports whether the time is one that this machine's clock or a majority of the
// district's says, and not one that only goes on because nobody could be asked.
func (c *Clock) Trusted() bool {
	source, _ := c.state()
	return source != sourceHeld
}

// Status is the clock as /api/v1/status shows it.
func (c *Clock) Status() wire.Clock {
	source, off := c.state()
	return wire.Clock{Source: source.String(), OffSeconds: off.Seconds()}
}

// state is the source and by how much the machine's clock is ahead of the node's time.
func (c *Clock) state() (source, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.source, c.off
}

// Sentence says what is wrong with the machine's clock; the zero value when nothing is.
func (c *Clock) Sentence() why.Sentence {
	source, off := c.state()
	by := off.Abs().Round(time.Second)
	way, other, set := "ahead", why.ClockAhead, why.ClockSetAhead
	if off < 0 {
		way, other, set = "behind", why.ClockSlow, why.ClockSetBack
	}
	switch source {
	case sourceDistrict:
		return why.Sayf("the clock of this machine is %v %s of the other nodes' clocks; times and expiries follow theirs: set it right", by, way).Because(other, by)
	case sourceHeld:
		return why.Sayf("the clock of this machine was set and is now %v %s; expiries go on by the time before, until no alert is in force or a majority of the nodes says the new time", by, way).Because(set, by)
	}
	return why.Sentence{}
}
