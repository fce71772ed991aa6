//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var sizes = []struct {
	name          string
	width, height int64
}{{"landscape", 1920, 1080}, {"portrait", 1080, 1920}, {"phone", 390, 844}}

// signage is a page as it runs on a screen on other days: it counts, and somebody has scrolled it.
func signage(t testing.TB) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<title>signage</title><body style="margin:0;background:#2b5d43;color:#fff;font:7vmin sans-serif"><h1>屋邨通告 Estate notices</h1><p>Swimming pool: 7:00 to 22:00</p>
<div style="height:300vh" id="count">0</div><script>let n = 0; setInterval(() => { document.getElementById("count").textContent = ++n; parent.postMessage({ n, y: scrollY }, "*") }, 100); addEventListener("load", () => scrollTo(0, 40))</script>`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestScreen_TakesOverAndRestoresWhatRan(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	for i, size := range sizes {
		id := fmt.Sprintf("lift-%d", i)
		p := d.screen(newBrowser(t), 0, id, size.width, size.height, "under", signage(t))
		p.script(`window.ran = []; addEventListener("message", e => ran.push(e.data))`)
		p.until("the signage runs", `window.ran.length > 1`)
		p.shot("before-" + size.name)
		fire := d.warn(0, time.Hour, "Actual", text("zh-Hant", "火警", "安麗樓火警，請即沿樓梯離開", "切勿使用升降機。關上身後的門，到遊樂場集合。"),
			text("en", "Fire", "Fire in On Lai House: leave by the stairs now", "Do not use the lifts. Close doors behind you. Wait at the playground."))
		p.until("the alert has the whole screen", showing("danger", "安麗樓火警")+` && document.querySelector("#cards").className === "full"`)
		p.shot("emergency-" + size.name)
		p.until("English has its turn", showing("danger", "Fire in On Lai House"))
		p.shot("emergency-en-" + size.name)
		d.rung(0, fire.Alert, "presented", 1)
		d.cancel(0, fire.Alert)
		p.until("the alert is gone", idle)
		d.rung(0, fire.Alert, "cancelled", 1)
		n := read[int](p, `ran[ran.length - 1].n`)
		p.until("what ran goes on, where it was", fmt.Sprintf(`ran[ran.length - 1].n > %d && ran.every(r => r.y === 40) && ran.every((r, i) => i === 0 || r.n === ran[i - 1].n + 1)`, n))
		p.shot("after-" + size.name)
		d.run(0, "device", "revoke", id)
	}
}

func TestScreen_SeveralAtOnceTheGravestFirst(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	var tabs []*tab
	for i, size := range sizes {
		tabs = append(tabs, d.screen(newBrowser(t), 0, fmt.Sprintf("lift-%d", i), size.width, size.height))
	}
	shot := func(name string) {
		for i, size := range sizes {
			tabs[i].shot(name + "-" + size.name)
		}
	}
	everywhere := func(what, js string) {
		for _, p := range tabs {
			p.until(what, js)
		}
	}
	rain := d.warn(0, time.Hour, "Actual", text("zh-Hant", "暴雨", "黃色暴雨警告信號現正生效", "請留意水浸黑點。").minor(), text("en", "Rain", "Amber rainstorm warning in force", "Look out for flooding.").minor())
	everywhere("an advisory takes a band", showing("caution", "黃色暴雨")+` && document.querySelector("#cards").className === "part"`)
	shot("advisory")
	for _, p := range tabs {
		p.script(`almenara.shown.forEach(a => { a.since -= 120000 })`)
	}
	everywhere("its time is over: a strip stays", showing("caution", "黃色暴雨")+` && document.querySelector("#cards").classList.contains("strip") && [".strip .from", ".strip .until"].every(s => document.querySelector(s).getBoundingClientRect().height > 8)`)
	shot("strip")
	fire := d.warn(0, time.Hour, "Actual", text("zh-Hant", "火警", "安麗樓火警，請即沿樓梯離開", "切勿使用升降機。"))
	everywhere("the fire goes first", `[...document.querySelectorAll(".card")].map(c => c.dataset.alert).join() === "`+fire.Alert+","+rain.Alert+`"`)
	shot("two")
	for _, p := range tabs {
		p.until("the rain has its place below", `document.querySelectorAll(".card").length === 2`)
	}
	d.run(0, "alert", "correct", "--headline", "安泰樓火警，請即沿樓梯離開", "--reason", "another block", fire.Alert)
	everywhere("it is corrected in its place", showing("danger", "安泰樓")+` && document.querySelectorAll(".card").length === 2`)
	for _, p := range tabs {
		require.Equal(t, 2, drawn(p, fire.Alert), "one revision after the other")
	}
	d.warn(0, time.Hour, "Actual", text("en", "Gas", "Gas leak at the market: keep away", "Put out every flame.").with("severity", "Severe"))
	d.warn(0, time.Hour, "Actual", text("en", "Water", "Water is cut off until noon", "Fetch water at the school.").minor())
	everywhere("three have a place, and one waits for its turn", `document.querySelectorAll(".card").length === 3 && document.querySelector(".card:last-child .more").textContent === "+1"`)
	shot("four")
	d.cancel(0, fire.Alert)
	everywhere("the next one leads", `document.querySelector(".card.first").getAttribute("aria-label").includes("Gas leak")`)
}

func TestScreen_ADrillIsUnmistakable(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	for i, size := range sizes {
		p := d.screen(newBrowser(t), 0, fmt.Sprintf("lift-%d", i), size.width, size.height)
		drill := d.warn(0, time.Hour, "Exercise", text("zh-Hant", "火警", "安麗樓火警，請即沿樓梯離開", "切勿使用升降機。"), text("en", "Fire", "Fire in On Lai House: leave now", ""))
		p.until("it says so", showing("drill", "演習")+` && document.querySelector(".says").textContent.includes("演習")`)
		require.Zero(t, read[int](p, `document.querySelectorAll(".danger, .caution").length`))
		p.shot("drill-" + size.name)
		p.until("in English, too", showing("drill", "DRILL"))
		p.shot("drill-en-" + size.name)
		d.cancel(0, drill.Alert)
		p.until("it is over", idle)
	}
}

func TestScreen_PagesOfThreeLanguages(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	p.script(`window.turns = []; setInterval(() => { const c = document.querySelector(".card"); if (!c) return
		const now = c.dataset.page + " " + c.lang; if (!turns.length || turns[turns.length - 1].now !== now) turns.push({ now, at: performance.now(), lines: c.querySelectorAll(".line").length }) }, 50)`)
	d.warn(0, time.Hour, "Actual", text("en", "Flood", "The river is rising: go upstairs now", "Take your medicine and your papers."),
		text("pt", "Inundação", "O rio está a subir: vá para o andar de cima", "Leve os seus medicamentos."), text("zh-Hant", "水浸", "河水急漲，請立即往高處", "帶備藥物及證件。"))
	p.until("all have had their turn, and the first again", `window.turns.length > 3 && turns[turns.length - 1].now === turns[0].now`)
	p.shot("languages-zh")
	turns := read[[]struct {
		Now   string
		At    float64
		Lines int
	}](p, `turns`)
	pages := len(turns) - 1
	for i, language := range []string{"zh-Hant", "en", "pt"} {
		require.Equal(t, fmt.Sprintf("%d/%d %s", i+1, pages, language), turns[i].Now)
	}
	for i := 1; i < len(turns)-1; i++ {
		require.Greater(t, turns[i+1].At-turns[i].At, 6000.0, "nobody reads faster")
		require.LessOrEqual(t, turns[i].Lines, 3)
	}
}

// Urdu begins at the right, as Arabic and Hebrew do, and its full stop stands at the left.
func TestScreen_WritesFromRightToLeft(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	d.warn(0, time.Hour, "Actual", text("ur", "گیس کا اخراج", "بلاک 3 سے فوراً نکلیں۔", "سیڑھیاں استعمال کریں۔ 999 پر کال کریں۔"))
	p.until("it is shown", `document.querySelector(".card.danger .line") !== null`)
	require.Equal(t, "rtl", read[string](p, `getComputedStyle(document.querySelector(".line")).direction`))
	require.Less(t, read[float64](p, `(() => { const line = document.querySelector(".line"), text = document.createRange()
		text.selectNodeContents(line)
		return (line.getBoundingClientRect().right - text.getBoundingClientRect().right) / line.getBoundingClientRect().width })()`), 0.02)
	p.shot("urdu-landscape")
}

// Luwian hieroglyphs stand for a language for which a screen has no fonts.
func TestScreen_SaysThatItHasNoLetters(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	require.Empty(t, read[string](p, `almenara.receiver.health.lacks || ""`), "Chinese and English can be read")
	both := d.warn(0, time.Hour, "Actual", text("hlu", "𔐀𔐁𔐂𔐃", "𔐄𔐅𔐆𔐇𔐈𔐉", "𔐊𔐋𔐌𔐍"), text("en", "Fire", "Leave now", ""))
	d.rung(0, both.Alert, "presented", 1)
	require.Equal(t, "en", read[string](p, `document.querySelector(".card").lang`))
	require.Equal(t, "1/1", read[string](p, `document.querySelector(".card").dataset.page`), "boxes have no turn")
	d.until("the node knows", func() bool {
		var devices struct {
			Health struct {
				Lacks  string
				Faults []string
			}
		}
		d.read(0, &devices, "device", "show", "lift-1")
		return devices.Health.Lacks == "hlu" && slices.Contains(devices.Health.Faults, "no-letters")
	})
	d.cancel(0, both.Alert)
	p.until("it is over", idle)

	alone := d.warn(0, time.Hour, "Actual", text("hlu", "𔐀𔐁𔐂𔐃", "𔐎𔐏𔐐𔐑𔐒𔐓", "𔐊𔐋𔐌𔐍"))
	p.until("it stands there", `document.querySelector(".card.danger") !== null && almenara.receiver.health.display === "no letters"`)
	d.until("it is verified, and presented to nobody", func() bool {
		told := d.rungs(0, alone.Alert)
		return told["verified"] == 1 && told["presented"] == 0
	})
}

// What a person waits for from the press to the glass, over the machine's own loopback.
func TestScreen_PressToGlass(t *testing.T) {
	d := newDistrict(t, 1)
	p := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	var took []time.Duration
	for i := range 30 {
		pressed := time.Now()
		a := d.warn(0, time.Hour, "Actual", text("en", "Fire", fmt.Sprintf("Fire %d", i), "Leave."))
		at := `(everDrawn.find(d => d.alert === "` + a.Alert + `") || {}).at`
		p.until("it is on the glass", at)
		took = append(took, time.UnixMilli(read[int64](p, at)).Sub(pressed))
		d.cancel(0, a.Alert)
		p.until("it is gone", idle)
	}
	slices.Sort(took)
	t.Logf("press to glass: median %v, p95 %v, most %v", took[len(took)/2], took[len(took)*95/100], took[len(took)-1])
	require.Less(t, took[len(took)*95/100], time.Second)
}
