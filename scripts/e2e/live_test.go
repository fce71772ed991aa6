//go:build e2e

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// fleetSize is how many devices TestLive_ connects. The promise is about 10,000, which take ten minutes, a quiet
// machine and 20,000 descriptors: scripts/e2e.sh -run TestLive_ -devices 10000.
var fleetSize = flag.Int("devices", 200, "simulated devices of the story of the live page")

// liveWatcher runs before the live page's own scripts. It counts what comes, what the page makes of it, and how
// long each took; an element that is put in or taken out is no number that moved.
const liveWatcher = `(() => {
  const count = window.count = { events: 0, bytes: 0, largest: 0, batches: [], elements: 0, long: [], late: [] }
  const came = new Map()
  const Real = window.EventSource
  window.EventSource = class extends Real {
    constructor (...args) {
      super(...args)
      this.addEventListener('receipts', e => {
        count.events++
        count.bytes += e.data.length
        count.largest = Math.max(count.largest, e.data.length)
        const { alert, at } = JSON.parse(e.data)
        came.set(alert, Date.parse(at))
      })
    }
  }
  new PerformanceObserver(list => { for (const e of list.getEntries()) count.long.push(e.duration) }).observe({ type: 'longtask' })
  window.begin = () => {
    Object.assign(count, { events: 0, bytes: 0, largest: 0, batches: [], elements: 0, long: [], late: [] })
    window.watching?.disconnect()
    window.watching = new MutationObserver(changes => {
      const now = Date.now(), rows = new Set()
      count.batches.push(performance.now())
      for (const c of changes) {
        for (const n of [...c.addedNodes, ...c.removedNodes]) if (n.nodeType === Node.ELEMENT_NODE) count.elements++
        const row = (c.target.nodeType === Node.ELEMENT_NODE ? c.target : c.target.parentElement)?.closest('[data-alert]')
        if (row) rows.add(row.dataset.alert)
      }
      for (const alert of rows) if (came.has(alert)) { count.late.push(now - came.get(alert)); came.delete(alert) }
    })
    watching.observe(document.querySelector('[data-live]'), { subtree: true, childList: true, characterData: true })
  }
})()`

// counted is what liveWatcher has counted.
type counted struct {
	Events, Bytes, Largest, Elements int
	Batches                          []float64 // ms, when the page changed
	Long                             []float64 // ms that tasks of 50 ms and more took
	Late                             []float64 // ms from an event at the node until its number was on the page
}

// most is how many of the times, in their order, lie within so many ms.
func most(times []float64, within float64) (out int) {
	first := 0
	for i, at := range times {
		for at-times[first] >= within {
			first++
		}
		out = max(out, i-first+1)
	}
	return out
}

// cpuOf is how long processes have worked.
func cpuOf(t testing.TB, pids ...int) (sum time.Duration) {
	t.Helper()
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
			n, err := strconv.Atoi(field)
			require.NoError(t, err)
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum
}

// renderers are the processes of a browser that draw pages.
func (b *browser) renderers() (pids []int) {
	main := strconv.Itoa(chromedp.FromContext(b.ctx).Browser.Process().Pid)
	for pid, p := range processes() {
		if p.of(main) && strings.Contains(p.line, "--type=renderer") {
			n, err := strconv.Atoi(pid)
			require.NoError(b.t, err)
			pids = append(pids, n)
		}
	}
	return pids
}

// enrolled enrols so many screens in blocks of a hundred, and is the file that has them with their secrets.
func (d *district) enrolled(n int) (file string) {
	d.t.Helper()
	places := []string{`{"path":"tuen-mun","names":{"en":"Tuen Mun","zh-Hant":"屯門"}}`, `{"path":"tuen-mun/on-ting","names":{"en":"On Ting Estate","zh-Hant":"安定邨"}}`}
	blocks := (n + 99) / 100
	for block := range blocks {
		places = append(places, fmt.Sprintf(`{"path":"tuen-mun/on-ting/block-%03d","names":{"en":"Block %d","zh-Hant":"第%d座"}}`, block, block, block))
	}
	d.put("places", "["+strings.Join(places, ",")+"]")
	var all []json.RawMessage
	for block := range blocks {
		var enrolled []json.RawMessage
		args := []string{"device", "enrol", "--kind", "screen", "--place", fmt.Sprintf("tuen-mun/on-ting/block-%03d", block)}
		for i := block * 100; i < min(n, block*100+100); i++ {
			args = append(args, fmt.Sprintf("lift-%05d", i))
		}
		d.read(0, &enrolled, args...)
		all = append(all, enrolled...)
	}
	raw, err := json.Marshal(all)
	require.NoError(d.t, err)
	file = filepath.Join(d.t.TempDir(), "devices.json")
	require.NoError(d.t, os.WriteFile(file, raw, 0o600))
	return file
}

// some is a file that has some of those of another, from one to before another.
func some(t testing.TB, file string, from, to int) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var all []json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &all))
	raw, err = json.Marshal(all[from:to])
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "some.json")
	require.NoError(t, os.WriteFile(out, raw, 0o600))
	return out
}

// connect has the devices of a file connected until the test ends, and waits until the district has n.
func (d *district) connect(file string, n int) {
	d.t.Helper()
	crowd := exec.Command(*program, "--api", d.api(0), "--token", d.token, "simulate", "--file", file)
	log, err := os.Create(file + ".log")
	require.NoError(d.t, err)
	crowd.Stdout, crowd.Stderr = log, log
	require.NoError(d.t, crowd.Start())
	d.t.Cleanup(func() {
		_ = crowd.Process.Signal(syscall.SIGTERM)
		_ = crowd.Wait()
		log.Close()
	})
	require.Eventually(d.t, func() bool {
		var s struct {
			Devices int `json:"devices_connected"`
		}
		d.read(0, &s, "status")
		return s.Devices >= n
	}, patience+time.Duration(n)*10*time.Millisecond, time.Second, "all devices are connected")
}

// waterOut sends one more alert to all.
func (d *district) waterOut(n int) (alert string) {
	d.t.Helper()
	body := fmt.Sprintf(`{"select":"place under tuen-mun/on-ting","alert":{"info":[{"language":"en","category":["Infra"],"event":"Water outage","urgency":"Expected","severity":"Minor",
		"certainty":"Likely","headline":"No water in %d","expires":%q,"area":[{"areaDesc":"On Ting Estate"}]}]}}`, n, time.Now().UTC().Add(2*time.Hour).Format("2006-01-02T15:04:05-00:00"))
	var out struct{ Alert string }
	d.ask("POST", "alerts?wait=local", body, &out)
	return out.Alert
}

// ask asks the API of the first node.
func (d *district) ask(method, path, body string, into any) {
	d.t.Helper()
	q, err := http.NewRequest(method, d.api(0)+"/api/v1/"+path, strings.NewReader(body))
	require.NoError(d.t, err)
	q.Header.Set("Authorization", "Bearer "+d.token)
	q.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(q)
	require.NoError(d.t, err)
	defer answer.Body.Close()
	require.Less(d.t, answer.StatusCode, 300, path)
	require.NoError(d.t, json.NewDecoder(answer.Body).Decode(into))
}

// presented is how many devices have proven the alert.
func (d *district) presented(alert string) int {
	var out struct{ Rungs struct{ Presented int } }
	d.ask("GET", "alerts/"+alert, "", &out)
	return out.Rungs.Presented
}

func (d *district) provenBy(n int, alert string) {
	d.t.Helper()
	require.Eventually(d.t, func() bool { return d.presented(alert) >= n }, 10*patience, 20*time.Millisecond, "all have proven it")
}

// The live page with fifty alerts in force to every device of a district, while receipts come in: it changes
// four times a second at most, numbers move where they are, and it leaves its machine to others.
func TestLive_TenThousandDevicesAndFiftyAlerts(t *testing.T) {
	n := *fleetSize
	d := newDistrict(t, 1)
	d.person("amy", "composer")
	all := d.enrolled(n + 1)
	d.connect(some(t, all, 0, n), n)
	node := d.nodes[0].process.Process.Pid
	const before, during = 40, 10
	seconds := 10 * time.Second
	if n >= 10_000 {
		seconds = 40 * time.Second
	}
	t.Logf("%d devices are connected", n)
	begun := time.Now()
	var last string
	for i := range before {
		if last = d.waterOut(i); i%5 == 4 {
			d.provenBy(n*19/20, last)
		}
	}
	d.provenBy(n, last)
	t.Logf("%d alerts were proven by %d devices each in %.0f s", before, n, time.Since(begun).Seconds())

	b := newOwnBrowser(t)
	amy := &operator{tab: b.open(d.api(0)+"/console/", 1366, 768), d: d}
	amy.signIn("amy")
	_, err := chromedp.Call(amy.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: liveWatcher})
	require.NoError(t, err)
	_, err = chromedp.Call(amy.ctx, performance.Enable, performance.EnableParams{})
	require.NoError(t, err)
	// stretch says what the page and the node worked meanwhile.
	stretch := func(what string, meanwhile func()) (page float64) {
		work, drawing, nodes, at := amy.work(), cpuOf(t, b.renderers()...), cpuOf(t, node), time.Now()
		meanwhile()
		took, after := time.Since(at).Seconds(), amy.work()
		page = (cpuOf(t, b.renderers()...) - drawing).Seconds() / took
		share := func(of string) float64 { return 100 * (after[of] - work[of]) / took }
		t.Logf("%s, %.0f s: renderers %.1f %% of a core (the page's thread %.1f: scripts %.1f, styles %.1f, layout %.1f), the node %.1f %%", what, took,
			100*page, share("TaskDuration"), share("ScriptDuration"), share("RecalcStyleDuration"), share("LayoutDuration"), 100*(cpuOf(t, node)-nodes).Seconds()/took)
		return page
	}
	rain := func() { // one more alert each few seconds, so that receipts come all the time
		for i := range during {
			end := time.Now().Add(seconds / during)
			last = d.waterOut(before + i)
			time.Sleep(time.Until(end))
		}
	}

	amy.go_("contents")
	stretch("another page, nothing happens", func() { time.Sleep(seconds / 4) })
	amy.go_("now")
	amy.until("all are there", fmt.Sprintf(`document.querySelectorAll("[data-alert]").length >= %d`, before))
	stretch("the live page, nothing happens", func() { time.Sleep(seconds / 4) })
	amy.script(`begin(); undefined`)
	busy := stretch("the live page, receipts come", rain)
	got := read[counted](amy.tab, "count")
	amy.until("it shows fifty", fmt.Sprintf(`document.querySelectorAll("[data-alert]").length >= %d`, before+during))
	amy.shot("now-fifty")

	d.provenBy(n, last)
	amy.until("and the number of all", fmt.Sprintf(`document.querySelector('[data-alert="%s"] [data-rung="presented"]').textContent === %q`, last, thousands(n)))
	// A few devices prove what is new before its row is there. One that comes late moves the number of every row.
	d.connect(some(t, all, n, n+1), n+1)
	amy.until("every number has moved", fmt.Sprintf(`Array.from(document.querySelectorAll('[data-alert] [data-rung="presented"]')).filter(e => e.textContent === %q).length >= %d`, thousands(n+1), before+during))
	got.Late = read[counted](amy.tab, "count").Late
	slices.Sort(got.Late)
	slices.Sort(got.Long)
	require.GreaterOrEqual(t, len(got.Late), before+during, "the time of each was seen")
	t.Logf("%d events came, of %d bytes (%d at most); the page changed %d times, %d within 250 ms at most; %d elements came or went; from an event to its number %.0f ms, 99 %% %.0f ms; tasks of 50 ms and more: %d, the longest %.0f ms",
		got.Events, got.Bytes/max(1, got.Events), got.Largest, len(got.Batches), most(got.Batches, 250), got.Elements,
		got.Late[len(got.Late)/2], got.Late[len(got.Late)*99/100], len(got.Long), slices.Max(append(got.Long, 0)))
	require.LessOrEqual(t, most(got.Batches, 250), 2, "one change each 250 ms, and what is read anew")
	require.LessOrEqual(t, got.Elements, during+3, "rows that are new, and no others")

	amy.go_("contents")
	stretch("another page, receipts come", rain)
	require.Less(t, busy, 0.25, "a twentieth is promised where nothing else runs")
}

// What there is ten thousand of comes in pages that are small and there at once, and that can be read on the
// screen of a desk and on a telephone: nobody of the district was reached.
func TestLive_PagesOfTenThousandDevices(t *testing.T) {
	d := newDistrict(t, 1)
	d.person("amy", "administrator")
	d.enrolled(*fleetSize)
	id := d.waterOut(0)
	b := newBrowser(t)
	for _, glass := range []struct {
		name          string
		width, height int64
	}{{"desk", 1366, 768}, {"phone", 390, 844}} {
		amy := &operator{tab: b.open(d.api(0)+"/console/", glass.width, glass.height), d: d}
		if glass.name == "desk" {
			amy.signIn("amy")
		}
		for _, path := range []string{"devices", "devices?place=tuen-mun/on-ting/block-000", "alerts/" + id + "/unreached", "alerts/" + id, "audience", "places", "ability"} {
			name := strings.NewReplacer("alerts/"+id, "alert", "?place=tuen-mun/on-ting/block-000", "-block", "/", "-").Replace(path)
			var paints []float64
			for range 3 {
				amy.go_(path)
				amy.until("something is painted", `performance.getEntriesByName("first-contentful-paint").length`)
				paints = append(paints, read[float64](amy.tab, `performance.getEntriesByName("first-contentful-paint")[0].startTime`))
			}
			slices.Sort(paints)
			size := read[int](amy.tab, `performance.getEntriesByType("navigation")[0].decodedBodySize`)
			t.Logf("%s at %d×%d: %d KiB, first paint %.0f ms", name, glass.width, glass.height, size>>10, paints[1])
			amy.shot("many-" + name + "-" + glass.name)
			require.Less(t, size, 300<<10, name)
			require.Less(t, paints[1], 2500.0, "half a second is promised where nothing else runs")
			require.LessOrEqual(t, read[int](amy.tab, "document.documentElement.scrollWidth"), int(glass.width), "%s is wider than its glass", name)
		}
	}
}

// thousands writes a number as pages do.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// work is what the page's thread has worked so far, in seconds, by what.
func (p *tab) work() map[string]float64 {
	p.t.Helper()
	now, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	require.NoError(p.t, err)
	out := map[string]float64{}
	for _, m := range now.Metrics {
		out[m.Name] = m.Value
	}
	return out
}
