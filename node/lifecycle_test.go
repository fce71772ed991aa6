package node_test

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device/rules"
	"almenara/node/wire"
)

func replaces(d *district) {
	here := d.estate("updated")
	fleet := d.fleet(d.enrol("screen", here.Block, 3)...)
	amber := warning("amber-rain", polygon(here.Area))
	first := d.post(0, amber, "", "")
	fleet.proven(revisionOf(first), 3)

	second := d.post(1, amber.update("red-rain"), "", "committed")
	require.Equal(d.t, first.Alert, second.Alert)
	require.Greater(d.t, second.Revision, first.Revision)
	fleet.proven(revisionOf(second), 3)
	require.True(d.t, d.post(2, amber.update("red-rain"), "", "").Duplicate)
	require.True(d.t, d.post(2, amber, "", "").Duplicate, "an old revision that comes again is no news")
	fleet.settle()
	require.Equal(d.t, []int{1, 1, 1}, fleet.starts(revisionOf(first)))
	require.Equal(d.t, []int{1, 1, 1}, fleet.starts(revisionOf(second)))
	d.everywhere(first.Alert, "the update stands, and is counted by itself", func(a wire.Alert) bool {
		return a.Revision == second.Revision && strings.HasPrefix(a.Headline, "red-rain") && len(a.Messages) == 2 && a.Rungs.Presented == 3 &&
			a.Rungs.Cancelled == 0 && a.Messages[0].Rungs.Cancelled == 3
	})
}

func cancels(d *district) {
	here := d.estate("cancelled")
	options := d.enrol("screen", here.Block, 3)
	fleet := d.fleet(options[:2]...)
	slope := warning("slope", polygon(here.Area))
	sent := d.post(0, slope, "", "")
	fleet.proven(revisionOf(sent), 2)

	over, err := d.client(2).CancelAlert(d.ctx(), sent.Alert, wire.CancelAlert{Reason: "all\x00 clear"}, "committed")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateCancelled, over.State)
	fleet.stopped(revisionOf(sent), 2)
	for _, dev := range fleet.Devices() {
		require.Equal(d.t, rules.ReasonEnded, dev.Tally(revisionOf(sent)).Reason)
	}
	late := d.fleet(options[2])
	late.settle()
	require.Equal(d.t, []int{0}, late.starts(revisionOf(sent)))
	d.everywhere(sent.Alert, "cancelled, and who has really stopped is counted", func(a wire.Alert) bool {
		return a.State == wire.StateCancelled && a.Rungs.Presented == 2 && a.Rungs.Cancelled == 2
	})

	problem := problemOf(d, nil, second(d.client(0).CancelAlert(d.ctx(), "aaaaaaaaaaaaaaaaaaaaaaaaaa", wire.CancelAlert{}, "")))
	require.Equal(d.t, wire.KindNotFound, problem.Kind)
}

func second[T any](_ T, err error) error { return err }

func cancelWins(d *district) {
	here := d.estate("tombstone")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	unseen := warning("unseen", polygon(here.Area))
	require.Equal(d.t, wire.StateCancelled, d.post(0, unseen.cancel(), "", "committed").State)
	late := d.post(1, unseen, "", "committed")
	require.Equal(d.t, wire.StateCancelled, late.State)
	later := d.post(2, unseen.update("zombie"), "", "committed")
	require.Equal(d.t, wire.StateCancelled, later.State)
	require.Equal(d.t, late.Alert, later.Alert)

	shown := warning("shown", polygon(here.Area))
	sent := d.post(0, shown, "", "")
	fleet.proven(revisionOf(sent), 2)
	d.post(0, shown.cancel(), "", "")
	fleet.stopped(revisionOf(sent), 2)
	back := d.post(1, shown.update("back again"), "", "committed")
	require.Equal(d.t, wire.StateCancelled, back.State)

	fleet.settle()
	for _, dead := range []wire.Outcome{late, later, back} {
		require.Equal(d.t, []int{0, 0}, fleet.starts(revisionOf(dead)))
		d.everywhere(dead.Alert, "cancelled for ever", func(a wire.Alert) bool { return a.State == wire.StateCancelled })
	}
}

// keepsTime has one alert that runs out soon and one that begins soon.
func keepsTime(d *district) {
	here := d.estate("on-time")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	soon := time.Now().Truncate(time.Second).Add(4 * time.Second)
	short, later := warning("short", polygon(here.Area)), warning("later", polygon(here.Area))
	short.Expires, later.Effective = soon, soon
	ending := d.post(0, short, "", "")
	coming := d.post(1, later, "", "committed")
	require.Equal(d.t, wire.StateFuture, coming.State)
	fleet.proven(revisionOf(ending), 2)
	fleet.settle()
	if time.Now().Before(soon) { // on a machine that is not overloaded
		require.Equal(d.t, []int{0, 0}, fleet.starts(revisionOf(coming)))
	}

	fleet.stopped(revisionOf(ending), 2)
	for _, dev := range fleet.Devices() {
		require.Equal(d.t, rules.ReasonExpired, dev.Tally(revisionOf(ending)).Reason)
	}
	d.everywhere(ending.Alert, "expired, and shown no more", func(a wire.Alert) bool {
		return a.State == wire.StateExpired && a.Rungs.Presented == 2 && a.Rungs.Cancelled == 2
	})
	fleet.proven(revisionOf(coming), 2)
	began := fleet.Progress().Alerts[revisionOf(coming)].First
	require.False(d.t, began.Before(soon.Add(-100*time.Millisecond)), "began %v before %v", began, soon)
}

// recordsLate sends what ran out before it came: minutes ago, and so long ago that
// nodes need not remember it.
func recordsLate(d *district) {
	here := d.estate("late")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	for _, age := range []time.Duration{time.Hour, 90 * 24 * time.Hour} {
		old := warning("old-"+age.String(), polygon(here.Area))
		old.Sent, old.Expires = old.Sent.Add(-age-time.Hour), old.Expires.Add(-age-time.Hour)
		out := d.post(0, old, "", "committed")
		require.Equal(d.t, wire.StateExpired, out.State)
		require.True(d.t, d.post(0, old, "", "").Duplicate)
		d.everywhere(out.Alert, "on record", func(a wire.Alert) bool { return a.State == wire.StateExpired && len(a.Messages) == 1 })
		require.True(d.t, d.post(1, old, "", "").Duplicate)
		fleet.settle()
		require.Equal(d.t, []int{0, 0}, fleet.starts(revisionOf(out)))
	}
}
