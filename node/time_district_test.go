package node_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
)

// setClock is a machine's clock that somebody sets.
type setClock struct{ ahead atomic.Int64 }

func (c *setClock) now() time.Time { return time.Now().Round(0).Add(time.Duration(c.ahead.Load())) }

// TestDistrict_ClockOfOneNodeJumps sets one node's clock an hour ahead and back, running
// and over a restart: no alert ends early, none comes back, and the node says so.
func TestDistrict_ClockOfOneNodeJumps(t *testing.T) {
	t.Parallel()
	var clocks [3]setClock
	d := newTuned(t, 3, func(i int, o *node.Options) { o.Clock = clocks[i].now })
	here := d.estate("clock")
	options := d.enrol("screen", here.Block, 2)
	wrong := d.follower()
	for i := range options {
		options[i].Servers = d.nodes[wrong].MQTT()
	}
	fleet := d.fleet(options...)
	live := warning("live-clock", polygon(here.Area))
	live.Expires = time.Now().Add(30 * time.Minute)
	sent := d.post(wrong, live, "", "committed")
	short := warning("short-clock", polygon(here.Area))
	short.Expires = time.Now().Add(3 * time.Second)
	dead := d.post(wrong, short, "", "committed")
	fleet.proven(revisionOf(sent), 2)
	fleet.stopped(revisionOf(dead), 2)

	told := func(off float64) {
		d.awaitOn(wrong, func(s wire.Status) bool {
			return s.Clock.Source == "district" && s.Clock.OffSeconds > off-5 && s.Clock.OffSeconds < off+5 && len(s.Warnings) > 0
		})
		for id, state := range map[string]wire.State{sent.Alert: wire.StateInForce, dead.Alert: wire.StateExpired} {
			d.eventually("the node goes by the district's time, within the seconds that it may be off", func() bool {
				a, err := d.client(wrong).ShowAlert(d.ctx(), id)
				return err == nil && a.State == state
			})
		}
	}
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		clocks[wrong].ahead.Store(int64(jump))
		told(jump.Seconds())
		d.stop(wrong)
		d.start(wrong)
		told(jump.Seconds())
		fleet.settle()
		require.Equal(t, []int{1, 1}, fleet.starts(revisionOf(sent)))
		require.Equal(t, []int{1, 1}, fleet.starts(revisionOf(dead)))
		for _, dev := range fleet.Devices() {
			require.Zero(t, dev.Tally(revisionOf(sent)).Stops, "it ended early")
		}
		clocks[wrong].ahead.Store(0)
		d.awaitOn(wrong, func(s wire.Status) bool { return s.Clock.Source == "own" })
	}
	d.everywhere(sent.Alert, "in force", func(a wire.Alert) bool { return a.State == wire.StateInForce })
	d.sameEverywhere()
}

// TestJoin_WithAClockThatIsOff: a box whose clock is an hour ahead or behind joins, goes by
// the district's time, and its devices show what is sent there and at the others.
func TestJoin_WithAClockThatIsOff(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			t.Parallel()
			const wrong = 2
			d := newTuned(t, 3, func(i int, o *node.Options) {
				if i == wrong {
					o.Clock = func() time.Time { return time.Now().Round(0).Add(off) }
				}
			})
			here := d.estate("clocks")
			options := d.enrol("screen", here.Block, 2)
			options[0].Servers, options[1].Servers = d.nodes[0].MQTT(), d.nodes[wrong].MQTT()
			fleet := d.fleet(options...)
			d.awaitOn(wrong, func(s wire.Status) bool { return s.Clock.Source == "district" && len(s.Warnings) > 0 })
			for _, from := range []int{0, wrong} {
				live := warning(fmt.Sprintf("from-%d", from), polygon(here.Area))
				live.Expires = time.Now().Add(30 * time.Minute)
				sent := d.post(from, live, "", "committed")
				fleet.proven(revisionOf(sent), 2)
				d.everywhere(sent.Alert, "in force", func(a wire.Alert) bool { return a.State == wire.StateInForce })
			}
		})
	}
}
