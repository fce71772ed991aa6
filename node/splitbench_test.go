//go:build splitbench

package node_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// What scripts/splitbench.sh asks for.
var (
	benchDevices = flag.Int("splitbench.devices", 1000, "devices of the island")
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
