package cluster

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testPort is a port with an RPC service that answers the caller's id.
func testPort(t *testing.T, id *Identity, members ...string) *port {
	t.Helper()
	p, err := newPort("127.0.0.1:0", func() *Identity { return id }, (&net.Dialer{}).DialContext, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	r := newRPC(p, nil)
	r.allowed = func(id string) bool { return id != "" && strings.Contains(strings.Join(members, " "), id) }
	r.refuse = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }
	r.mux.HandleFunc("POST /who", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.WriteString(w, PeerID(req.Context()))
	})
	r.mux.HandleFunc("POST /echo", func(w http.ResponseWriter, req *http.Request) {
		if b, ok := readBody(w, req); ok {
			_, _ = w.Write(b)
		}
	})
	r.start()
	p.start()
	t.Cleanup(func() {
		require.NoError(t, p.close())
		require.NoError(t, r.stop(context.Background()))
	})
	return p
}

func caller(t *testing.T, id *Identity, to map[string]string) *rpc {
	p, err := newPort("127.0.0.1:0", func() *Identity { return id }, (&net.Dialer{}).DialContext, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	r := newRPC(p, nil)
	r.resolve = func(id string) (string, bool) { a, ok := to[id]; return a, ok }
	t.Cleanup(func() { require.NoError(t, p.close()); r.client.CloseIdleConnections() })
	return r
}

func twoNodes(t *testing.T) (a, b *Identity) {
	t.Helper()
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	a, err = NewIdentity(d, nil)
	require.NoError(t, err)
	b, err = NewIdentity(d, nil)
	require.NoError(t, err)
	return a, b
}

func TestCall_KnowsTheCallerByItsCertificate(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	p := testPort(t, a, b.NodeID)
	addr := p.listener.Addr().String()
	r := caller(t, b, map[string]string{a.NodeID: addr, b.NodeID: addr})
	answer, err := r.call(t.Context(), a.NodeID, "/who", nil)
	require.NoError(t, err)
	require.Equal(t, b.NodeID, string(answer))

	_, err = r.call(t.Context(), b.NodeID, "/who", nil)
	require.ErrorIs(t, err, ErrNotSent, "another node has the address now")
	_, err = r.call(t.Context(), NewID(), "/who", nil)
	require.ErrorIs(t, err, ErrNotSent)
	_, err = r.call(t.Context(), "bad/host", "/who", nil)
	require.ErrorIs(t, err, ErrNodeID)

	whole, err := r.call(t.Context(), a.NodeID, "/echo", make([]byte, maxCallBytes))
	require.NoError(t, err)
	require.Len(t, whole, maxCallBytes)
	_, err = r.call(t.Context(), a.NodeID, "/echo", make([]byte, maxCallBytes+1))
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestCall_StrangersAreTurnedAway(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	p := testPort(t, a)
	addr := p.listener.Addr().String()
	_, err := caller(t, b, map[string]string{a.NodeID: addr}).call(t.Context(), a.NodeID, "/who", nil)
	var answer *CallError
	require.ErrorAs(t, err, &answer)
	require.Equal(t, http.StatusGone, answer.Status)

	foreign, _ := twoNodes(t)
	_, err = caller(t, foreign, map[string]string{a.NodeID: addr}).call(t.Context(), a.NodeID, "/who", nil)
	require.ErrorIs(t, err, ErrNotSent, "another district's node does not even trust us")

	// One that trusts anybody gets no further: the port wants a certificate of its
	// own authority, whatever server id another one puts into it.
	posing, err := foreign.District.IssueNode(b.NodeID, &foreign.Key.PublicKey, nil)
	require.NoError(t, err)
	addr = testPort(t, a, b.NodeID).listener.Addr().String()
	for name, config := range map[string]*tls.Config{
		"no certificate": {NextProtos: []string{protoRPC}},
		"join and rpc":   {NextProtos: []string{protoJoin, protoRPC}},
		"no service":     {Certificates: baseTLS(b).Certificates},
		"another district's": {NextProtos: []string{protoRPC}, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{posing.Raw}, PrivateKey: foreign.Key}, nil
		}},
		"TLS 1.2":                {NextProtos: []string{protoRPC}, Certificates: baseTLS(b).Certificates, MaxVersion: tls.VersionTLS12},
		"an unknown service":     {NextProtos: []string{"h2"}, Certificates: baseTLS(b).Certificates},
		"raft, which is not run": {NextProtos: []string{protoRaft}},
	} {
		t.Run(name, func(t *testing.T) {
			config.InsecureSkipVerify = true
			conn, err := tls.Dial("tcp", addr, config)
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
			_, _ = io.WriteString(conn, "POST /who HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
			b, err := io.ReadAll(conn)
			require.Empty(t, b)
			if err != nil {
				require.NotContains(t, err.Error(), "timeout")
			}
		})
	}
}

func TestPort_SilentClientsDoNotBlockOthers(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	p := testPort(t, a, b.NodeID)
	addr := p.listener.Addr().String()
	for range maxHandshakesPerIP - 1 { // they connect and say nothing
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
	}
	started := time.Now()
	_, err := caller(t, b, map[string]string{a.NodeID: addr}).call(t.Context(), a.NodeID, "/who", nil)
	require.NoError(t, err)
	require.Less(t, time.Since(started), handshakeTimeout)
}

func TestPort_HandshakesOfOneAddressAreBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter(3, 2)
	require.True(t, l.take("a"))
	require.True(t, l.take("a"))
	require.False(t, l.take("a"))
	require.True(t, l.take("b"))
	require.False(t, l.take("c"))
	l.give("a")
	require.True(t, l.take("c"))
}

func TestConns_EndWithTheRemovedPeer(t *testing.T) {
	t.Parallel()
	s := newConns()
	ours, theirs := net.Pipe()
	_, err := s.add(ours, "gone", protoRaft)
	require.NoError(t, err)
	stays, other := net.Pipe()
	_, err = s.add(stays, "member", protoRaft)
	require.NoError(t, err)
	s.closeIf(protoRaft, func(peer string) bool { return peer == "gone" })
	_, err = theirs.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, s.all, 1)
	s.closeAll()
	_, err = other.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	_, err = s.add(ours, "late", protoRaft)
	require.ErrorIs(t, err, errPortClosed)
}
