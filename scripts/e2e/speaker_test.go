//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const speakerConnected = `document.querySelector("#age").className === "fresh" && window.almenara`

// speaker enrols a speaker and opens its page at a node, in a browser.
func (d *district) speaker(b *browser, node int, id string, width, height int64) *tab {
	d.t.Helper()
	var enrolled []struct {
		Secret  string
		Servers []string
		RootKey string `json:"root_key"`
	}
	d.read(node, &enrolled, "device", "enrol", "--kind", "speaker", "--place", block, id)
	given := url.Values{"id": {id}, "secret": {enrolled[0].Secret}, "root": {enrolled[0].RootKey}, "servers": {strings.Join(enrolled[0].Servers, ",")}, "zone": {"Asia/Hong_Kong"}}
	p := b.open(d.api(node)+"/speaker/#"+given.Encode(), width, height)
	p.until("the speaker is connected", speakerConnected)
	return p
}

// plays are how many sounds the page has begun, of the node and of its own, and how many are silent.
const counting = `(() => {
  window.played = { buffers: 0, tones: 0 }
  const start = AudioBufferSourceNode.prototype.start, tone = OscillatorNode.prototype.start
  AudioBufferSourceNode.prototype.start = function (...a) { played.buffers++; return start.apply(this, a) }
  OscillatorNode.prototype.start = function (...a) { played.tones++; return tone.apply(this, a) }
})()`

// It is presented once the third time has ended, and not before; what is cancelled is silent at once.
func TestSpeaker_PresentsWhatWasHeard(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.speaker(newOwnBrowser(t, chromedp.Flag("accept-lang", "en")), 0, "hall-1", 1366, 768)
	p.script(counting)
	p.until("it is ready", `document.querySelector("#state").className === "ready"`)
	p.accessible(t, "speaker, ready")
	p.shot("speaker-ready-en-desk")
	water := d.warn(0, time.Hour, "Actual", text("zh-Hant", "停水", "停水", "儲水。").minor(), text("en", "Water", "No water", "Store water.").minor())
	p.until("it announces", `document.querySelector("#state").className === "sounds"`)
	d.rung(0, water.Alert, "verified", 1)
	require.Zero(t, d.rungs(0, water.Alert)["presented"], "the sound has not ended")
	p.accessible(t, "speaker, announcing")
	p.shot("speaker-announcing-en-desk")
	d.rung(0, water.Alert, "presented", 1)
	require.Equal(t, 3, read[int](p, "played.tones"))
	if _, err := exec.LookPath("espeak-ng"); err == nil {
		require.GreaterOrEqual(t, read[int](p, "played.buffers"), 3, "the node has spoken it")
	}
	require.Equal(t, "played", read[string](p, "almenara.receiver.health.sound"))
	p.reload()
	p.until("it is listed, and not heard again", speakerConnected+` && document.querySelector(".became.heard") && !almenara.announcer.now && document.querySelector("#state").className === "ready"`)

	fire := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in On Lai House", "Leave by the stairs."))
	p.until("it announces the emergency", `almenara.announcer.now && almenara.announcer.now.look.tier === "emergency"`)
	d.cancel(0, fire.Alert)
	p.until("it is silent", `!almenara.announcer.now`)
	d.rung(0, fire.Alert, "cancelled", 1)
	require.Zero(t, d.rungs(0, fire.Alert)["presented"], "it was not heard to its end")
	d.cancel(0, water.Alert)
	p.until("nothing is in force", `document.querySelector("#cards").className === "idle"`)
}

// A reload while no node is there loads the page, which claims nothing; what is in force is checked again and heard
// once a node is back, and what ended meanwhile is not.
func TestSpeaker_SurvivesAReloadWithoutANode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.speaker(newOwnBrowser(t, chromedp.Flag("accept-lang", "en")), 0, "hall-1", 1366, 768)
	p.until("the worker is there", `navigator.serviceWorker.ready.then(() => caches.keys()).then(k => window.kept = k.some(n => n.startsWith("speaker/"))) && window.kept`)
	p.reload()
	p.until("it is connected, and would survive", speakerConnected+` && navigator.serviceWorker.controller && almenara.receiver.health.level === "C"`)
	stays := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in block 2", "Leave by the stairs. Do not use the lift."))
	p.until("it announces", `almenara.announcer.now && almenara.announcer.now.alert === "`+stays.Alert+`"`)
	ends := d.warn(0, 6*time.Second, "Actual", text("en", "Gas", "Gas in block 3", "Stay inside."))
	p.until("both are in force", `almenara.shown.size === 2`)
	d.crash(0)
	p.reload()
	p.until("the page is there, and says that it knows nothing", `window.almenara && almenara.shown.size === 0 && document.querySelector("#nothing").textContent.includes("Not known yet") && document.querySelector("#state").className === "cut"`)
	p.script(counting)
	p.shot("speaker-without-a-node-en-desk")
	runsOut := time.Now().Add(6 * time.Second).UnixMilli()
	p.until("the second one has run out", fmt.Sprintf("Date.now() > %d", runsOut))
	require.Zero(t, read[int](p, "played.tones+played.buffers"), "nothing sounds that was not checked again")
	d.start(0)
	p.until("what is in force is heard, and nothing else", `almenara.announcer.now && almenara.announcer.now.alert === "`+stays.Alert+`" && !almenara.shown.has("`+ends.Alert+`")`)
	d.rung(0, stays.Alert, "presented", 1)
}

// A browser that lets nothing be heard says so, to the district as well; a touch makes good.
func TestSpeaker_TellsThatItIsBlocked(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	b := newOwnBrowser(t, chromedp.Flag("autoplay-policy", "document-user-activation-required"), chromedp.Flag("accept-lang", "zh-HK"))
	p := d.speaker(b, 0, "hall-1", 390, 844)
	p.until("it says that it is silent", `document.querySelector("#state").className === "blocked" && document.querySelector("#arm.wanted")`)
	p.accessible(t, "speaker, blocked")
	p.shot("speaker-blocked-zh-phone")
	water := d.warn(0, time.Hour, "Actual", text("zh-Hant", "停水", "停水", "儲水。").minor())
	d.rung(0, water.Alert, "failed", 1)
	require.Zero(t, d.rungs(0, water.Alert)["presented"])
	d.until("the console can list it", func() bool {
		return strings.Contains(string(d.run(0, "--json", "device", "list", "--fault", "silent")), `"hall-1"`)
	})
	d.until("its worker has all files", func() bool {
		return !strings.Contains(string(d.run(0, "--json", "device", "list", "--fault", "no-reload")), `"hall-1"`)
	})
	d.person("dan", "device-manager")
	o := d.at(0, "dan", 390, 844)
	o.go_("devices")
	o.says("It cannot be heard: 1")
	o.accessible(t, "devices with faults")
	o.shot("devices-faults-en-phone")
	o.go_("devices/hall-1")
	o.says("What it says of itself")
	o.shot("device-health-en-phone")

	p.do(chromedp.Click(chromedp.CSS("#arm")))
	p.until("it announces what was missed", `document.querySelector("#state").className === "sounds"`)
	p.shot("speaker-announcing-zh-phone")
	d.rung(0, water.Alert, "presented", 1)
	p.shot("speaker-heard-zh-phone")
}

// 600 alerts, one after the other, and the page needs no more memory than after the first of them.
func TestScreen_DoesNotGrow(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.screen(newOwnBrowser(t, chromedp.Flag("js-flags", "--expose-gc")), 0, "lift-1", 1920, 1080)
	// The alerts are given to what the page presents with: how they come is measured elsewhere.
	p.script(`window.alternate = async n => {
    const until = new Date(almenara.receiver.now() + 3600000).toISOString()
    for (let i = 0; i < n; i++) {
      const id = 'a' + (window.turn = (window.turn || 0) + 1)
      const text = language => ({ language, event: 'Fire', urgency: 'Immediate', severity: 'Extreme', certainty: 'Observed', headline: 'Fire ' + id, description: 'x'.repeat(400), instruction: 'Leave by the stairs. '.repeat(10), areas: ['On Ting'], expires: until })
      const body = { alert: id, revision: 1, digest: id, time: until, status: 'Actual', tier: i % 2 ? 'emergency' : 'advisory', sound: 'none', confirm: 'none', sender: 's', sent: new Date().toISOString(), expires: until, texts: [text('en'), text('zh-HK')] }
      await almenara.receiver.options.present({ action: 'start', alert: id, revision: 1, body, look: { tier: body.tier, sound: 'none' } })
      await almenara.receiver.options.present({ action: 'stop', alert: id, revision: 1 })
    }
  }`)
	heap := func() (bytes, nodes int) {
		p.script("gc()")
		p.script("new Promise(resolve => setTimeout(resolve, 300))")
		p.script("gc()")
		return read[int](p, "performance.memory.usedJSHeapSize"), read[int](p, "document.getElementsByTagName('*').length")
	}
	p.script("alternate(60)")
	before, nodes := heap()
	for range 5 {
		p.script("alternate(108)")
	}
	after, left := heap()
	t.Logf("600 alerts: heap %.2f MB after 60, %.2f MB after 600; %d and %d elements", float64(before)/1e6, float64(after)/1e6, nodes, left)
	require.Equal(t, nodes, left)
	require.Less(t, after, before+before/10+500_000)
}
