package node_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/secret"
	"almenara/node/wire"
)

// One request enrols as many devices as one entry of the log holds: of more it enrols none, so
// that no secret is lost with a second entry, and nobody is left to guess which were enrolled.
func TestEnrol_MoreThan500DevicesEnrolNobody(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	place := d.estate("many").Block
	var in []wire.Enrol
	for i := range 501 {
		in = append(in, wire.Enrol{ID: fmt.Sprintf("screen-%03d", i), Kind: "screen", Place: place})
	}
	_, err := d.client(0).EnrolDevices(d.ctx(), in)
	require.Equal(t, wire.KindMalformed, answer(err))
	require.ErrorContains(t, err, "from 1 to 500 devices, not 501; nothing was enrolled")
	require.Empty(t, d.enrolled(), "nobody was enrolled")
	selected, err := d.client(0).Select(d.ctx(), "kind = screen", "", 1)
	require.NoError(t, err)
	require.Zero(t, selected.Counts.Total, "and no member was made for a device")

	enrolled, err := d.client(0).EnrolDevices(d.ctx(), in[:500])
	require.NoError(t, err)
	require.Len(t, enrolled, 500)
	require.Len(t, d.enrolled(), 500)
}

// enrolled lists the ids of all devices, 1,000 at most.
func (d *district) enrolled() (ids []string) {
	d.t.Helper()
	page, err := d.client(0).ListDevices(d.ctx(), "", 1000)
	require.NoError(d.t, err)
	for _, device := range page {
		ids = append(ids, device.ID)
	}
	return ids
}

// A kind that nobody has and a place that is not in the district are slips, wherever they are typed.
func TestPlacesAndKinds_ThatCannotBeMeantAreRefused(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("meant")
	for says, enrol := range map[string]wire.Enrol{
		"device lift-1: the kind sreen is none that the district has": {ID: "lift-1", Kind: "sreen", Place: here.Block},
		"the place elsewhere/x is not in the district":                {ID: "lift-1", Kind: "screen", Place: "elsewhere/x"},
	} {
		_, err := d.client(0).EnrolDevices(d.ctx(), []wire.Enrol{enrol})
		p := problemOf(d, nil, err)
		require.Equal(t, wire.KindRefused, p.Kind)
		require.Contains(t, p.Sentence, says)
	}
	_, err := d.client(0).EnrolDevices(d.ctx(), []wire.Enrol{{ID: "wall-1", Kind: "led-wall", Place: here.Block, NewKind: true}})
	require.NoError(t, err, "a kind that is meant")
	_, err = d.client(0).EnrolDevices(d.ctx(), []wire.Enrol{{ID: "wall-2", Kind: "led-wall", Place: here.Block}})
	require.NoError(t, err, "one of the district's from then on")
	_, err = d.client(0).AddUser(d.ctx(), wire.AddUser{Name: "warden", Roles: []string{"composer"}, Places: []string{here.Path, "elsewhere/x"}})
	require.Contains(t, problemOf(d, nil, err).Sentence, "the place elsewhere/x is not in the district")
	d.user(wire.AddUser{Name: "warden", Roles: []string{"composer"}, Places: []string{here.Path + "/not-yet"}})
}

// A member is removed by its id, and never in silence where a device would be left that no alert
// reaches.
func TestRemoveMember_NamesDevicesThatWouldBeLeft(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("removed-from")
	d.enrol("screen", here.Block, 1)
	all := func() wire.Selected {
		found, err := d.client(0).Consistent().Select(d.ctx(), "place under "+here.Path, "", 0)
		require.NoError(t, err)
		return found
	}
	id := all().Members[0].ID
	_, err := d.client(0).RemoveMember(d.ctx(), id, false)
	p := problemOf(d, nil, err)
	require.Equal(t, wire.KindConflict, p.Kind)
	require.Equal(t, []string{id}, p.Details)
	require.EqualValues(t, 1, all().Counts.Total, "nothing was changed")
	out, err := d.client(0).RemoveMember(d.ctx(), id, true)
	require.NoError(t, err)
	require.Equal(t, wire.RemovedMember{Member: id, Orphaned: 1, OrphanedFirst: []string{id}}, out)
	require.Zero(t, all().Counts.Total)
	_, err = d.client(0).RemoveMember(d.ctx(), id, true)
	require.Equal(t, wire.KindNotFound, problemOf(d, nil, err).Kind)
	d.audited("members remove")
}

// A device that made its own secret gives a verifier of it: the secret is in no answer, and lets it in.
// The same verifier again is no second device, and another one is refused as long as the first is not
// to be replaced, which cuts it off.
func TestEnrol_WithAVerifierTheSecretIsTheDevicesAlone(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	place := d.estate("own").Block
	enrol := func(secretText string, rotate bool) ([]wire.Enrolled, error) {
		return d.client(0).EnrolDevices(d.ctx(), []wire.Enrol{{
			ID: "lift-own", Kind: "screen", Place: place, Rotate: rotate, Verifier: base64.RawURLEncoding.EncodeToString(secret.Hash(secretText)),
		}})
	}
	given, err := enrol("the device's own secret", false)
	require.NoError(t, err)
	require.Empty(t, given[0].Secret)
	require.NotEmpty(t, given[0].RootKey)
	o := device.Options{ID: "lift-own", Secret: "the device's own secret"}
	p := d.plainDevice(o, 0)
	_, err = enrol("the device's own secret", false)
	require.NoError(t, err, "an answer that was lost is asked for again")
	require.True(t, p.IsConnected(), "and cuts nobody off")
	_, err = enrol("another one", false)
	require.Equal(t, wire.KindConflict, answer(err))
	began := time.Now()
	_, err = enrol("another one", true)
	require.NoError(t, err)
	d.eventually("the device that was replaced is out", func() bool { return !p.IsConnected() })
	require.Less(t, time.Since(began), time.Second)
	require.True(t, d.refuses(o, 0))
	d.plainDevice(device.Options{ID: "lift-own", Secret: "another one"}, 0)

	for _, verifier := range []string{"short", "c2hv", base64.RawURLEncoding.EncodeToString(make([]byte, 33)), base64.URLEncoding.EncodeToString(make([]byte, 32))} {
		_, err = d.client(0).EnrolDevices(d.ctx(), []wire.Enrol{{ID: "lift-x", Kind: "screen", Place: place, Verifier: verifier}})
		require.Equal(t, wire.KindMalformed, answer(err), verifier)
	}
	require.NotContains(t, d.enrolled(), "lift-x")
}
