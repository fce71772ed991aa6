package mqtt

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// D11: packets had no largest size, so that a client that had proved nothing could
// take as much memory as it claimed to need.
func TestDefect_D11_ClaimedLengthsTakeNoMemory(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	for name, first := range map[string][]byte{
		"largest length":        {0x10, 0xFF, 0xFF, 0xFF, 0x7F},
		"over the first packet": {0x10, 0xFE, 0x1F},
		"another packet first":  {0x30, 0xFF, 0xFF, 0xFF, 0x7F},
		"no end of the length":  {0x10, 0xFF, 0xFF, 0xFF, 0xFF},
	} {
		w := r.dial(address)
		w.send(first)
		w.closed() // before anything of it has come
		require.Zero(t, r.Sessions(), name)
	}
	w := r.device(address, "lift-1", true)
	w.send([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F})
	w.expect([]byte{0xE0, 1, 0x95})
	w.closed()
}

// D12: nothing limited the time until CONNECT, nor that of a TLS handshake.
func TestDefect_D12_WhoIsSlowToConnectIsClosed(t *testing.T) {
	server, trust := testTLS(t)
	request := "GET / HTTP/1.1\r\nHost: x\r\n"
	upgrade := request + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
	hello := "\x16\x03\x01\x02\x00\x01" // the beginning of a TLS client hello
	half := string(connectPacket("lift-1", true)[:9])
	for name, test := range map[string]struct {
		transport Transport
		first     string
	}{
		"TCP, silence": {TCP, ""}, "TCP, half a CONNECT": {TCP, half},
		"TLS, silence": {TLS, ""}, "TLS, half a hello": {TLS, hello},
		"WebSocket, silence": {WS, ""}, "WebSocket, half a request": {WS, request},
		"WebSocket, half a CONNECT": {WS, upgrade + maskedFrame(half)},
		"WebSocket over TLS":        {WSS, hello},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.TLS, o.Limits.ConnectTimeout = server, 300*time.Millisecond })
			address := r.listen(test.transport)
			begin := time.Now()
			slow := r.dial(address)
			slow.send([]byte(test.first))
			prompt := r.promptDevice(t, address, test.transport, trust)
			slow.untilClosed()
			require.Less(t, time.Since(begin), patience)
			prompt.ping()
			require.Equal(t, 1, r.Sessions())
		})
	}
}

// promptDevice connects meanwhile, over the same listener where it is TCP or TLS.
func (r *rig) promptDevice(t *testing.T, address string, transport Transport, trust *tls.Config) *wire {
	t.Helper()
	if transport != TLS {
		if transport != TCP {
			address = r.listen(TCP)
		}
		return r.device(address, "lift-2", true)
	}
	conn, err := tls.Dial("tcp", address, trust)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	w := &wire{Conn: conn, t: t, v5: true}
	w.connect("lift-2")
	return w
}

// untilClosed reads whatever comes until the connection ends.
func (w *wire) untilClosed() {
	w.t.Helper()
	require.NoError(w.t, w.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 512)
	for {
		if _, err := w.Conn.Read(b); err != nil {
			require.False(w.t, isTimeout(err), "connection is still open")
			return
		}
	}
}

// maskedFrame is a short binary WebSocket frame as clients send it. A mask of zeros changes
// nothing.
func maskedFrame(payload string) string {
	return string(append([]byte{0x82, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...))
}
