package node_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node"
)

// Pages of this node, and of the district's other nodes, may speak MQTT with it; pages of
// others may not.
func TestOrigins_AreTheDistrictsOwnPages(t *testing.T) {
	t.Parallel()
	d := newTuned(t, 2, func(_ int, o *node.Options) { o.WS = "127.0.0.1:0" })
	status, err := d.client(0).Status(d.ctx(), false)
	require.NoError(t, err)
	var door string
	for _, u := range status.MQTT {
		if strings.HasPrefix(u, "ws://") {
			door = strings.Replace(u, "ws://", "http://", 1)
		}
	}
	require.NotEmpty(t, door)
	for i := range 2 {
		page, err := url.Parse(d.nodes[i].API())
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, upgrade(t, door, page.Scheme+"://"+page.Host))
	}
	require.Equal(t, http.StatusForbidden, upgrade(t, door, "https://elsewhere.example"))
	require.Equal(t, http.StatusForbidden, upgrade(t, door, "http://127.0.0.1:1"), "another service of the same machine")
	require.Equal(t, http.StatusSwitchingProtocols, upgrade(t, door, ""), "a device that is no browser")
}

// upgrade is the answer to a WebSocket handshake of a page of the origin.
func upgrade(t *testing.T, door, origin string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, door, nil)
	require.NoError(t, err)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "mqtt", "Origin": origin,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the handshake is what is tried
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	require.NoError(t, err)
	_ = resp.Body.Close()
	return resp.StatusCode
}
