package internode

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/cluster/memory"
)

// claiming is the identity with a certificate of a run that began with so many entries.
func claiming(t *testing.T, id *identity.Identity, run string, index uint64) *identity.Identity {
	t.Helper()
	fresh, err := id.Renewed(time.Now(), nil, &url.URL{Scheme: "almenara", Host: "log", Path: fmt.Sprintf("/%s/%d/1", run, index)})
	require.NoError(t, err)
	return fresh
}

// door is a port with raft's stream over it.
func door(t *testing.T, id func() *identity.Identity, remembers func(*x509.Certificate) bool) *Stream {
	t.Helper()
	p, err := NewPort(portFor(id))
	require.NoError(t, err)
	p.Start()
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	connect := func(ctx context.Context, id, addr string) (*Conn, error) {
		return p.Dial(ctx, id, addr, identity.ProtoRaft)
	}
	return NewStream(p, p.Addr().String(), connect, func(string) bool { return true }, remembers)
}

// Raft hears nobody who began with less than it has had, at either end of a connection,
// and everybody else: also who runs on since long ago, and who claims nothing.
func TestStream_IsShutForWhoLostItsLog(t *testing.T) {
	a, b := twoNodes(t)
	known := memory.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	known.Hear(b.NodeID, http.Header{"Almenara-Log-Held": {`{"start":{"run":"first"},"now":{"index":7,"term":1}}`}})
	here := door(t, func() *identity.Identity { return a }, known.Admits)
	peer := b
	there := door(t, func() *identity.Identity { return peer }, func(*x509.Certificate) bool { return true })
	heard := make(chan net.Conn)
	for _, s := range []*Stream{here, there} {
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
	to := func(s *Stream, id *identity.Identity) raft.ServerAddress {
		return raft.ServerAddress(id.NodeID + "@" + s.Addr().String())
	}
	for _, ok := range []*identity.Identity{b, claiming(t, b, "first", 0), claiming(t, b, "second", 7), claiming(t, b, "second", 9)} {
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
	require.True(t, known.Lost(b.NodeID))
}
