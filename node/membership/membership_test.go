package membership_test

import (
	"context"
	"encoding/hex"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/cluster/joining"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/node/authority"
	"almenara/node/keyring"
	"almenara/node/membership"
	"almenara/node/records"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
	"almenara/storage/noderecord"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// group is a raft group on paper.
type group struct {
	peers   []peers.Peer
	removed []string
	refuse  error // of Remove
	first   error // of Removable
	old     error // of Understands
	caught  int   // how often it was waited for what was agreed
	cutOff  error // of Linearizable
}

func (g *group) Status() cluster.Status                    { return cluster.Status{Peers: g.peers} }
func (g *group) Removable(context.Context, string) error   { return g.first }
func (g *group) Linearizable(context.Context) error        { g.caught++; return g.cutOff }
func (g *group) Understands(context.Context, uint64) error { return g.old }
func (g *group) Invite(context.Context, time.Duration) (identity.Token, error) {
	return identity.Token{}, nil
}

func (g *group) Remove(_ context.Context, id string) error {
	if g.refuse != nil {
		return g.refuse
	}
	g.removed = append(g.removed, id)
	return nil
}

// town is the membership of a district with this node and another, both with votes.
type town struct {
	*membership.Membership
	log      *recordstest.Log
	ring     *keyring.Ring
	group    *group
	district *identity.District
	own      noderecord.Node
	isolated bool
}

func newTown(t *testing.T) *town {
	t.Helper()
	d, err := identity.NewDistrict("tuen-mun")
	require.NoError(t, err)
	own, err := identity.New(d, []string{"127.0.0.1:8470"})
	require.NoError(t, err)
	w := &town{log: recordstest.New(t, clock), district: d, own: noderecord.Node{
		ID: own.NodeID, Name: "n1", Internode: "127.0.0.1:8470", KeyID: own.KeyID, PublicKey: own.SigningPublic(),
	}}
	w.ring = keyring.New(keyring.Options{Identity: own, Name: "n1", Store: w.log.Store, Proposer: w.log, Clock: clock})
	w.Membership = membership.New(membership.Options{
		ID: own.NodeID, Name: "n1", Store: w.log.Store, Ring: w.ring, Proposer: w.log, Self: func() noderecord.Node { return w.own },
		Isolated: func() bool { return w.isolated }, Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	w.group = &group{peers: []peers.Peer{{ID: own.NodeID, Voter: true}, {ID: "other", Voter: true}}}
	return w
}

// request is a new node with an invitation that is on record.
func (w *town) request(t *testing.T) joining.Request {
	t.Helper()
	id, err := identity.New(w.district, []string{"127.0.0.1:8471"})
	require.NoError(t, err)
	hash := make([]byte, 32)
	copy(hash, id.NodeID)
	require.NoError(t, w.Invited(t.Context(), hex.EncodeToString(hash), noon.Add(time.Hour)))
	return joining.Request{
		NodeID: id.NodeID, TokenHash: hex.EncodeToString(hash), SigningKey: id.SigningPublic(), KeyID: id.KeyID, Proven: true,
		Addrs: []string{"127.0.0.1:8471"}, Version: command.Max(),
	}
}

func TestAdmit_PutsTheKeyInTheRingFirst(t *testing.T) {
	w := newTown(t)
	early, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.Admit(early, joining.Request{}), outcome.ErrBusy, "before this node is whole")
	w.Connect(w.group)

	req := w.request(t)
	require.NoError(t, w.Admit(t.Context(), req))
	_, ring, err := w.ring.Read()
	require.NoError(t, err)
	require.Equal(t, req.NodeID, ring.Keys[0].Node)
	addr, ok := w.AddressOf(req.NodeID)
	require.True(t, ok)
	require.Equal(t, "127.0.0.1:8471", addr)
	require.Equal(t, command.Max(), w.RecordedVersion(req.NodeID))
	require.Equal(t, []string{req.NodeID}, w.Former())
	w.isolated = true
	require.Empty(t, w.Former(), "a drill speaks to nobody")

	other := w.request(t)
	other.TokenHash = req.TokenHash
	require.ErrorIs(t, w.Admit(t.Context(), other), outcome.ErrRefused, "an invitation is for one node")
	other.TokenHash = hex.EncodeToString(make([]byte, 32))
	require.ErrorIs(t, w.Admit(t.Context(), other), outcome.ErrRefused)
	_, ok = w.AddressOf(other.NodeID)
	require.False(t, ok)
}

func TestAdmit_RecordsNoVersionThatOthersCannotRead(t *testing.T) {
	w := newTown(t)
	w.Connect(w.group)
	w.group.old = outcome.ErrBusy
	req := w.request(t)
	require.NoError(t, w.Admit(t.Context(), req))
	require.Zero(t, w.RecordedVersion(req.NodeID))
	w.group.old = nil
	req = w.request(t)
	req.Version = records.NodeVersionSince - 1
	require.NoError(t, w.Admit(t.Context(), req))
	require.Zero(t, w.RecordedVersion(req.NodeID))
}

func TestRemoveNode_TakesTheKeyBeforeTheVote(t *testing.T) {
	w := newTown(t)
	w.Connect(w.group)
	by := authority.Caller{Name: "chief"}
	req := w.request(t)
	require.NoError(t, w.Admit(t.Context(), req))
	w.group.peers = append(w.group.peers, peers.Peer{ID: req.NodeID, Voter: true})

	w.group.first = outcome.ErrRefused
	require.ErrorIs(t, w.RemoveNode(t.Context(), by, req.NodeID), outcome.ErrRefused)
	_, ring, err := w.ring.Read()
	require.NoError(t, err)
	require.Len(t, ring.Keys, 1, "nothing was changed")

	w.group.first, w.group.refuse = nil, outcome.ErrRefused
	var p *wire.Problem
	require.ErrorAs(t, w.RemoveNode(t.Context(), by, req.NodeID), &p)
	require.Equal(t, wire.KindBusy, p.Kind, "it is agreed, and will be finished")
	_, ring, err = w.ring.Read()
	require.NoError(t, err)
	require.Empty(t, ring.Keys)
	require.Error(t, w.FinishRemovals(t.Context()))
	w.group.refuse = nil
	require.NoError(t, w.FinishRemovals(t.Context()))
	require.Equal(t, []string{req.NodeID}, w.group.removed)
}

func TestRemoveNode_RefusesTheLastThatVotes(t *testing.T) {
	w := newTown(t)
	w.Connect(w.group)
	require.NoError(t, w.Announce(t.Context()))
	w.group.peers = []peers.Peer{{ID: w.own.ID, Voter: true}, {ID: "other"}}
	require.ErrorContains(t, w.RemoveNode(t.Context(), authority.Caller{}, w.own.ID), "the only node that votes")
	require.Empty(t, w.group.removed)
}

func TestInvite_IsForAWeekAtMost(t *testing.T) {
	w := newTown(t)
	w.Connect(w.group)
	for minutes, ends := range map[int]time.Duration{0: time.Hour, 5: 5 * time.Minute, 7 * 24 * 60: 7 * 24 * time.Hour} {
		out, err := w.Invite(t.Context(), authority.Caller{}, wire.Invite{Minutes: minutes})
		require.NoError(t, err)
		require.Equal(t, noon.Add(ends), out.Expires)
	}
	for _, minutes := range []int{-1, 7*24*60 + 1} {
		_, err := w.Invite(t.Context(), authority.Caller{}, wire.Invite{Minutes: minutes})
		require.Error(t, err)
	}
}

func TestAnnounce_SaysWhatHasChanged(t *testing.T) {
	w := newTown(t)
	w.Connect(w.group)
	require.NoError(t, w.Announce(t.Context()))
	said := w.log.Index()
	require.NoError(t, w.Announce(t.Context()))
	require.Equal(t, said, w.log.Index())
	w.own.API = "http://127.0.0.1:8480"
	require.NoError(t, w.Announce(t.Context()))
	require.Equal(t, said+1, w.log.Index())
	require.Equal(t, 2, w.group.caught, "who has not caught up would say it again and again")
}

// A node that has just joined, or is behind, does not know who there is: that nobody of the name is
// known is said only by one that knows all that is agreed.
func TestRemoveNode_IsNotFoundOnlyWhereAllIsKnown(t *testing.T) {
	w := newTown(t)
	w.Connect(w.group)
	w.group.cutOff = outcome.ErrNoLeader
	require.ErrorIs(t, w.RemoveNode(t.Context(), authority.Caller{Name: "amy"}, "n9"), outcome.ErrNoLeader)
	var p *wire.Problem
	w.group.cutOff = nil
	require.ErrorAs(t, w.RemoveNode(t.Context(), authority.Caller{Name: "amy"}, "n9"), &p)
	require.Equal(t, wire.KindNotFound, p.Kind, p.Sentence)
}
