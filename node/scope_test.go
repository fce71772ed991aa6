package node_test

import (
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
	"almenara/node/wire"
)

func drills(d *district) {
	here := d.estate("drill")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	drill := warning("drill", polygon(here.Area))
	drill.Status = "Exercise"
	sent := d.post(0, drill, "", "")
	fleet.proven(revisionOf(sent), 1)
	require.Equal(d.t, rules.Look{Tier: contract.TierDrill, Sound: "drill"}, fleet.look(sent))

	real := d.post(0, warning("no-drill", polygon(here.Area)), "", "")
	fleet.proven(revisionOf(real), 1)
	require.Equal(d.t, rules.Look{Tier: contract.TierEmergency, Sound: "siren"}, fleet.look(real))
}

// look is how the first device presented it.
func (f *fleet) look(o wire.Outcome) rules.Look {
	f.d.t.Helper()
	for _, e := range f.Devices()[0].Log() {
		if e.What == device.Started && e.Alert == o.Alert {
			return e.Look
		}
	}
	require.Fail(f.d.t, "it was never presented")
	return rules.Look{}
}

func tests(d *district) {
	here := d.estate("test")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	test := warning("test", polygon(here.Area))
	test.Status = "Test"
	sent := d.post(0, test, "", "")
	fleet.await("verified", func(p device.Progress) bool { return p.Alerts[revisionOf(sent)].Verified == 2 })
	fleet.settle()
	require.Equal(d.t, []int{0, 0}, fleet.starts(revisionOf(sent)))
	d.everywhere(sent.Alert, "verified, not presented", func(a wire.Alert) bool {
		return a.Rungs.Verified == 2 && a.Rungs.Presented == 0
	})
}

func keepsInside(d *district) {
	here := d.estate("inside")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	for _, status := range []string{"System", "Draft"} {
		b := warning("inside-"+status, polygon(here.Area))
		b.Status = status
		sent := d.post(0, b, "", "committed")
		require.Equal(d.t, wire.StateRecorded, sent.State)
		fleet.settle()
		require.NotContains(d.t, fleet.Devices()[0].Record(), revisionOf(sent), "no body reached the device")
		d.everywhere(sent.Alert, "on record", func(a wire.Alert) bool { return a.Status == status && a.Rungs.Delivered == 0 })
	}
}

func keepsPrivate(d *district) {
	here := d.estate("private")
	phones, walls := d.fleet(d.enrol("phone", here.Block, 2)...), d.fleet(
		append(d.enrol("screen", here.Block, 1), d.enrol("speaker", here.Block, 1)...)...)
	named := phones.Devices()[0].ID()
	secret := warning("secret", polygon(here.Area))
	secret.Scope, secret.Addresses = "Private", named+" "+walls.Devices()[0].ID()
	sent := d.post(0, secret, "", "committed")
	require.EqualValues(d.t, 1, sent.Addressed.Total)
	phones.proven(revisionOf(sent), 1)
	phones.settle()
	walls.settle()
	require.Equal(d.t, []int{1, 0}, phones.starts(revisionOf(sent)))
	require.Equal(d.t, []int{0, 0}, walls.starts(revisionOf(sent)))
}

func keepsRestricted(d *district) {
	here := d.estate("restricted")
	phones, walls := d.fleet(d.enrol("phone", here.Block, 2)...), d.fleet(d.enrol("screen", here.Block, 1)...)
	wardens := warning("wardens", polygon(here.Area))
	wardens.Scope, wardens.Restriction = "Restricted", "wardens only"
	problem := d.refused(0, wardens, "")
	require.Equal(d.t, wire.KindRefused, problem.Kind)
	require.Contains(d.t, problem.Sentence, "scope Restricted needs a selection")
	d.unknown(wardens.id())

	sent := d.post(0, wardens, "place under "+here.Path, "committed")
	require.EqualValues(d.t, 2, sent.Addressed.Total)
	phones.proven(revisionOf(sent), 2)
	walls.settle()
	require.Equal(d.t, []int{0}, walls.starts(revisionOf(sent)))
}

// unknown asserts that no node has anything of the alert.
func (d *district) unknown(id string) {
	d.t.Helper()
	for i := range d.nodes {
		_, err := d.client(i).ShowAlert(d.ctx(), id)
		require.Equal(d.t, wire.KindNotFound, problemOf(d, nil, err).Kind)
	}
}

// tellsDrillsApart lets a drill name a real alert: it must not touch it.
func tellsDrillsApart(d *district) {
	here := d.estate("drill-apart")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	fire := warning("real-fire", polygon(here.Area))
	sent := d.post(0, fire, "", "")
	fleet.proven(revisionOf(sent), 1)
	drill := fire.cancel()
	drill.Status = "Exercise"
	require.Equal(d.t, wire.StateRecorded, d.post(1, drill, "", "committed").State, "it ends nothing")
	stray := warning("never-seen", "").cancel()
	stray.Status = "Exercise"
	require.Equal(d.t, wire.StateRecorded, d.post(1, stray, "", "").State)
	stray.Identifier, stray.MsgType, stray.Area = "stray-update", "Update", polygon(here.Area)
	require.Equal(d.t, wire.StateRecorded, d.post(1, stray, "", "").State)
	fleet.settle()
	require.Contains(d.t, fleet.Devices()[0].Presenting(), sent.Alert)
	d.everywhere(sent.Alert, "in force", func(a wire.Alert) bool { return a.State == wire.StateInForce })
}

// followsDrills cancels a drill, and then it is real: an Actual Update of the drill starts
// on the devices that heard of the drill's end.
func followsDrills(d *district) {
	here := d.estate("drill-then-real")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	drill := warning("drill-first", polygon(here.Area))
	drill.Status = "Exercise"
	sent := d.post(0, drill, "", "committed")
	fleet.proven(revisionOf(sent), 2)
	over, err := d.client(1).CancelAlert(d.ctx(), sent.Alert, wire.CancelAlert{}, "committed")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateCancelled, over.State)
	fleet.stopped(revisionOf(sent), 2)
	serious := drill.update("this is no drill")
	serious.Status = "Actual"
	out := d.post(2, serious, "", "committed")
	fleet.proven(revisionOf(out), 2)
	fleet.settle()
	require.Equal(d.t, []int{1, 1}, fleet.starts(revisionOf(sent)), "the drill itself never comes back")
}
