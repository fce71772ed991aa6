package internode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/connlimit"
	"almenara/cluster/identity"
)

// portFor is what a port on this machine needs.
func portFor(id func() *identity.Identity) PortOptions {
	return PortOptions{Listen: "127.0.0.1:0", Identity: id, Dial: (&net.Dialer{}).DialContext, Logger: slog.New(slog.DiscardHandler)}
}

// testPort is a port with an RPC service that answers the caller's id.
func testPort(t *testing.T, id *identity.Identity, members ...string) *Port {
	t.Helper()
	p, err := NewPort(portFor(func() *identity.Identity { return id }))
	require.NoError(t, err)
	r := NewRPC(p, Peers{
		Allowed: func(id string) bool { return id != "" && strings.Contains(strings.Join(members, " "), id) },
		Refuse:  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
	}, nil)
	r.mux.HandleFunc("POST /who", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.WriteString(w, PeerID(req.Context()))
	})
	r.mux.HandleFunc("POST /echo", func(w http.ResponseWriter, req *http.Request) {
		if b, ok := ReadBody(w, req); ok {
			_, _ = w.Write(b)
		}
	})
	r.Start()
	p.Start()
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		require.NoError(t, r.Stop(context.Background()))
	})
	return p
}

func caller(t *testing.T, id *identity.Identity, to map[string]string) *RPC {
	p, err := NewPort(portFor(func() *identity.Identity { return id }))
	require.NoError(t, err)
	r := NewRPC(p, Peers{Connect: func(ctx context.Context, id string) (*Conn, error) {
		if to[id] == "" {
			return nil, errors.New("no address known")
		}
		return p.Dial(ctx, id, to[id], identity.ProtoRPC)
	}}, nil)
	t.Cleanup(func() { require.NoError(t, p.Close()); r.client.CloseIdleConnections() })
	return r
}

func twoNodes(t *testing.T) (a, b *identity.Identity) {
	t.Helper()
	d, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	a, err = identity.New(d, nil)
	require.NoError(t, err)
	b, err = identity.New(d, nil)
	require.NoError(t, err)
	return a, b
}

func TestCall_KnowsTheCallerByItsCertificate(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	p := testPort(t, a, b.NodeID)
	addr := p.listener.Addr().String()
	r := caller(t, b, map[string]string{a.NodeID: addr, b.NodeID: addr})
	answer, err := r.Call(t.Context(), a.NodeID, "/who", nil)
	require.NoError(t, err)
	require.Equal(t, b.NodeID, string(answer))

	_, err = r.Call(t.Context(), b.NodeID, "/who", nil)
	require.ErrorIs(t, err, ErrNotSent, "another node has the address now")
	_, err = r.Call(t.Context(), identity.NewID(), "/who", nil)
	require.ErrorIs(t, err, ErrNotSent)
	_, err = r.Call(t.Context(), "bad/host", "/who", nil)
	require.ErrorIs(t, err, identity.ErrNodeID)

	whole, err := r.Call(t.Context(), a.NodeID, "/echo", make([]byte, MaxCallBytes))
	require.NoError(t, err)
	require.Len(t, whole, MaxCallBytes)
	_, err = r.Call(t.Context(), a.NodeID, "/echo", make([]byte, MaxCallBytes+1))
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestCall_StrangersAreTurnedAway(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	p := testPort(t, a)
	addr := p.listener.Addr().String()
	_, err := caller(t, b, map[string]string{a.NodeID: addr}).Call(t.Context(), a.NodeID, "/who", nil)
	var answer *CallError
	require.ErrorAs(t, err, &answer)
	require.Equal(t, http.StatusGone, answer.Status)

	foreign, _ := twoNodes(t)
	_, err = caller(t, foreign, map[string]string{a.NodeID: addr}).Call(t.Context(), a.NodeID, "/who", nil)
	require.ErrorIs(t, err, ErrNotSent, "another district's node does not even trust us")

	// One that trusts anybody gets no further: the port wants a certificate of its
	// own authority, whatever server id another one puts into it.
	posing, err := foreign.District.IssueNode(time.Now(), b.NodeID, &foreign.Key.PublicKey, nil)
	require.NoError(t, err)
	addr = testPort(t, a, b.NodeID).listener.Addr().String()
	for name, config := range map[string]*tls.Config{
		"no certificate": {NextProtos: []string{identity.ProtoRPC}},
		"join and rpc":   {NextProtos: []string{identity.ProtoJoin, identity.ProtoRPC}},
		"no service":     {Certificates: identity.ClientTLS(b, "", identity.ProtoRPC).Certificates},
		"another district's": {NextProtos: []string{identity.ProtoRPC}, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{posing.Raw}, PrivateKey: foreign.Key}, nil
		}},
		"TLS 1.2":                {NextProtos: []string{identity.ProtoRPC}, Certificates: identity.ClientTLS(b, "", identity.ProtoRPC).Certificates, MaxVersion: tls.VersionTLS12},
		"an unknown service":     {NextProtos: []string{"h2"}, Certificates: identity.ClientTLS(b, "", identity.ProtoRPC).Certificates},
		"raft, which is not run": {NextProtos: []string{identity.ProtoRaft}},
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

// Sixteen silent clients at the address of a node kept it out until their handshakes were
// given up.
func TestPort_SilentClientsDoNotBlockOthers(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	p := testPort(t, a, b.NodeID)
	addr := p.listener.Addr().String()
	to := map[string]string{a.NodeID: addr}
	_, err := caller(t, b, to).Call(t.Context(), a.NodeID, "/who", nil)
	require.NoError(t, err, "the address is a node's from here on")
	for range 3 * connlimit.InternodeStrangers { // they connect and say nothing
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
	}
	started := time.Now()
	_, err = caller(t, b, to).Call(t.Context(), a.NodeID, "/who", nil)
	require.NoError(t, err)
	require.Less(t, time.Since(started), HandshakeTimeout/2)
	require.LessOrEqual(t, p.shares.Counts().Strangers, connlimit.InternodeStrangers)
}

func TestArrivals_BoundStrangersAndNoNode(t *testing.T) {
	t.Parallel()
	a, now := newArrivals(), time.Now()
	allowed := func(host string, at time.Time) (n int) {
		for range 1000 {
			if a.allow(host, at) {
				n++
			}
		}
		return n
	}
	require.Equal(t, arrivalsAtOnce, allowed("10.0.0.1", now))
	require.Equal(t, arrivalsAtOnce, allowed("10.0.0.2", now), "each address has its own")
	require.Equal(t, arrivalsPerSecond, allowed("10.0.0.1", now.Add(time.Second)))
	a.trustAddress("10.0.0.1:8470")
	a.trustAddress("box.local:8470")
	require.Equal(t, 1000, allowed("10.0.0.1", now.Add(time.Second)))
	for i := range 3 * arrivalsKept {
		a.allow(fmt.Sprintf("2001:db8::%x", i), now)
	}
	require.LessOrEqual(t, len(a.from), arrivalsKept+1, "their number is bounded, too")
	require.Equal(t, arrivalsAtOnce, allowed("10.9.9.9", now.Add(time.Minute)), "who was forgotten begins anew")
}

func TestConns_EndWithTheRemovedPeer(t *testing.T) {
	t.Parallel()
	s := newConns()
	ours, theirs := net.Pipe()
	_, err := s.add(ours, "gone", identity.ProtoRaft)
	require.NoError(t, err)
	stays, other := net.Pipe()
	_, err = s.add(stays, "member", identity.ProtoRaft)
	require.NoError(t, err)
	s.closeIf(identity.ProtoRaft, func(peer string) bool { return peer == "gone" })
	_, err = theirs.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, s.all, 1)
	s.closeAll()
	_, err = other.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	_, err = s.add(ours, "late", identity.ProtoRaft)
	require.ErrorIs(t, err, errPortClosed)
}

func TestStanding_HasAWord(t *testing.T) {
	t.Parallel()
	for s, word := range map[Standing]string{
		StandingUnknown: "unknown", StandingAgrees: "agrees", StandingAlone: "alone", StandingQuarantined: "quarantined", 99: "unknown",
	} {
		require.Equal(t, word, s.String())
	}
}
