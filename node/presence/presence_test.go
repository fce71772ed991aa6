package presence_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/node/presence"
	"almenara/node/records/recordstest"
	"almenara/node/secret"
	"almenara/node/wire/devicehealth"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// hall is a node's presence over a record of one enrolled lift.
type hall struct {
	*presence.Presence
	log      *recordstest.Log
	now      time.Time
	believed bool
	dropped  []string
	touched  apply.Change
	token    string
	lift     storage.Device
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{now: noon, believed: true}
	clock := func() time.Time { return h.now }
	h.log = recordstest.New(t, clock)
	h.Presence = presence.New(presence.Options{
		Store: h.log.Store, Holds: func() bool { return h.believed }, Sent: func(alert.ID, alert.Revision, []uint32) {},
		Touch: func(what apply.Change) { h.touched |= what }, Drop: func(device string) { h.dropped = append(h.dropped, device) },
		Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	h.propose(t, &command.PutMembers{Members: [][]byte{audience.EncodeMember(&audience.Member{ID: "m", Kind: audience.KindScreen, Place: "d/here"})}})
	ordinal, _ := h.log.State.Index().Ordinal("m")
	token, hash := secret.New()
	h.token, h.lift = token, storage.Device{ID: "lift", Member: "m", Ordinal: ordinal, Kind: "screen", SecretHash: hash}
	h.propose(t, &command.PutDevices{Devices: []storage.Device{h.lift}})
	return h
}

func (h *hall) propose(t *testing.T, what command.Payload) {
	t.Helper()
	_, err := h.log.Propose(t.Context(), "chief", what)
	require.NoError(t, err)
}

// enter lets the lift in with its token.
func (h *hall) enter(t *testing.T) channels.Endpoint {
	t.Helper()
	e, err := h.Authenticate(t.Context(), "lift", h.token)
	require.NoError(t, err)
	h.Session(e, true)
	return e
}

func TestAuthenticate_KnowsTheCredentialAndWhetherDevicesBelieveThisNode(t *testing.T) {
	h := newHall(t)
	e := h.enter(t)
	require.Equal(t, h.lift.Ordinal, e.Member)
	require.True(t, e.Loud, "a screen is seen by everybody")
	for _, bad := range [][2]string{{"lift", "other"}, {"unheard", h.token}} {
		_, err := h.Authenticate(t.Context(), bad[0], bad[1])
		require.ErrorIs(t, err, mqtt.ErrCredential)
	}
	h.believed = false
	_, err := h.Authenticate(t.Context(), "lift", h.token)
	require.ErrorIs(t, err, mqtt.ErrUnavailable)
	h.believed = true
	h.propose(t, &command.RevokeDevice{ID: "lift"})
	_, err = h.Authenticate(t.Context(), "lift", h.token)
	require.ErrorIs(t, err, mqtt.ErrCredential)
}

func TestSession_IsSinceWhenAndWhatWasSaidLast(t *testing.T) {
	h := newHall(t)
	e := h.enter(t)
	h.State(e, contract.State{State: "ready"})
	require.Equal(t, 1, h.Count())
	require.Equal(t, 1, h.CountOf(roaring.BitmapOf(e.Member)))
	require.Zero(t, h.CountOf(roaring.New()))
	d, ok := h.Of("lift")
	require.True(t, ok)
	require.Equal(t, []any{noon, "ready"}, []any{d.Since, d.State})
	require.Zero(t, h.GoneSince("lift"))

	h.now = noon.Add(time.Minute)
	h.Session(e, false)
	require.Empty(t, h.All())
	require.Equal(t, h.now, h.GoneSince("lift"))
	h.now = noon.Add(time.Hour)
	h.Session(e, false)
	require.Equal(t, noon.Add(time.Minute), h.GoneSince("lift"), "it was gone before")
	h.enter(t)
	require.Zero(t, h.GoneSince("lift"))
	require.Zero(t, h.touched)
}

func TestSession_NoticesWhatEndedMeanwhile(t *testing.T) {
	h := newHall(t)
	e := h.enter(t)
	require.Zero(t, h.touched)
	h.believed = false
	h.Session(e, true)
	require.Equal(t, apply.ChangedKeys, h.touched)
	h.believed, h.touched = true, 0
	h.propose(t, &command.RevokeDevice{ID: "lift"})
	h.Session(e, true)
	require.Equal(t, apply.ChangedDevices, h.touched)
}

func TestChanged_DropsWhoseRecordIsAnother(t *testing.T) {
	h := newHall(t)
	h.enter(t)
	h.Changed(apply.ChangedDevices | apply.ChangedKeys)
	require.Empty(t, h.dropped, "nothing is another")
	for name, change := range map[string]func(*storage.Device){
		"revoked": func(d *storage.Device) { d.Revoked = true },
		"renewed": func(d *storage.Device) { d.SecretHash = bytes.Repeat([]byte{7}, 32) },
		"moved":   func(d *storage.Device) { d.Ordinal++ },
	} {
		h.dropped = nil
		other := h.lift
		change(&other)
		require.NoError(t, h.log.Store.Update(func(txn *storage.Txn) error { return storage.Devices.Put(txn, other) }))
		h.Changed(apply.ChangedMembers)
		require.Empty(t, h.dropped, name)
		h.Changed(apply.ChangedDevices)
		require.Equal(t, []string{"lift"}, h.dropped, name)
	}
	h.dropped, h.believed = nil, false
	h.Changed(apply.ChangedKeys)
	require.Equal(t, []string{"lift"}, h.dropped, "devices do not believe this node any more")
}

// Whom an alert reaches here is counted without a look at every device, and is what such a look would say.
func TestCounts_AreThoseOfTheDevicesThatAreConnected(t *testing.T) {
	h := newHall(t)
	connected := map[string]uint32{}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		for range 60 {
			from := channels.Endpoint{Device: fmt.Sprint("d", r.IntN(12)), Member: r.Uint32N(8)}
			up := r.IntN(3) > 0
			h.Session(from, up)
			if delete(connected, from.Device); up {
				connected[from.Device] = from.Member
			}
			asked, among, count := roaring.New(), roaring.New(), 0
			for m := range uint32(8) {
				if r.IntN(2) == 0 {
					asked.Add(m)
				}
			}
			for _, m := range connected {
				if asked.Contains(m) {
					among.Add(m)
					count++
				}
			}
			require.Equal(t, count, h.CountOf(asked), "seed %d", seed)
			require.Equal(t, among.ToArray(), h.Among(asked).ToArray(), "seed %d", seed)
		}
	}
}

func TestState_KeepsWhatTheDeviceSaidOfItself(t *testing.T) {
	h := newHall(t)
	e := h.enter(t)
	h.State(e, contract.State{State: "ready", Version: "7", Health: map[string]string{"level": "A", "sound": "blocked"}})
	d, _ := h.Of("lift")
	require.Equal(t, &devicehealth.DeviceHealth{At: noon, Version: "7", Level: "A", Sound: "blocked", Faults: []string{devicehealth.FaultSilent, devicehealth.FaultReload}}, d.Health)
	h.State(e, contract.State{State: "lost"})
	after, _ := h.Of("lift")
	require.Equal(t, d.Health, after.Health, "a will says nothing of it")
	h.Session(e, true)
	again, _ := h.Of("lift")
	require.Nil(t, again.Health, "of this connection nothing is known yet")
}
