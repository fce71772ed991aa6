package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/wire"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	for _, c := range []struct {
		name string
		run  func(*district)
	}{
		{"a wrong clock or offset is overcome and told", slipsAreOvercome},
		{"what cannot be meant is refused", wildTimesAreRefused},
		{"a planned notice waits", plansWait},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(d.in(t)) })
	}
}

// off is a warning whose sender's clock is off by that; it names no effective.
func off(name, area string, by time.Duration) bulletin {
	b := warning(name, polygon(area))
	b.Sent, b.Expires = b.Sent.Add(by), b.Expires.Add(max(by, 0))
	return b
}

func slipsAreOvercome(d *district) {
	here := d.estate("slips")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	for name, c := range map[string]struct {
		by   time.Duration
		says string
	}{
		"minutes-ahead": {3 * time.Minute, "ahead of this node's clock"},
		"offset-ahead":  {8 * time.Hour, "looks like a wrong time zone offset"},
		"half-behind":   {-330 * time.Minute, "about 5 h 30 min, which looks like a wrong time zone offset"},
	} {
		flood := off("slip-"+name, here.Area, c.by)
		out := d.post(0, flood, "", "")
		require.Equal(d.t, wire.StateInForce, out.State, name)
		require.Contains(d.t, strings.Join(out.Warnings.Texts(), "\n"), c.says, name)
		fleet.proven(revisionOf(out), 1)
		again := flood.update("again")
		again.Sent = time.Now().Truncate(time.Second) // somebody has set the clock
		next := d.post(0, again, "", "")
		require.Equal(d.t, wire.StateInForce, next.State, name)
		over := again.cancel()
		over.Sent, over.References = again.Sent, []bulletin{flood, again}
		d.post(0, over, "", "")
		fleet.await("all stopped", func(p device.Progress) bool { return len(fleet.Devices()[0].Presenting()) == 0 })
	}
}

func wildTimesAreRefused(d *district) {
	here := d.estate("wild")
	nothing := warning("nothing", polygon(here.Area))
	nothing.Sent = time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC)
	last := nothing.cancel()
	last.Sent = nothing.Sent.Add(time.Hour)
	stale := off("stale", here.Area, -2*365*24*time.Hour)
	stale.Expires = time.Now().Add(time.Hour)
	late := warning("planned-too-far", polygon(here.Area))
	late.Effective, late.Expires = late.Sent.Add(40*24*time.Hour), late.Sent.Add(41*24*time.Hour)
	ofLater := last
	ofLater.Sent = time.Now().Truncate(time.Second)
	for _, c := range []struct {
		of   bulletin
		says string
	}{
		{last, "the most that is taken is a day"},
		{nothing, "the most that is taken is a day"},
		{off("two-days", here.Area, 50*time.Hour), "2 days ahead"},
		{stale, "nothing is in force longer than 31 days"},
		{late, "more than 31 days ahead"},
		{ofLater, "no such message is known here"},
	} {
		p := d.refused(0, c.of, "")
		require.Equal(d.t, wire.KindRefused, p.Kind)
		require.Contains(d.t, p.Sentence, c.says)
		_, err := d.client(0).ShowAlert(d.ctx(), c.of.id())
		require.Equal(d.t, wire.KindNotFound, problemOf(d, nil, err).Kind)
	}
	forEver := warning("for-ever", polygon(here.Area))
	forEver.Expires = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	out := d.post(0, forEver, "", "")
	require.Contains(d.t, strings.Join(out.Warnings.Texts(), "\n"), "is held to that")
	a, err := d.client(0).ShowAlert(d.ctx(), out.Alert)
	require.NoError(d.t, err)
	require.WithinDuration(d.t, time.Now().Add(31*24*time.Hour), a.Expires, time.Minute)
}

func plansWait(d *district) {
	here := d.estate("plans")
	planned := warning("planned", polygon(here.Area))
	planned.Effective, planned.Expires = planned.Sent.Add(24*time.Hour), planned.Sent.Add(25*time.Hour)
	require.Equal(d.t, wire.StateFuture, d.post(0, planned, "", "").State)
}
