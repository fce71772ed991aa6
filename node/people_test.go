package node_test

import (
	"fmt"
	"path/filepath"
	"strings"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node"
	"almenara/node/authority"
	"almenara/node/client"
	"almenara/node/wire"
)

// user adds one and waits until every node knows the token.
func (d *district) user(in wire.AddUser) (token string) {
	d.t.Helper()
	u := agreed(d, func() (wire.User, error) { return d.client(0).AddUser(d.ctx(), in) })
	for _, i := range d.live() {
		d.eventually("token known", func() bool {
			_, err := d.nodes[i].Services().Identifier.Identify(d.t.Context(), u.Token)
			return err == nil
		})
	}
	return u.Token
}

func keepsSendersApart(d *district) {
	here := d.estate("senders")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	token := d.user(wire.AddUser{Name: "police", Roles: []string{authority.RoleComposer}, Senders: []string{"police@example.hk"}})
	weather := warning("weather", polygon(here.Area))
	sent := d.post(0, weather, "", "committed")
	fleet.proven(revisionOf(sent), 1)

	crime := warning("crime", polygon(here.Area))
	crime.Sender = "police@example.hk"
	forged, stolen, hushed := warning("forged", polygon(here.Area)), weather.update("stolen"), weather.cancel()
	stolen.Sender, hushed.Sender = crime.Sender, crime.Sender
	for i := range d.nodes {
		for _, b := range []bulletin{forged, stolen, hushed} {
			out, err := d.clientWith(i, token).TakeCAP(d.ctx(), b.xml(), "", "")
			require.Equal(d.t, wire.KindForbidden, problemOf(d, out, err).Kind, b.Identifier)
		}
		out, err := d.clientWith(i, token).CancelAlert(d.ctx(), sent.Alert, wire.CancelAlert{}, "")
		require.Equal(d.t, wire.KindForbidden, problemOf(d, out, err).Kind)
	}
	d.unknown(forged.id())

	own, err := d.clientWith(1, token).TakeCAP(d.ctx(), crime.xml(), "", "")
	require.NoError(d.t, err)
	fleet.proven(revisionOf(own), 1)
	over, err := d.clientWith(2, token).CancelAlert(d.ctx(), own.Alert, wire.CancelAlert{}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateCancelled, over.State)
	fleet.stopped(revisionOf(own), 1)
	written, err := d.clientWith(2, token).SendAlert(d.ctx(), byJSON("by hand", "place under "+here.Path), "")
	require.NoError(d.t, err)
	require.Contains(d.t, written.Key, crime.Sender)
	require.Contains(d.t, fleet.Devices()[0].Presenting(), sent.Alert)
}

// showsChanges uses what was changed where it was changed, at once, and enrols where
// the member may not have arrived yet.
func showsChanges(d *district) {
	for n := range 6 {
		i := n % len(d.nodes)
		u, err := d.client(i).AddUser(d.ctx(), wire.AddUser{Name: fmt.Sprintf("at-once-%d", n), Roles: []string{authority.RoleViewer}})
		require.NoError(d.t, err)
		_, err = d.clientWith(i, u.Token).Status(d.ctx(), false)
		require.NoError(d.t, err)
		place := fmt.Sprintf("tuen-mun/at-once/block-%d", n)
		_, err = d.client(i).EnrolDevices(d.ctx(), []wire.Enrol{{ID: u.Name, Kind: "screen", Place: place}})
		require.NoError(d.t, err)
		found, err := d.client(i).Select(d.ctx(), "place under "+place, "", 0)
		require.NoError(d.t, err)
		require.EqualValues(d.t, 1, found.Counts.Total)

		csv := fmt.Sprintf("id,name,kind,place,tags,languages,lat,lon,endpoints\nimported-%d,A,phone,%s,,,,,\n", n, place)
		in, err := d.client(i).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv)})
		require.NoError(d.t, err)
		require.True(d.t, in.Applied)
		other := d.client((i + 1) % len(d.nodes))
		_, err = other.EnrolDevices(d.ctx(), []wire.Enrol{{ID: fmt.Sprintf("imported-%d", n)}})
		require.NoError(d.t, err, "a member that another node has just taken")
	}
}

func forgetsTokens(d *district) {
	token := d.user(wire.AddUser{Name: "temp", Roles: []string{authority.RoleViewer}})
	out, err := d.clientWith(1, token).SendAlert(d.ctx(), byJSON("no role", "all"), "")
	require.Equal(d.t, wire.KindForbidden, problemOf(d, out, err).Kind)
	require.NoError(d.t, d.client(2).RevokeUser(d.ctx(), "temp"))
	for i := range d.nodes {
		d.eventually("token refused", func() bool {
			_, err := d.clientWith(i, token).Status(d.t.Context(), false)
			return err != nil && problemOf(d, nil, err).Kind == wire.KindUnauthenticated
		})
	}
}

// dropsDevices revokes one device that is connected and enrols another anew: the old
// secret opens nothing any more, on any node.
func dropsDevices(d *district) {
	here := d.estate("dropped")
	options := d.enrol("screen", here.Block, 3)
	fleet := d.fleet(options...)
	require.NoError(d.t, d.client(1).RevokeDevice(d.ctx(), options[0].ID))
	renewed := d.enrolAll([]wire.Enrol{{ID: options[1].ID, Rotate: true}})
	fleet.await("two are out", func(p device.Progress) bool { return p.Connected == 1 })
	for i := range d.nodes {
		for _, o := range options[:2] {
			d.eventually("refused", func() bool { return d.refuses(o, i) })
		}
		d.eventually("renewed", func() bool { return !d.refuses(renewed[0], i) })
	}
	sent := d.post(0, warning("dropped", polygon(here.Area)), "", "")
	fleet.proven(revisionOf(sent), 1)
	require.Equal(d.t, []int{0, 0, 1}, fleet.starts(revisionOf(sent)))
}

// refuses reports whether node i refuses the device's credential.
func (d *district) refuses(o device.Options, i int) bool {
	d.t.Helper()
	if err := d.connects(o, i); err != nil {
		require.ErrorIs(d.t, err, packets.ErrorRefusedBadUsernameOrPassword)
		return true
	}
	return false
}

// connects tries whether node i lets the device in.
func (d *district) connects(o device.Options, i int) error {
	d.t.Helper()
	c := mqtt.NewClient(d.mqttOptions(o, i))
	token := c.Connect()
	require.True(d.t, token.WaitTimeout(patience))
	defer c.Disconnect(0)
	return token.Error()
}

func takesTokenOnce(d *district) {
	o := d.options()
	err := node.Join(d.ctx(), o, d.used)
	require.ErrorContains(d.t, err, "the token is used or has expired")
	require.NoFileExists(d.t, filepath.Join(o.Dir, "node.json"))
	invited, err := d.client(0).Invite(d.ctx(), wire.Invite{Minutes: -1})
	require.Equal(d.t, wire.KindMalformed, problemOf(d, invited, err).Kind)
}
