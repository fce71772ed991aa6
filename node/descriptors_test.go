package node_test

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node"
)

// silent opens connections that say a piece and nothing more. Some may be closed for the
// next ones.
func silent(t *testing.T, addr string, count int, piece string) {
	t.Helper()
	for range count {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		_, _ = fmt.Fprint(c, piece)
	}
}

func hostOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u.Host
}

// metric is one number of node i.
func (d *district) metric(i int, name string) int {
	d.t.Helper()
	var out bytes.Buffer
	require.NoError(d.t, d.client(i).Metrics(d.ctx(), &out))
	for line := range strings.Lines(out.String()) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			require.NoError(d.t, err)
			return int(value)
		}
	}
	require.FailNow(d.t, "no metric", name)
	return 0
}

// 5,000 silent connections to the API took every descriptor of the process: the raft log
// could not begin its next segment, the leader was lost, and alerts took 5 s.
func TestStrangers_TakeDescriptorsFromNobodyButThemselves(t *testing.T) {
	const descriptors = 700
	d := newTuned(t, 1, func(_ int, o *node.Options) { o.Descriptors = descriptors })
	home := d.estate("on-ting")
	screens := d.fleet(d.enrol("screen", home.Block, 20)...)

	api, devices := hostOf(t, d.nodes[0].API()), hostOf(t, d.nodes[0].MQTT()[0])
	silent(t, api, 700, "")
	silent(t, api, 300, "POST /api/v1/cap HTTP/1.1\r\nX-A: ")
	silent(t, d.nodes[0].Internode(), 300, "")
	silent(t, devices, 700, "")
	silent(t, devices, 300, "\x10\x7f")
	require.Less(t, d.metric(0, "almenara_node_strangers"), descriptors/2, "what is open is bounded")
	d.eventually("strangers were dropped", func() bool { return d.metric(0, "almenara_node_strangers_dropped") > 1000 })

	sent := revisionOf(d.post(0, warning("fire", polygon(home.Area)), "", ""))
	screens.proven(sent, 20)
	speakers := d.fleet(d.enrol("speaker", home.Block, 5)...)
	speakers.proven(sent, 5)
	require.Equal(t, 20, screens.Progress().Connected, "known connections are closed for nobody")
}
