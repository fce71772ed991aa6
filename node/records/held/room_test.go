package held

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/records/recordstest"
	"almenara/node/secret"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

func tooMany(t *testing.T, err error, says string) {
	t.Helper()
	var problem *wire.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, wire.KindOverBudget, problem.Kind)
	require.Contains(t, problem.Sentence, says)
}

// Whoever lets devices into one block enrols no more there than everybody else can bear, under whichever members.
func TestAttack_DevicesOfAnEstateAreBounded(t *testing.T) {
	log := recordstest.New(t, time.Now)
	_, hash := secret.New()
	put := func(id, place string, n int) {
		_, err := log.Propose(t.Context(), "amy", &command.PutMembers{Members: [][]byte{audience.EncodeMember(&audience.Member{ID: id, Kind: audience.KindScreen, Place: audience.Path(place)})}})
		require.NoError(t, err)
		for n > 0 {
			var some []storage.Device
			for ; n > 0 && len(some) < command.MaxMembers/2; n-- {
				some = append(some, storage.Device{ID: fmt.Sprintf("%s-%d", id, n), Member: id, Kind: "screen", SecretHash: hash})
			}
			_, err := log.Propose(t.Context(), "amy", &command.PutDevices{Devices: some})
			require.NoError(t, err)
		}
	}
	put("mine", "tm/a/b1", mostDevices-2)
	put("theirs", "tm/b/b1", 1)
	fit := func(by authority.Caller, in ...wire.Enrol) error {
		return log.Store.View(func(txn *storage.Txn) error { return DevicesFit(txn, by, log.State.Index(), in) })
	}
	eve := authority.Caller{Name: "eve", Roles: []string{authority.RoleDeviceManager}, Places: []string{"tm/a/b1"}}
	three := []wire.Enrol{{ID: "x", Member: "mine"}, {ID: "y", Place: "tm/a/b1"}, {ID: "z", Place: "tm/a/b1/lift"}}
	tooMany(t, fit(eve, three...), "tm/a would have more than 10000 devices")
	require.NoError(t, fit(eve, three[:2]...))
	require.NoError(t, fit(eve, wire.Enrol{ID: "mine-1", Rotate: true}, three[0], three[1]), "that is enrolled already")
	require.NoError(t, fit(authority.Caller{Name: "amy"}, three...), "who is limited to no place may")
	require.NoError(t, fit(authority.Caller{Name: "bob", Places: []string{"tm/b"}}, wire.Enrol{ID: "x", Place: "tm/b"}), "another estate has room of its own")
	_, err := log.Propose(t.Context(), "amy", &command.RevokeDevice{ID: "mine-1"})
	require.NoError(t, err)
	require.NoError(t, fit(eve, three...), "one that was revoked makes room")
}

func TestAttack_MembersAndPlacesOfAnEstateAreBounded(t *testing.T) {
	index := lookup.New()
	for i := range mostInEstate - 1 {
		index.Put(uint32(i), &audience.Member{ID: fmt.Sprint(i), Kind: audience.KindPerson, Place: "tm/a/b1"})
	}
	eve := authority.Caller{Name: "eve", Roles: []string{authority.RoleAudienceManager}, Places: []string{"tm/a/b2"}}
	require.NoError(t, MembersFit(eve, index, Added{"tm/a": 1}, 1))
	tooMany(t, MembersFit(eve, index, Added{"tm/a": 2}, 2), "tm/a would have more than 50000 members")
	require.NoError(t, MembersFit(authority.Caller{Name: "amy"}, index, Added{"tm/a": 2}, 2))
	tooMany(t, MembersFit(authority.Caller{Name: "amy"}, index, nil, mostMembers), "the district would have more than 2000000 members")

	in := make([]audience.Place, mostOfPlaces)
	for i := range in {
		in[i].Path = audience.Path(fmt.Sprintf("tm/a/b2/%d", i))
		index.PutPlace(in[i])
	}
	more := audience.Place{Path: "tm/a/b2"}
	tooMany(t, PlacesFit(eve, index, []audience.Place{more}), "tm/a would have more than 5000 places")
	require.NoError(t, PlacesFit(eve, index, in), "what is there may be put again")
	require.NoError(t, PlacesFit(authority.Caller{Name: "amy"}, index, []audience.Place{more}))
}
