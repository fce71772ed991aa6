package node_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/wire"
)

// TestDistrict_LosesNodes tells the stories of a district whose nodes come and go.
func TestDistrict_LosesNodes(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	for _, story := range []struct {
		name string
		tell func(*district)
	}{
		{"does not repeat itself after a restart", restarts},
		{"keeps what a killed leader took", losesLeader},
		{"warns without a majority and makes up for it", worksAlone},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(d.in(t)) })
	}
}

// TestNode_LeavesNothingRunning starts and stops a node twice in this process.
func TestNode_LeavesNothingRunning(t *testing.T) {
	d := newDistrict(t, 1)
	d.stop(0)
	before := runtime.NumGoroutine()
	d.start(0)
	f := d.fleet(d.enrol("screen", "tuen-mun/block-1", 2)...)
	out, err := d.client(0).SendAlert(d.ctx(), byJSON("hello", "all"), "committed")
	require.NoError(t, err)
	f.proven(revisionOf(out), 2)
	f.Stop()
	d.stop(0)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, patience, 20*time.Millisecond,
		"%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func restarts(d *district) {
	here := d.estate("restarted")
	options := d.enrol("screen", here.Block, 7)
	fleet := d.fleet(options[:6]...)
	flood := warning("restarted-flood", polygon(here.Area))
	sent := d.post(0, flood, "", "committed")
	fleet.proven(revisionOf(sent), 6)
	over := d.post(1, warning("over", polygon(here.Area)), "", "committed")
	fleet.proven(revisionOf(over), 6)
	_, err := d.client(2).CancelAlert(d.ctx(), over.Alert, wire.CancelAlert{}, "committed")
	require.NoError(d.t, err)
	fleet.stopped(revisionOf(over), 6)

	for i := range d.nodes {
		d.stop(i)
		fleet.await("all roam", func(p device.Progress) bool { return p.Connected == 6 })
		d.start(i)
		d.awaitOn(i, func(s wire.Status) bool { return s.Ready && s.InForce > 0 })
		fleet.settle()
		require.True(d.t, d.post(i, flood, "", "").Duplicate)
	}
	require.Equal(d.t, []int{1, 1, 1, 1, 1, 1}, fleet.starts(revisionOf(sent)))
	require.Equal(d.t, []int{1, 1, 1, 1, 1, 1}, fleet.starts(revisionOf(over)))

	options[6].Servers = d.nodes[0].MQTT() // a device that was never switched on, and one restarted node
	late := d.fleet(options[6])
	late.proven(revisionOf(sent), 1)
	late.settle()
	require.Equal(d.t, []int{0}, late.starts(revisionOf(over)))
	d.everywhere(sent.Alert, "all counted", func(a wire.Alert) bool { return a.Rungs.Presented == 7 && a.Addressed.Total == 7 })
}

// losesLeader kills the leader in the moment in which it has answered.
func losesLeader(d *district) {
	here := d.estate("killed")
	fleet := d.fleet(d.enrol("screen", here.Block, 4)...)
	leader := d.leader()
	quake := warning("quake", polygon(here.Area))
	sent := d.post(leader, quake, "", "local")
	d.kill(leader)
	d.leader() // the others go on

	d.start(leader)
	fleet.proven(revisionOf(sent), 4)
	d.await(func(s wire.Status) bool { return s.Ready })
	fleet.settle()
	require.Equal(d.t, []int{1, 1, 1, 1}, fleet.starts(revisionOf(sent)))
	d.everywhere(sent.Alert, "adopted once, equal everywhere", func(a wire.Alert) bool {
		return a.Replication == wire.ReplicationCommitted && len(a.Messages) == 1 && a.Addressed.Total == 4 && a.Rungs.Presented == 4
	})
	require.Equal(d.t, 1, d.adoptions(sent))
	d.sameEverywhere()
}
