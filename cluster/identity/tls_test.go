package identity

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A certificate is renewed while the node runs; who connects afterwards must see the new
// one, at the port of the nodes and at those of devices and people.
func TestTLS_ARunningListenerShowsTheRenewedCertificate(t *testing.T) {
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	first, err := New(d, []string{"127.0.0.1:7000"})
	require.NoError(t, err)
	renewed, err := first.Renewed(first.Cert.NotAfter.Add(-time.Hour), []string{"127.0.0.1:7000"}, nil)
	require.NoError(t, err)
	require.NotEqual(t, first.Cert.SerialNumber, renewed.Cert.SerialNumber)

	var now atomic.Pointer[Identity]
	client := ClientTLS(first, first.NodeID, ProtoRPC)
	roots := x509.NewCertPool()
	roots.AddCert(d.CA)
	public := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13}
	for name, c := range map[string]struct{ server, client *tls.Config }{
		"nodes":              {ServerTLS(now.Load), client},
		"devices and people": {PublicTLS(now.Load), public},
	} {
		t.Run(name, func(t *testing.T) {
			now.Store(first)
			listener, err := tls.Listen("tcp", "127.0.0.1:0", c.server)
			require.NoError(t, err)
			defer func() { require.NoError(t, listener.Close()) }()
			go serveHandshakes(listener)
			require.Equal(t, first.Cert.SerialNumber, seen(t, listener.Addr(), c.client).SerialNumber)
			now.Store(renewed)
			require.Equal(t, renewed.Cert.SerialNumber, seen(t, listener.Addr(), c.client).SerialNumber)
		})
	}
}

// serveHandshakes ends each connection after its handshake, and with the listener.
func serveHandshakes(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = conn.(*tls.Conn).Handshake()
		_ = conn.Close()
	}
}

// seen is the certificate that a client is shown.
func seen(t *testing.T, addr net.Addr, config *tls.Config) *x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", addr.String(), config)
	require.NoError(t, err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}
