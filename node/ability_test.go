package node_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire/able"
)

// A device is tested by whichever node it is connected to, and any node tells what it came to, also after a
// restart.
func TestAbility_IsOfTheDistrict(t *testing.T) {
	t.Parallel()
	links := newWires()
	d := newTuned(t, 3, func(_ int, o *node.Options) { o.Dial = links.lay(o.Internode) })
	people := d.staff()
	here := d.estate("tested")
	screens := d.enrol("screen", here.Block, 4)
	for i := range screens[:3] {
		screens[i].Servers = d.nodes[1+i%2].MQTT()
	}
	d.fleet(screens[:3]...)
	duty := d.clientWith(0, people.duty)

	one, err := duty.TestDevice(d.ctx(), screens[0].ID)
	require.NoError(t, err)
	require.Equal(t, []any{able.DevicePassed, d.nodes[1].ID(), []string{"display"}}, []any{one.Stands, one.Node, one.Exercised})
	found, err := duty.IdentifyDevice(d.ctx(), screens[1].ID)
	require.NoError(t, err)
	require.Equal(t, able.DevicePassed, found.Stands)
	_, err = duty.TestDevice(d.ctx(), screens[3].ID)
	require.ErrorContains(t, err, "connected to no node")

	d.eventually("three are tested", func() bool { // unless it is night, and they are being tested already
		begun, err := duty.TestDevices(d.ctx(), able.TestDevices{Places: []string{here.Path}})
		return err == nil && begun.Devices == 3
	})
	d.eventually("all three have passed", func() bool {
		able, err := duty.Ability(d.ctx(), here.Path)
		return err == nil && able.Passed == 3 && able.Devices == 4
	})
	d.stop(1)
	d.start(1)
	d.eventually("they are back, and what was found out is known", func() bool {
		able, err := duty.Ability(d.ctx(), here.Path)
		return err == nil && able.Passed == 3 && len(able.Unanswered) == 0
	})

	// A real emergency is nothing to test beside.
	sent, err := duty.SendAlert(d.ctx(), byJSON("fire", "place under "+here.Path), "committed")
	require.NoError(t, err)
	_, err = duty.TestDevices(d.ctx(), able.TestDevices{})
	require.ErrorContains(t, err, "an emergency is in force")
	d.eventually("it is shown", func() bool {
		shown, err := duty.ShowAlert(d.ctx(), sent.Alert)
		return err == nil && shown.Rungs.Presented == 3
	})
	busy, err := duty.TestDevice(d.ctx(), screens[0].ID)
	require.NoError(t, err)
	require.Equal(t, able.DeviceBusy, busy.Stands)

	links.isolate(d.opts[2].Internode)
	able, err := duty.Ability(d.ctx(), here.Path)
	require.NoError(t, err)
	require.Equal(t, []string{d.nodes[2].ID()}, able.Unanswered)
	require.Less(t, time.Since(able.Made), time.Minute)
}
