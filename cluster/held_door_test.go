package cluster

import (
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// claiming is the identity with a certificate of a run that began with so many entries.
func claiming(t *testing.T, id *Identity, run string, index uint64) *Identity {
	t.Helper()
	fresh, err := id.renewed(time.Now(), nil, logStart{Run: run, logPosition: logPosition{Index: index, Term: 1}})
	require.NoError(t, err)
	return fresh
}

// door is a port with raft's stream over it.
func door(t *testing.T, id func() *Identity, remembers func(*peerConn) bool) *stream {
	t.Helper()
	p, err := newPort("127.0.0.1:0", id, (&net.Dialer{}).DialContext, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	p.start()
	t.Cleanup(func() { require.NoError(t, p.close()) })
	return &stream{p.services[protoRaft], p, p.listener.Addr(), func(string) bool { return true }, remembers}
}

// Raft hears nobody who began with less than it has had, at either end of a connection,
// and everybody else: also who runs on since long ago, and who claims nothing.
func TestStream_IsShutForWhoLostItsLog(t *testing.T) {
	a, b := twoNodes(t)
	c := &Cluster{}
	c.logs.init()
	c.logs.hear(b.NodeID, logClaim{Start: logStart{Run: "first"}, Now: logPosition{Index: 7, Term: 1}})
	here := door(t, func() *Identity { return a }, c.remembers)
	peer := b
	there := door(t, func() *Identity { return peer }, func(*peerConn) bool { return true })
	heard := make(chan net.Conn)
	for _, s := range []*stream{here, there} {
		go func() {
			for {
				conn, err := s.Accept()
				if err != nil {
					return
				}
				if s == here {
					heard <- conn
				}
			}
		}()
	}
	to := func(s *stream, id *Identity) raft.ServerAddress {
		return raft.ServerAddress(id.NodeID + "@" + s.Addr().String())
	}
	for _, ok := range []*Identity{b, claiming(t, b, "first", 0), claiming(t, b, "second", 7), claiming(t, b, "second", 9)} {
		peer = ok
		conn, err := here.Dial(to(there, b), time.Second)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		conn, err = there.Dial(to(here, a), time.Second)
		require.NoError(t, err)
		require.NoError(t, (<-heard).Close())
		require.NoError(t, conn.Close())
	}
	peer = claiming(t, b, "wiped", 0)
	_, err := here.Dial(to(there, b), time.Second)
	require.ErrorIs(t, err, errLogLost)
	conn, err := there.Dial(to(here, a), time.Second)
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = conn.Read(make([]byte, 1)) // hung up on, and not given to raft
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the door is open")
	require.True(t, c.logs.behind(b.NodeID))
}
