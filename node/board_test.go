package node_test

import (
	"io"
	"net/http"

	"github.com/stretchr/testify/require"
)

// saysAlone looks where people and monitors look without a token: the board in both
// languages, the readiness probe and the metrics of node i all say that it is alone.
func (d *district) saysAlone(i int) {
	d.t.Helper()
	status, err := d.client(i).Status(d.ctx(), false)
	require.NoError(d.t, err)
	since := status.AloneSince.UTC().Format("2006-01-02 15:04:05 UTC")
	for path, says := range map[string]string{
		"/?lang=en":      "Since " + since,
		"/?lang=zh-Hant": "自 " + since,
		"/readyz":        "no majority",
		"/metrics":       "almenara_node_alone 1",
	} {
		req, err := http.NewRequestWithContext(d.ctx(), http.MethodGet, status.API+path, nil)
		require.NoError(d.t, err)
		answer, err := http.DefaultClient.Do(req)
		require.NoError(d.t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(d.t, err)
		require.NoError(d.t, answer.Body.Close())
		require.Contains(d.t, string(body), says, path)
	}
}
