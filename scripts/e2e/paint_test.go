//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// The wall is there at once. The promise is 200 ms on a machine that does nothing else, which is what the
// figure in the log is for; beside other stories it may take five times as long.
func TestWall_PaintsAtOnce(t *testing.T) {
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer")
	amy := d.at(0, "amy", 1366, 768)
	var took []float64 // ms
	for range 7 {
		amy.go_("wall")
		amy.until("something is painted", `performance.getEntriesByName("first-contentful-paint").length`)
		took = append(took, read[float64](amy.tab, `performance.getEntriesByName("first-contentful-paint")[0].startTime`))
	}
	slices.Sort(took)
	t.Logf("first paint of the wall: median %.0f ms, longest %.0f ms", took[len(took)/2], took[len(took)-1])
	require.Less(t, took[len(took)/2], 1000.0)
}

// A page of fifty alerts, of which one changes each half second, leaves the browser idle, and changes no
// more often than a person can follow.
func TestNow_OfFiftyAlertsCostsTheBrowserLittle(t *testing.T) {
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer")
	send := func(n int) string {
		var out struct{ Alert string }
		d.read(0, &out, "alert", "send", "--headline", fmt.Sprintf("No water %d", n), "--event", "Water outage", "--severity", "Minor",
			"--urgency", "Expected", "--certainty", "Likely", "--category", "Infra", "--expires", "1h", "--select", "place under tuen-mun/on-ting")
		return out.Alert
	}
	var all []string
	for n := range 50 {
		all = append(all, send(n))
	}
	amy := d.at(0, "amy", 1366, 768)
	amy.go_("now")
	amy.until("all are there", `document.querySelectorAll("[data-alert]").length >= 50`)
	amy.script(`window.changes = 0; new MutationObserver(() => window.changes++).observe(document.querySelector("[data-live]"), {subtree: true, childList: true, characterData: true}); undefined`)
	_, err := chromedp.Call(amy.ctx, performance.Enable, performance.EnableParams{})
	require.NoError(t, err)
	busy := func() float64 { // seconds of work of the page's thread
		now, err := chromedp.Call(amy.ctx, performance.GetMetrics, cdp.Empty{})
		require.NoError(t, err)
		at := slices.IndexFunc(now.Metrics, func(m *performance.Metric) bool { return m.Name == "TaskDuration" })
		require.GreaterOrEqual(t, at, 0)
		return now.Metrics[at].Value
	}
	before := busy()
	begun := time.Now()
	for n := range 10 {
		send(100 + n)
		d.run(0, "alert", "cancel", all[n])
		time.Sleep(500 * time.Millisecond)
	}
	took := time.Since(begun).Seconds()
	share, changes := (busy()-before)/took, read[float64](amy.tab, "window.changes")/took
	t.Logf("the page used %.1f %% of a core and changed %.1f times a second", 100*share, changes)
	require.Less(t, share, 0.25, "a twentieth is promised where nothing else runs")
	require.Positive(t, changes)
	require.LessOrEqual(t, changes, 6.0, "four a second for what comes, and one for what is read anew")
	reads := read[float64](amy.tab, `performance.getEntriesByType("resource").filter(e => e.initiatorType === "fetch").length`)
	largest := read[float64](amy.tab, `Math.max(...performance.getEntriesByType("resource").filter(e => e.initiatorType === "fetch").map(e => e.decodedBodySize))`)
	t.Logf("the page was read anew %.1f times a second, %.0f KiB at most", reads/took, largest/1024)
	require.LessOrEqual(t, reads/took, 1.2)
	require.Less(t, largest, 300.0*1024)
}
