package capxml_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
)

// large is a message of about size bytes as a weather service sends it: 400 areas, each
// with an outline of its own.
func large(t testing.TB, size int) string {
	t.Helper()
	const areas = 400
	var b strings.Builder
	for i := range areas {
		fmt.Fprintf(&b, "<area><areaDesc>Area %d</areaDesc><polygon>", i)
		from := b.Len()
		for n := 0; b.Len()-from < size/areas-100; n++ {
			fmt.Fprintf(&b, "%.6f,%.6f ", 22+float64(n%1000)/1e5, 114+float64(i)/1e3+float64(n*n%997)/1e5)
		}
		fmt.Fprintf(&b, "%.6f,%.6f</polygon></area>", 22.0, 114+float64(i)/1e3)
	}
	text := alerttest.With(t, alerttest.Small, "<area>", b.String()+"<area>")
	require.InEpsilon(t, size, len(text), 0.05)
	return text
}

// A message of the largest size costs a fraction of a second and some tens of megabytes,
// whatever is in it. It takes 15 to 100 ms on a quiet
// machine, hostile messages included; the bound is for a busy one.
func TestParse_ReadsTheLargestMessageSoon(t *testing.T) {
	texts := hostile(t)
	texts["outlines"] = large(t, alert.MaxMessageBytes*9/10)
	for name, text := range texts {
		raw := []byte(text)
		begun := time.Now()
		used := alerttest.Allocated(func() { _, _, _ = capxml.Parse(raw) })
		took := time.Since(begun)
		t.Logf("%-15s %5.1f MiB %6.1f ms", name, float64(used)/(1<<20), float64(took.Microseconds())/1000)
		require.Less(t, took, 20*time.Second, name)
		require.LessOrEqual(t, used, uint64(40<<20)+1<<20, name)
	}
}

// BenchmarkParse_Large reads a message as a weather service sends it, and one of the largest
// size: less than 100 ms on a quiet machine.
func BenchmarkParse_Large(b *testing.B) {
	for _, size := range []int{1_700_000, alert.MaxMessageBytes * 98 / 100} {
		b.Run(fmt.Sprintf("%.1fMB", float64(size)/1e6), func(b *testing.B) {
			raw := []byte(large(b, size))
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := capxml.Parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestParse_KeepsOnlyWhatTheMessageSays is kept of a message is what it says, not what it was read from; and what is kept of its
// names does not keep the rest.
func TestParse_KeepsOnlyWhatTheMessageSays(t *testing.T) {
	const size, count = 256 << 10, 16
	text := alerttest.With(t, alerttest.Small, "<area>", "<instruction>"+strings.Repeat("Stay indoors. ", size/14)+"</instruction><area>")
	padded := alerttest.With(t, alerttest.Small, "<sender>", "<sender>"+strings.Repeat(" ", size))
	padded = strings.Replace(padded, "</scope>", "</scope><references>a,b,2026-07-20T17:40:00+08:00"+strings.Repeat(" ", size)+"</references>", 1)
	for _, c := range []struct {
		text string
		keep func(*alert.Alert) any
		most int64
	}{
		{text, func(a *alert.Alert) any { return a }, size * count * 3 / 2},
		{text, func(a *alert.Alert) any { return []any{a.Key(), a.References} }, size},
		{padded, func(a *alert.Alert) any { return []any{a.Key(), a.References} }, size},
	} {
		before := held()
		var kept [count]any
		for i := range kept {
			a, _, err := capxml.Parse([]byte(c.text))
			require.NoError(t, err)
			kept[i] = c.keep(a)
		}
		require.Less(t, held()-before, c.most)
		runtime.KeepAlive(kept)
	}
}

// held is what the heap holds.
func held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
