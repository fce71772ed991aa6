package external

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/cluster/apply"
	"almenara/node/reachable"
	"almenara/node/records/recordstest"
	"almenara/node/wire/devicehealth"
	"almenara/storage"
)

func TestBroker_SaysWhatIsUnsafe(t *testing.T) {
	require.NoError(t, Broker{}.Validate(), "none")
	require.NoError(t, Broker{URL: "tcp://192.0.2.7:1883"}.Validate(), "nothing secret goes over it")
	for url, safe := range map[string]bool{"tcp://192.0.2.7:1883": false, "tcp://localhost:1883": true, "ssl://192.0.2.7:8883": true, "wss://b:443": true, "ws://b:80": false, "b:1": false} {
		err := Broker{URL: url, Username: "me", Password: "secret"}.Validate()
		require.Equal(t, safe, err == nil, url)
		require.True(t, safe || errors.Is(err, reachable.ErrOptions), url)
	}
}

func TestLink_OfNoBrokerReachesNobody(t *testing.T) {
	l, err := Open(Options{})
	require.NoError(t, err)
	require.Nil(t, l)
	l.Run(t.Context())
	l.Changed(apply.ChangedAll)
	require.Nil(t, l.Status())
	require.Empty(t, l.Present())
	require.Zero(t, l.Reaching(roaring.BitmapOf(1)))
	require.Len(t, l.Outlets(nil), 1)
}

func TestDirectory_IsReadAnewWhenDevicesChange(t *testing.T) {
	log := recordstest.New(t, time.Now)
	put := func(d storage.Device) {
		require.NoError(t, log.Store.Update(func(txn *storage.Txn) error { return storage.Devices.Put(txn, d) }))
	}
	put(storage.Device{ID: "lift", Ordinal: 3, Kind: "screen"})
	put(storage.Device{ID: "old", Ordinal: 3, Kind: "screen", Revoked: true})
	l, err := Open(Options{
		Broker: Broker{URL: "tcp://127.0.0.1:1"}, Node: "n1", Store: log.Store, Present: func(device string) bool { return device == "lift" },
		Receipts: struct{ channels.Receipts }{}, Elected: func() bool { return false }, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	require.NoError(t, err)
	d := l.directory
	devices := func() (ids []string) {
		for e := range d.Devices(roaring.BitmapOf(3, 4)) {
			ids = append(ids, e.Device)
		}
		slices.Sort(ids)
		return ids
	}
	require.Equal(t, []string{"lift"}, devices(), "who was revoked is not reached")
	e, ok := d.Endpoint("lift")
	require.True(t, ok)
	require.Equal(t, channels.Endpoint{Device: "lift", Member: 3, Kind: "screen", Loud: true}, e)
	_, ok = d.Endpoint("old")
	require.False(t, ok)
	require.True(t, d.Here("lift"))

	put(storage.Device{ID: "hall", Ordinal: 4, Kind: "speaker"})
	l.Changed(apply.ChangedNodes)
	require.Equal(t, []string{"lift"}, devices(), "nothing of devices has changed")
	l.Changed(apply.ChangedDevices)
	require.Equal(t, []string{"hall", "lift"}, devices())
}

func TestSaid_IsTheLastWordOfWhoIsEnrolled(t *testing.T) {
	now := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	s := &said{clock: func() time.Time { return now }, of: map[string]*devicehealth.DeviceHealth{}}
	require.Nil(t, s.last("lift-1"))
	s.hear("lift-1", contract.State{State: contract.StateReady, Health: map[string]string{"display": "covered"}})
	s.hear("lift-1", contract.State{State: contract.StateLost})
	require.Equal(t, []string{devicehealth.FaultUnseen}, s.last("lift-1").Faults, "a will says nothing of it")
	s.hear("lift-2", contract.State{State: contract.StateReady})
	s.forget(func(device string) bool { return device == "lift-2" })
	require.Nil(t, s.last("lift-1"))
	require.NotNil(t, s.last("lift-2"))
}
