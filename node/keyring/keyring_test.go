package keyring

import (
	"crypto/ed25519"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/node/records/recordstest"
	"almenara/storage/noderecord"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// newRing is the ring of one node of a district with a log of its own.
func newRing(t *testing.T, d *identity.District) (*Ring, *recordstest.Log, noderecord.Node) {
	t.Helper()
	id, err := identity.New(d, []string{"127.0.0.1:8470"})
	require.NoError(t, err)
	log := recordstest.New(t, clock)
	own := noderecord.Node{ID: id.NodeID, Name: "n1", Internode: "127.0.0.1:8470", KeyID: id.KeyID, PublicKey: id.SigningPublic()}
	return New(Options{Identity: id, Name: "n1", Store: log.Store, Proposer: log, Clock: clock, Logger: slog.New(slog.DiscardHandler)}), log, own
}

func newDistrict(t *testing.T) *identity.District {
	t.Helper()
	d, err := identity.NewDistrict("tuen-mun")
	require.NoError(t, err)
	return d
}

func TestKeep_SignsWhenTheNodesAreOthers(t *testing.T) {
	d := newDistrict(t)
	r, log, own := newRing(t, d)
	require.NoError(t, r.Reread())
	require.False(t, r.Holds())
	require.Empty(t, r.Signed())

	_, _, first := newRing(t, d)
	_, err := log.Propose(t.Context(), "n1", &command.PutNode{Node: first})
	require.NoError(t, err)
	require.NoError(t, r.Keep(t.Context()))
	require.NoError(t, r.Reread())
	require.False(t, r.Holds(), "the ring is of others")
	require.NotEmpty(t, r.Signed())
	_, err = log.Propose(t.Context(), "n1", &command.RemoveNode{ID: first.ID})
	require.NoError(t, err)

	_, err = log.Propose(t.Context(), "n1", &command.PutNode{Node: own})
	require.NoError(t, err)
	require.NoError(t, r.Keep(t.Context()))
	require.False(t, r.Holds(), "it is read when it is said to have changed")
	require.NoError(t, r.Reread())
	require.True(t, r.Holds())
	opened, err := contract.OpenKeyRing(d.RootPublic(), r.Signed())
	require.NoError(t, err)
	require.Equal(t, own.KeyID, opened.Keys[0].ID)

	before := log.Index()
	require.NoError(t, r.Keep(t.Context()))
	require.Equal(t, before, log.Index(), "what is signed already is not signed again")
	_, err = log.Propose(t.Context(), "n1", &command.RemoveNode{ID: own.ID})
	require.NoError(t, err)
	require.NoError(t, r.Keep(t.Context()))
	require.NoError(t, r.Reread())
	require.False(t, r.Holds(), "a node that was removed is believed no more")
}

func TestKey_IsOfTheNodeThatSigned(t *testing.T) {
	d := newDistrict(t)
	r, log, own := newRing(t, d)
	key, ok := r.Key(own.KeyID, own.ID)
	require.True(t, ok, "its own, before anything is on record")
	require.Equal(t, own.PublicKey, []byte(key))

	other, err := identity.New(d, []string{"127.0.0.1:8471"})
	require.NoError(t, err)
	_, ok = r.Key(other.KeyID, other.NodeID)
	require.False(t, ok)
	_, err = log.Propose(t.Context(), "n1", &command.PutNode{Node: noderecord.Node{
		ID: other.NodeID, Name: "n2", Internode: "127.0.0.1:8471", KeyID: other.KeyID, PublicKey: other.SigningPublic(),
	}})
	require.NoError(t, err)
	key, ok = r.Key(other.KeyID, other.NodeID)
	require.True(t, ok)
	require.Equal(t, other.SigningPublic(), key)
	_, ok = r.Key(own.KeyID, other.NodeID)
	require.False(t, ok, "a node signs with its own key only")
	_, ok = r.Key(other.KeyID, own.ID)
	require.False(t, ok, "a key speaks for its own node only")
}

func TestLearn_BelievesTheRootKeyOnly(t *testing.T) {
	d := newDistrict(t)
	before, log, own := newRing(t, d)
	_, err := log.Propose(t.Context(), "n1", &command.PutNode{Node: own})
	require.NoError(t, err)
	require.NoError(t, before.Keep(t.Context()))

	after, _, _ := newRing(t, d)
	require.NoError(t, after.Learn(nil))
	_, ok := after.Key(own.KeyID, own.ID)
	require.False(t, ok)
	require.NoError(t, after.Learn(before.Signed()))
	_, ok = after.Key(own.KeyID, own.ID)
	require.True(t, ok, "of a node that is on no record here")

	stranger, _, _ := newRing(t, newDistrict(t))
	require.Error(t, stranger.Learn(before.Signed()))
	copied := *d
	copied.ID = "another"
	drill, _, _ := newRing(t, &copied)
	require.ErrorContains(t, drill.Learn(before.Signed()), "of another district")
}

func TestForDevices_NamesAllNodesItselfFirst(t *testing.T) {
	d := newDistrict(t)
	r, log, own := newRing(t, d)
	_, _, other := newRing(t, d)
	_, _, gone := newRing(t, d)
	own.MQTT, other.MQTT, gone.MQTT = []string{"tcp://before:1883"}, []string{"tcp://other:1883"}, []string{"tcp://gone:1883"}
	for _, node := range []noderecord.Node{own, other, gone} {
		_, err := log.Propose(t.Context(), "n1", &command.PutNode{Node: node})
		require.NoError(t, err)
	}
	_, err := log.Propose(t.Context(), "n1", &command.RemoveNode{ID: gone.ID})
	require.NoError(t, err)
	servers, root, ca := r.ForDevices([]string{"tcp://now:1883"})
	require.Equal(t, []string{"tcp://now:1883", "tcp://other:1883"}, servers, "where it is now, not where it was")
	require.NotEmpty(t, root)
	require.Contains(t, ca, "BEGIN CERTIFICATE")
}

func TestRingOf_RenewsKeysBeforeTheyEnd(t *testing.T) {
	public := ed25519.PublicKey(make([]byte, ed25519.PublicKeySize))
	nodes := []noderecord.Node{{ID: "a", KeyID: "ka", PublicKey: public}, {ID: "b", KeyID: "kb", PublicKey: public, Removed: true}}
	first := ringOf(nodes, nil, noon)
	require.Len(t, first, 1, "a node that was removed has no key")
	require.Equal(t, noon.Add(keyLife).UnixMilli(), first[0].NotAfter)
	soon := noon.Add(keyLife - keyRenewal - time.Hour)
	require.True(t, sameKey(first[0], ringOf(nodes, first, soon)[0]), "a ring that need not change does not")
	late := noon.Add(keyLife - keyRenewal + time.Hour)
	renewed := ringOf(nodes, first, late)
	require.Equal(t, late.Add(keyLife).UnixMilli(), renewed[0].NotAfter)
	require.Equal(t, first[0].NotBefore, renewed[0].NotBefore)
}
