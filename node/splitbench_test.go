//go:build splitbench

package node_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/wire"
)

// What scripts/splitbench.sh asks for.
var (
	benchDevices = flag.Int("splitbench.devices", 1000, "connected devices")
	benchAlerts  = flag.Int("splitbench.alerts", 20, "emergencies sent without a majority")
	benchKills   = flag.Int("splitbench.kills", 100, "leaders killed")
)

// row prints one line of the table: what was measured, how often, and the target.
func row(what string, took []time.Duration, target string) {
	slices.Sort(took)
	at := func(q float64) time.Duration {
		return took[min(int(q*float64(len(took))), len(took)-1)].Round(time.Millisecond)
	}
	fmt.Printf("%-48s %5d  %8v %8v %8v  %s\n", what, len(took), at(0.5), at(0.99), took[len(took)-1].Round(time.Millisecond), target)
}

// One node of three is left. How long from the beginning of the request, with which
// an emergency is accepted, until the last device has shown it.
func TestSplitbench_AloneToTheLastDevice(t *testing.T) {
	d := newDistrict(t, 3)
	here := d.estate("bench")
	devices := d.enrol("screen", here.Block, *benchDevices)
	for i := range devices {
		devices[i].Servers = d.nodes[0].MQTT()
	}
	fleet := d.fleet(devices...)
	d.stop(1)
	d.kill(2)
	d.awaitOn(0, func(s wire.Status) bool { return !s.Quorum })
	var took []time.Duration
	for i := range *benchAlerts {
		begun := time.Now()
		out := d.post(0, warning(fmt.Sprint("bench-", i), polygon(here.Area)), "", "")
		r := revisionOf(out)
		fleet.await("all have started", func(p device.Progress) bool { return p.Alerts[r].Started == *benchDevices })
		took = append(took, fleet.Progress().Alerts[r].Last.Sub(begun))
		fleet.proven(r, *benchDevices)
		require.Zero(t, fleet.Progress().Alerts[r].Twice)
	}
	row(fmt.Sprintf("accepted alone -> last of %d devices", *benchDevices), took, "< 200ms")
}

// How long after its leader ended without handing over a district commits again. The
// process is one, so that what is measured is the election, not the operating system.
func TestSplitbench_LeaderKilledToTheNextCommit(t *testing.T) {
	d := newDistrict(t, 3)
	here := d.estate("bench")
	var took []time.Duration
	for range *benchKills {
		leader := d.leader()
		other := (leader + 1) % 3
		c := d.client(other)
		begun := time.Now()
		d.kill(leader)
		for {
			err := c.PutPlaces(d.ctx(), []wire.Place{{Path: here.Block, Lat: &here.Lat, Lon: &here.Lon}})
			if err == nil {
				break
			}
			require.Less(t, time.Since(begun), patience, "%v", err)
		}
		took = append(took, time.Since(begun))
		d.start(leader)
		d.await(func(s wire.Status) bool { return s.Ready })
	}
	row("leader ended -> next commit", took, "p50 < 700ms, p99 < 1.2s")
}
