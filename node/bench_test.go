package node_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/client"
)

// million is the audience of the benchmark below: a large district's residents and
// equipment, many times over.
const million = 1_000_000

// expressions are what operators select by, from the narrow to the wide.
var expressions = []struct{ name, text string }{
	{"lift", "place under tuen-mun/estate-07/block-3"},
	{"estate", "place under tuen-mun/estate-07"},
	{"kind", "kind = screen"},
	{"tag", "risk = high"},
	{"tag-in", "risk in (high, medium)"},
	{"has", "has need"},
	{"language", "language = en"},
	{"not", "not kind = phone"},
	{"and-or", "place under tuen-mun/estate-07 and (risk = high or role = frontline) and not kind = speaker"},
	{"all", "all"},
}

// BenchmarkMillionMembers imports a million members through the API into a node with
// raft and Badger, selects and counts by ten expressions, and restarts the node. It
// takes minutes: run it with -benchtime 1x.
func BenchmarkMillionMembers(b *testing.B) {
	for b.Loop() {
		o := node.DefaultOptions(filepath.Join(b.TempDir(), "data"))
		o.Internode, o.Logger = "127.0.0.1:0", slog.New(slog.DiscardHandler)
		token, err := node.Init(o, "tuen-mun")
		require.NoError(b, err)
		n := up(b, o)
		c := clientOf(b, n, token)

		begun := time.Now()
		out, err := c.Import(b.Context(), client.Import{CSV: residents(million), Size: -1})
		require.NoError(b, err)
		require.True(b, out.Applied, "faults: %v", out.Faults)
		b.ReportMetric(time.Since(begun).Seconds(), "s/import")
		b.ReportMetric(memory("VmRSS"), "MB-rss-after-import")

		for _, e := range expressions {
			b.ReportMetric(selectTime(b, c, e.text), "ms/select-"+e.name)
		}
		require.NoError(b, n.Stop(b.Context()))
		runtime.GC()

		begun = time.Now()
		n = up(b, o)
		b.ReportMetric(time.Since(begun).Seconds(), "s/restart")
		runtime.GC()
		b.ReportMetric(heap(), "MB-heap-after-restart")
		st, err := n.Services().Status.Status(b.Context(), false)
		require.NoError(b, err)
		require.EqualValues(b, million, st.Members)
		require.NoError(b, n.Stop(b.Context()))
	}
}

// up starts a node and waits until it is ready.
func up(b *testing.B, o node.Options) *node.Node {
	n, err := node.New(o)
	require.NoError(b, err)
	require.NoError(b, n.Start(b.Context()))
	require.Eventually(b, func() bool {
		st, err := n.Services().Status.Status(context.Background(), false)
		return err == nil && st.Ready
	}, patience, 10*time.Millisecond)
	return n
}

func clientOf(b *testing.B, n *node.Node, token string) *client.Client {
	c, err := client.New(client.Config{URL: n.API(), Token: token, Timeout: time.Hour})
	require.NoError(b, err)
	b.Cleanup(c.Close)
	return c
}

// selectTime is the median of some selections with counts, over HTTP.
func selectTime(b *testing.B, c *client.Client, expression string) float64 {
	const rounds = 9
	var took []time.Duration
	for range rounds {
		begun := time.Now()
		out, err := c.Select(b.Context(), expression, "", 0)
		require.NoError(b, err)
		require.NotZero(b, out.Counts.Total)
		took = append(took, time.Since(begun))
	}
	return float64(median(took).Microseconds()) / 1000
}

func median(all []time.Duration) time.Duration {
	for i := range all {
		for j := i; j > 0 && all[j] < all[j-1]; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	return all[len(all)/2]
}

// residents writes a made-up audience as CSV.
func residents(n int) io.Reader {
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 1<<20)
		fmt.Fprintln(out, "id,name,kind,place,tags,languages,lat,lon,endpoints")
		kinds := []string{"phone", "phone", "phone", "screen", "speaker", "person"}
		risks := []string{"low", "low", "medium", "high"}
		for i := range n {
			tags := "risk=" + risks[i/7%len(risks)]
			if i%11 == 0 {
				tags += ";need=wheelchair"
			}
			if i%53 == 0 {
				tags += ";role=frontline"
			}
			language := "zh-HK"
			if i%5 == 0 {
				language = "en;zh-HK"
			}
			fmt.Fprintf(out, "m%07d,Resident %d,%s,tuen-mun/estate-%02d/block-%d/floor-%d,%s,%s,%.5f,%.5f,mqtt:m%07d\n",
				i, i, kinds[i%len(kinds)], i/2500%40, i/250%10, i%40, tags, language,
				22.37+float64(i%700)*0.0001, 113.94+float64(i/700%900)*0.0001, i)
		}
		_ = w.CloseWithError(out.Flush())
	}()
	return r
}

// memory reads a line of /proc/self/status in MB; 0 where there is none.
func memory(name string) float64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		var kb float64
		if _, err := fmt.Sscanf(line, name+": %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}

func heap() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
