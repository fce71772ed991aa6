package peers

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// node is one node's peers in a district of a, b and c.
func node(self, dir string, servers *[]raft.Server, change ...func(*Options)) *Peers {
	o := Options{
		Self: self, Advertise: self + ".example:1", Dir: dir, Version: 2,
		Servers: func() []raft.Server { return *servers }, Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	return Open(o)
}

func district() *[]raft.Server {
	return &[]raft.Server{{ID: "a", Address: "a.example:1"}, {ID: "b", Address: "b.example:1"}, {ID: "c", Address: "c.example:1"}}
}

func said(p *Peers) http.Header {
	h := http.Header{}
	p.Tell(h)
	return h
}

func TestPeers_DialWhereANodeSaysThatItIsAndPassItOn(t *testing.T) {
	servers, dir := district(), t.TempDir()
	var moved []string
	a := node("a", dir, servers, func(o *Options) {
		o.Moved = func(id, addr string) { moved = append(moved, id+" "+addr) }
		o.Address = func(string) (string, bool) { return "record.example:1", true }
	})
	require.Equal(t, []string{"record.example:1", "b.example:1"}, a.Addresses("b"))
	b := node("b", t.TempDir(), servers, func(o *Options) { o.Advertise = "elsewhere.example:1" })
	require.True(t, b.HasMoved())
	a.Hear("b", said(b))
	a.Hear("b", said(b))
	require.Equal(t, []string{"b elsewhere.example:1"}, moved, "told once")
	require.Equal(t, []string{"elsewhere.example:1", "record.example:1", "b.example:1"}, a.Addresses("b"))

	c := node("c", t.TempDir(), servers)
	c.Hear("a", said(a))
	require.Equal(t, []string{"b.example:1", "elsewhere.example:1"}, c.Addresses("b"), "what a node says of another is tried last")
	require.NotContains(t, said(c).Get(movedHeader), "b=", "and is never passed on again")

	a.Save()
	addr, ok := node("a", dir, servers).Resolve("b")
	require.True(t, ok)
	require.Equal(t, "elsewhere.example:1", addr, "also after a restart")
}

func TestPeers_CountWithWhatTheySaidLast(t *testing.T) {
	servers, dir := district(), t.TempDir()
	a := node("a", dir, servers, func(o *Options) {
		o.Recorded = func(id string) uint64 { return map[string]uint64{"c": 2}[id] }
	})
	require.Empty(t, a.OlderThan(1))
	require.Equal(t, []string{"b"}, a.OlderThan(2), "c said so when it was admitted")
	require.Equal(t, []string{"a", "b", "c"}, a.OlderThan(3))
	a.Hear("b", http.Header{})
	require.EqualValues(t, 1, a.VersionOf("b"), "older software says nothing")
	a.Hear("b", said(node("b", t.TempDir(), servers)))
	require.Empty(t, a.OlderThan(2))
	a.Save()
	require.EqualValues(t, 2, node("a", dir, servers).VersionOf("b"), "a restart does not make it old")
}

func TestPeers_ForgetWhoLeft(t *testing.T) {
	servers := district()
	a := node("a", t.TempDir(), servers)
	a.Keep()
	a.Hear("b", said(node("b", t.TempDir(), servers)))
	a.Answered("b")
	require.True(t, a.Reachable("b") && a.Reachable("a"))
	require.Equal(t, "b", a.Holder("b.example:1", "c"))
	*servers = (*servers)[:1]
	a.Keep()
	require.True(t, a.Gone("b"))
	require.Zero(t, a.LastHeard("b"))
	require.Zero(t, a.VersionOf("b"))
	require.Empty(t, a.Announced("b"))
	*servers = *district()
	a.Keep()
	require.False(t, a.Gone("b"), "it is back")
}
