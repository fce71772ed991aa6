package node_test

import (
	"log/slog"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels/broker/brokertest"
	"almenara/channels/device"
	"almenara/node"
	"almenara/node/external"
	"almenara/node/reachable"
	"almenara/node/wire"
)

// openDoor is a broker hook that lets everybody in.
type openDoor struct{ mochi.HookBase }

func (*openDoor) ID() string { return "open" }

func (*openDoor) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (*openDoor) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*openDoor) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// startBroker runs a general-purpose broker at the address until the returned
// function is called.
func startBroker(t *testing.T, addr string) (stop func()) {
	t.Helper()
	b := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, b.AddHook(&openDoor{}, nil))
	_, err := brokertest.Listen(b, addr)
	require.NoError(t, err)
	require.NoError(t, b.Serve())
	return func() { _ = b.Close() }
}

// Devices that are at an external broker prove what devices at the gateway prove,
// whoever leads, also when the broker was away.
func TestExternalBroker(t *testing.T) {
	t.Parallel()
	addr := freeAddr(t)
	stop := startBroker(t, addr)
	t.Cleanup(func() { stop() })
	d := newTuned(t, 3, func(_ int, o *node.Options) { o.Broker.URL = "tcp://" + addr })
	place := d.estate("brokered")
	inside, outside := d.enrol("screen", place.Block, 4), d.enrol("phone", place.Block, 4)
	for i := range outside {
		outside[i].Servers = []string{"tcp://" + addr}
	}
	crowd := d.fleet(append(inside, outside...)...)
	d.eventually("devices at the broker", func() bool {
		s, err := d.nodes[d.leader()].Services().Status.Status(d.t.Context(), false)
		return err == nil && s.Broker != nil && s.Broker.Publisher && s.Broker.Devices == len(outside)
	})
	listed, err := d.client(d.follower()).ListDevices(d.ctx(), "", 100)
	require.NoError(t, err)
	for _, dev := range listed {
		require.True(t, dev.Connected != nil && *dev.Connected, "%s is listed as connected, whichever way", dev.ID)
	}

	first := d.post(d.follower(), warning("through-a-broker", polygon(place.Area)), "", "committed")
	crowd.proven(revisionOf(first), 8)
	d.presentedEverywhere(first.Alert, 8)

	d.kill(d.leader())
	second := d.post(d.live()[0], warning("with-a-new-leader", polygon(place.Area)), "", "")
	crowd.proven(revisionOf(second), 8)
	d.presentedEverywhere(second.Alert, 8)

	stop()
	third := d.post(d.live()[0], warning("while-the-broker-is-away", polygon(place.Area)), "", "")
	stop = startBroker(t, addr)
	crowd.proven(revisionOf(third), 8)
	d.presentedEverywhere(third.Alert, 8)
	for _, out := range []wire.Outcome{first, second, third} {
		require.Zero(t, crowd.Progress().Alerts[revisionOf(out)].Twice)
	}
	ended, err := d.client(d.live()[0]).CancelAlert(d.ctx(), third.Alert, wire.CancelAlert{Reason: "over"}, "")
	require.NoError(t, err)
	require.Equal(t, third.Alert, ended.Alert)
	crowd.await("stopped", func(p device.Progress) bool { return p.Alerts[revisionOf(third)].Stopped == 8 })
}

// presentedEverywhere waits until every live node counts n members that presented it.
func (d *district) presentedEverywhere(id string, n uint64) {
	d.t.Helper()
	d.everywhere(id, "presented", func(a wire.Alert) bool { return a.Rungs.Presented == n })
}

func TestExternalBroker_RefusesWhatIsUnsafe(t *testing.T) {
	for name, e := range map[string]external.Broker{
		"no scheme":             {URL: "broker:1883"},
		"password in the URL":   {URL: "ssl://me:secret@broker:8883"},
		"password in the clear": {URL: "tcp://192.0.2.7:1883", Username: "me", Password: "secret"},
		"not a certificate":     {URL: "ssl://broker:8883", CA: []byte("certificate")},
	} {
		o := node.DefaultOptions(t.TempDir())
		o.Broker = e
		require.ErrorIs(t, o.Validate(), reachable.ErrOptions, name)
	}
	o := node.DefaultOptions(t.TempDir())
	o.Broker = external.Broker{URL: "tcp://127.0.0.1:1883", Username: "me", Password: "secret"}
	require.NoError(t, o.Validate())
}
