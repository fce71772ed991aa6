package command

import (
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/noderecord"
	"almenara/storage/rights"
)

func signed(t *testing.T, kind fact.Kind) fact.Signed {
	t.Helper()
	s, err := fact.Sign(fact.Fact{Kind: kind, Stream: fact.Alerts, Origin: "n1", Epoch: 1, Seq: 1}, "k", ed25519.NewKeyFromSeed(make([]byte, 32)))
	require.NoError(t, err)
	return s
}

// drill makes this build speak only versions up to max, as the linker would.
func drill(t *testing.T, max string) {
	t.Helper()
	limit = max
	t.Cleanup(func() { limit = "" })
}

func TestVersion_IsTheLowestThatCarriesThePayload(t *testing.T) {
	for name, c := range map[string]struct {
		payload Payload
		want    uint64
	}{
		"old payload":              {&RevokeDevice{ID: "d"}, 1},
		"old facts":                {&AdoptFacts{Facts: []fact.Signed{signed(t, fact.KindAlert), signed(t, fact.KindRefusal)}}, 1},
		"one new fact":             {&AdoptFacts{Facts: []fact.Signed{signed(t, fact.KindAlert), signed(t, fact.KindApproval)}}, 2},
		"alone":                    {&AdoptFacts{Facts: []fact.Signed{signed(t, fact.KindAlone)}}, 2},
		"what is no fact":          {&AdoptFacts{Facts: []fact.Signed{{Canonical: []byte("?")}}}, 1},
		"a user's rights":          {&PutUser{User: storage.User{Name: "a"}, Change: true}, 7},
		"a scenario that was read": {&PutScenario{Scenario: rights.Scenario{ID: "a", Title: "a", Lifetime: 1}, Was: make([]byte, rights.RevisionBytes)}, 15},
		"scenario as before":       {&PutScenario{Scenario: rights.Scenario{ID: "a", Title: "a", Lifetime: 1}}, 2},
		"a search of before":       {&EraseTraces{Pseudonym: "erased-abcdefghijklmnop"}, 12},
		"a search of answers":      {&EraseTraces{Pseudonym: "erased-abcdefghijklmnop", Answers: true}, 16},
		"user as before":           {&PutUser{User: storage.User{Name: "a"}}, 1},
		"node as before":           {&PutNode{Node: noderecord.Node{ID: "a"}}, 1},
		"node's version":           {&PutNode{Node: noderecord.Node{ID: "a", Version: 3}}, 3},
		"fact of kind nil":         {&AdoptFacts{Facts: []fact.Signed{signed(t, 0)}}, 1},
	} {
		require.Equal(t, c.want, VersionOf(c.payload), name)
		raw, err := Command{Payload: c.payload}.Encode()
		require.NoError(t, err, name)
		require.Equal(t, c.want, EntryVersion(raw), name)
		back, err := Decode(raw)
		require.NoError(t, err, name)
		require.Equal(t, c.want, back.Version, name)
	}
	require.EqualValues(t, 1, EntryVersion([]byte("no entry")))
	require.EqualValues(t, 1, EntryVersion(nil))
}

func TestVersion_AFactOfAKindThatOnlyNewerSoftwareKnowsIsNotProposed(t *testing.T) {
	_, err := Command{Payload: &AdoptFacts{Facts: []fact.Signed{signed(t, 20)}}}.Encode()
	require.ErrorIs(t, err, ErrUnknownVersion)
}

func TestVersion_ABuildForADrillIsOldSoftware(t *testing.T) {
	newer, err := Command{Payload: &AdoptFacts{Facts: []fact.Signed{signed(t, fact.KindApproval)}}}.Encode()
	require.NoError(t, err)
	older, err := Command{Payload: &RevokeDevice{ID: "d"}}.Encode()
	require.NoError(t, err)
	drill(t, "1")
	require.EqualValues(t, 1, Max())
	_, err = Decode(newer)
	require.ErrorIs(t, err, ErrUnknownVersion, "it must stop")
	_, err = Decode(older)
	require.NoError(t, err)
	_, err = Command{Payload: &AdoptFacts{Facts: []fact.Signed{signed(t, fact.KindApproval)}}}.Encode()
	require.ErrorIs(t, err, ErrUnknownVersion)
	for _, wrong := range []string{"0", "99", "x"} {
		drill(t, wrong)
		require.EqualValues(t, Newest, Max(), wrong)
	}
}
