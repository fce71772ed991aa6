package node_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/machine"
	"almenara/node/wire"
)

// TestDistrict_DiskOfTheLeaderFillsUp fills the leader's disk with devices on it: it
// hands over and goes on warning; nothing is lost, and it catches up by itself.
func TestDistrict_DiskOfTheLeaderFillsUp(t *testing.T) {
	t.Parallel()
	var free [3]atomic.Uint64
	d := newTuned(t, 3, func(i int, o *node.Options) {
		free[i].Store(64 << 30)
		o.Space = machine.DiskOptions{Ballast: 1 << 20, FreeSpace: func(string) (uint64, uint64, error) {
			return free[i].Load(), 128 << 30, nil
		}}
	})
	here := d.estate("full")
	options := d.enrol("screen", here.Block, 3)
	full := d.leader()
	for i := range options {
		options[i].Servers, options[i].FirstServer = d.nodes[full].MQTT(), 0
	}
	fleet := d.fleet(options...)
	before := d.post(full, warning("before-full", polygon(here.Area)), "", "committed")
	fleet.proven(revisionOf(before), 3)

	free[full].Store(100 << 20)
	d.awaitOn(full, func(s wire.Status) bool {
		return s.Disk.Level == "broadcast-only" && !s.Ready && s.Role != "leader" && s.Leader != ""
	})
	still, err := d.nodes[full].Services().Status.Status(context.Background(), false)
	require.NoError(t, err)
	require.Contains(t, still.Why.Text, "only warns its devices")
	_, err = d.client(full).EnrolDevices(d.ctx(), []wire.Enrol{{ID: "late", Kind: "screen", Place: here.Block}})
	require.Equal(t, wire.KindBusy, problemOf(d, nil, err).Kind)

	sent := d.post(full, warning("while-full", polygon(here.Area)), "", "")
	fleet.proven(revisionOf(sent), 3)
	d.knowsAlone(full, sent, 3)
	other := (full + 1) % 3
	d.eventually("the others commit it", func() bool {
		a, err := d.client(other).ShowAlert(d.ctx(), sent.Alert)
		return err == nil && a.Replication == wire.ReplicationCommitted && a.Rungs.Presented == 3
	})
	now, err := d.nodes[full].Services().Status.Status(context.Background(), false)
	require.NoError(t, err)
	require.Equal(t, still.Applied, now.Applied, "the state was written on a full disk")
	require.Greater(t, now.Committed, still.Applied)

	free[full].Store(64 << 30)
	d.await(func(s wire.Status) bool { return s.Ready && s.PendingFacts == 0 && s.Disk.Level == "ample" })
	d.everywhere(sent.Alert, "counted alike", func(a wire.Alert) bool { return a.Replication == wire.ReplicationCommitted && a.Rungs.Presented == 3 })
	d.sameEverywhere()
	fleet.settle()
	require.Equal(t, []int{1, 1, 1}, fleet.starts(revisionOf(sent)))
}

// TestNode_StopsAndStartsOnAFullDisk keeps the only node of a district on a full disk
// over a restart: it warns, and what it took is committed when there is room.
func TestNode_StopsAndStartsOnAFullDisk(t *testing.T) {
	t.Parallel()
	var free atomic.Uint64
	free.Store(64 << 30)
	d := newTuned(t, 1, func(_ int, o *node.Options) {
		o.Space = machine.DiskOptions{Ballast: 1 << 20, FreeSpace: func(string) (uint64, uint64, error) {
			return free.Load(), 128 << 30, nil
		}}
	})
	here := d.estate("full-alone")
	options := d.enrol("screen", here.Block, 2)
	fleet := d.fleet(options...)
	free.Store(120 << 20)
	d.awaitOn(0, func(s wire.Status) bool { return s.Disk.Level == "broadcast-only" })
	first := d.post(0, warning("first-full", polygon(here.Area)), "", "")
	require.Equal(t, wire.ReplicationLocal, first.Replication)
	fleet.proven(revisionOf(first), 2)
	d.stop(0)
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Disk.Level == "broadcast-only" && s.InForce == 1 })
	d.knowsAlone(0, first, 2)
	second := d.post(0, warning("second-full", polygon(here.Area)), "", "")
	fleet.proven(revisionOf(second), 2)
	d.knowsAlone(0, second, 2)

	free.Store(64 << 30)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready && s.PendingFacts == 0 })
	for _, sent := range []wire.Outcome{first, second} {
		d.everywhere(sent.Alert, "committed", func(a wire.Alert) bool { return a.Replication == wire.ReplicationCommitted && a.Rungs.Presented == 2 })
		fleet.settle()
		require.Equal(t, []int{1, 1}, fleet.starts(revisionOf(sent)))
	}
}
