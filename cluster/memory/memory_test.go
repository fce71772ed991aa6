package memory

import (
	"crypto/x509"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
)

// run starts a node's memory that began with and now holds so many entries of term 1.
func run(dir string, began, now uint64) *Memory {
	m := Open(dir, slog.New(slog.DiscardHandler))
	m.Begin(Position{Index: began, Term: 1}, func() Position { return Position{Index: now, Term: 1} })
	return m
}

func exchange(from, to *Memory, id string) {
	h := http.Header{}
	from.Tell("peer", h)
	to.Hear(id, h)
}

func TestMemory_RefusesWhoLostItsLogAndTellsIt(t *testing.T) {
	d, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := identity.New(d, nil)
	require.NoError(t, err)
	certificate := func(m *Memory) *x509.Certificate {
		fresh, err := id.Renewed(time.Now(), nil, m.Claim())
		require.NoError(t, err)
		return fresh.Cert
	}

	dir := t.TempDir()
	peer, whole := run(dir, 0, 0), run(t.TempDir(), 3, 9)
	require.False(t, peer.Knows(id.NodeID))
	exchange(whole, peer, id.NodeID)
	require.True(t, peer.Knows(id.NodeID))
	require.EqualValues(t, 9, peer.Held(id.NodeID))
	require.True(t, peer.Admits(certificate(whole)))
	peer.Save(true)

	peer, wiped := run(dir, 0, 0), run(t.TempDir(), 0, 0) // the peer's restart changes nothing
	require.False(t, peer.Admits(certificate(wiped)))
	require.True(t, peer.Lost(id.NodeID))
	require.True(t, peer.Admits(certificate(run(t.TempDir(), 9, 9))), "another run with all of it")
	require.True(t, peer.Admits(nil), "a peer without a certificate is not judged here")

	h := http.Header{}
	peer.Tell(id.NodeID, h)
	require.Contains(t, wiped.Missing("b", h), "the raft log ended at 0 when this node started, and b knows that it had 9")
	require.Empty(t, whole.Missing("b", h), "who said it has it")
	require.Empty(t, Open(t.TempDir(), slog.New(slog.DiscardHandler)).Missing("b", h), "a quarantined node claims nothing")
}

func TestMemory_FindsAMachineThatWasPutBackWhileItRan(t *testing.T) {
	now := uint64(9)
	peer, node := run(t.TempDir(), 0, 0), Open(t.TempDir(), slog.New(slog.DiscardHandler))
	node.Begin(Position{Index: 3, Term: 1}, func() Position { return Position{Index: now, Term: 1} })
	exchange(node, peer, "a")
	h := http.Header{}
	peer.Tell("a", h)
	require.Empty(t, node.Missing("b", h))
	now = 7
	require.Contains(t, node.Missing("b", h), "ended at 7 now")
}
