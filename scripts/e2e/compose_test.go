//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// charted is an estate whose blocks have positions, so that there is a map.
func charted(d *district) {
	d.t.Helper()
	estate(d)
	places := []string{}
	for block := 1; block <= 4; block++ {
		lat, lon := 22.39+float64(block%2)*0.002, 113.97+float64(block/3)*0.003
		shape := fmt.Sprintf(`%[1]f,%[2]f %[3]f,%[2]f %[3]f,%[4]f %[1]f,%[4]f %[1]f,%[2]f`, lat, lon, lat+0.001, lon+0.0015)
		places = append(places, fmt.Sprintf(`{"path":"tuen-mun/on-ting/block-%d","names":{"en":"Block %d","zh-Hant":"第%d座"},"lat":%f,"lon":%f,"shape":[%q]}`, block, block, block, lat+0.0005, lon+0.00075, shape))
	}
	d.put("places", "["+strings.Join(places, ",")+"]")
}

// written fills in what every alert needs but where.
func (o *operator) written(hazard, en, zh string) {
	o.t.Helper()
	o.until("the form", `document.querySelector("[data-compose] [name=hazard]")`)
	o.choose("hazard", hazard)
	o.fill("headline.0", en)
	o.fill("instruction.0", "Keep away now. Listen for news.")
	o.fill("headline.1", zh)
	o.fill("instruction.1", "請立即避開，留意消息。")
}

// choose picks a line of a list, as a person does with one press.
func (o *operator) choose(field, value string) {
	o.t.Helper()
	o.script(fmt.Sprintf(`(() => { const f = document.querySelector("[name=%s]"); f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})); f.dispatchEvent(new Event("change", {bubbles: true})) })()`, field, value))
	o.clicks++
}

// tick presses a check box or a radio button.
func (o *operator) tick(name, value string) {
	o.t.Helper()
	selector := fmt.Sprintf(`input[name=%q][value=%q]`, name, value)
	o.until(selector, "document.querySelector(`"+selector+"`)")
	o.do(chromedp.ScrollIntoView(chromedp.CSS(selector)))
	o.press(selector)
}

func (o *operator) counts(total string) {
	o.t.Helper()
	o.until("it counts "+total, `(document.querySelector("[data-count] strong")?.innerText ?? "").includes(`+fmt.Sprintf("%q", total)+`)`)
}

// check goes on to the page that shows the message, and sent types the word and presses.
func (o *operator) check() {
	o.t.Helper()
	o.press(`.do button[value=check]`)
	o.until("whom it reaches", `document.querySelector("#audience")`)
}

func (o *operator) sent(word string) (alert string) {
	o.t.Helper()
	o.fill("word", word)
	o.press("form.send button:not([formaction])")
	o.until("the alert", `location.pathname.startsWith("/console/alerts/") && document.querySelector("[data-alert]")`)
	return read[string](o.tab, `document.querySelector("[data-alert]").dataset.alert`)
}

// heard sends the form once, behind the page's back.
func (o *operator) heard() {
	o.t.Helper()
	o.script(`(() => { const f = document.querySelector("form.send"); const b = new URLSearchParams(new FormData(f)); b.set("word", "SEND"); return fetch(f.action, {method: "POST", body: b}) })()`)
}

// open is the alerts that are not over.
func (d *district) open(i int) (out []struct{ ID, Headline string }) {
	d.t.Helper()
	d.read(i, &out, "alert", "list")
	return out
}

// By places from the list: what it takes is counted, and a draft outlives a reload and a session.
func TestCompose_ByPlaces(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	charted(d)
	d.person("amy", "composer")
	amy := d.at(0, "amy", 1366, 768)
	amy.press(`nav a[href="/console/compose"]`)
	amy.page("/console/compose$")
	amy.written("gas", "Gas leak at Block 2", "第2座氣體洩漏")
	amy.until("nothing is counted", `document.querySelector("[data-count]").innerText.includes("Choose a place") || document.querySelector("[data-count]").innerText.includes("counted here")`)
	amy.tick("place", "tuen-mun/on-ting/block-2")
	amy.counts("7 members")

	amy.do(chromedp.Reload())
	amy.until("the draft is there again", `document.querySelector("[name='headline.0']")?.value === "Gas leak at Block 2" && document.querySelector("[value='tuen-mun/on-ting/block-2']").checked`)
	amy.script(`fetch("/console/sign-out", {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}})`)
	amy.go_("compose")
	clicks, words := amy.clicks, amy.words
	amy.signIn("amy")
	amy.go_("compose")
	amy.until("it outlived the session", `document.querySelector("[name='headline.0']")?.value === "Gas leak at Block 2"`)
	amy.clicks, amy.words = clicks, words

	amy.check()
	amy.says("It addresses 7 members")
	amy.says("No approval is needed")
	amy.until("pictures of screens", `document.querySelectorAll(".glass figure").length >= 4`)
	require.LessOrEqual(t, read[int](amy.tab, `Math.max(...[...document.querySelectorAll(".glass svg")].map((s) => s.querySelectorAll("text").length - 2))`), 3, "three lines on a page at most")
	require.Contains(t, read[string](amy.tab, `document.querySelector(".glass svg").getAttribute("lang")`), "zh", "Chinese first")
	// The node has heard, and the answer was lost: the same form once more.
	amy.heard()
	amy.sent("SEND")
	amy.says("nothing was sent twice")
	require.Equal(t, [2]int{5, 5}, [2]int{amy.clicks, amy.words}, "the page, the hazard, the place, the check and the send; four texts and the word")
	require.Len(t, d.open(0), 1)

	amy.do(chromedp.NavigateBack()) // asks for a new form, and sends nothing
	amy.until("a new form", `document.querySelector("[data-fresh] [name='headline.0']")?.value === ""`)
}

// With corners by the pointer, and by the keyboard alone.
func TestCompose_ByDrawing(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	charted(d)
	d.person("amy", "composer")
	amy := d.at(0, "amy", 1366, 768)
	amy.go_("compose")
	amy.written("flood", "The river rises", "河水上漲")
	amy.tick("by", "draw")
	amy.until("the map", `document.querySelector("[data-map]").getBoundingClientRect().height > 100`)
	amy.do(chromedp.ScrollIntoView(chromedp.CSS("[data-map]")))
	corner := func(x, y float64) { // in the measure of the map
		at := read[[]float64](amy.tab, fmt.Sprintf(`(() => { const s = document.querySelector("[data-map]"); const p = new DOMPoint(%f, %f).matrixTransform(s.getScreenCTM()); return [p.x, p.y] })()`, x, y))
		amy.do(chromedp.MouseClickXY(at[0], at[1]))
		amy.clicks++
	}
	box := read[[]float64](amy.tab, `(() => { const p = document.querySelector("[data-map] polygon.place").getBBox(); return [p.x, p.y, p.width, p.height] })()`)
	amy.clicks = 0
	for _, at := range [][2]float64{{-5, -5}, {box[2] + 5, -5}, {box[2] + 5, box[3] + 5}, {-5, box[3] + 5}} {
		corner(box[0]+at[0], box[1]+at[1])
	}
	amy.counts("7 members")
	require.Equal(t, 4, amy.clicks)
	amy.shot("compose-drawn")
	amy.fill("areaname", "the river bank")
	amy.check()
	amy.says("It addresses 7 members")
	amy.says("the river bank")
	first := amy.sent("SEND")
	amy.says("It is sent")

	amy.go_("compose")
	amy.written("fire", "Fire at the estate", "屋邨火警")
	amy.tick("by", "draw")
	amy.script(`document.querySelector("[data-mode=circle]").focus()`)
	amy.do(chromedp.KeyEvent(kb.Enter))
	amy.script(`document.querySelector("[data-map]").focus()`)
	amy.do(chromedp.KeyEvent(kb.Enter)) // the middle
	for range 30 {
		amy.do(chromedp.KeyEvent(kb.ArrowRight))
	}
	amy.do(chromedp.KeyEvent(kb.Enter)) // the rim
	amy.counts("28 members")
	amy.check()
	require.NotEqual(t, first, amy.sent("SEND"))
	require.Len(t, d.open(0), 2)
}

// Without JavaScript everything works, with more presses.
func TestCompose_WithoutScripts(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	charted(d)
	d.person("amy", "composer")
	amy := d.at(0, "amy", 390, 844)
	_, err := chromedp.Call(amy.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(t, err)
	amy.go_("compose")
	amy.do(chromedp.SetValue(chromedp.CSS("[name=hazard]"), "power"))
	amy.fill("headline.0", "No power")
	amy.press(`input[value="tuen-mun/on-ting"]`)
	amy.press(`.do button[value=check]`)
	amy.fill("word", "SEND")
	amy.press("form.send button:not([formaction])")
	d.until("it is sent", func() bool { return len(d.open(0)) == 1 })
}

// What stands is changed: words, end, loudness and where, and the page says for whom.
func TestCompose_Update(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	charted(d)
	d.person("amy", "composer")
	d.person("ben", "composer")
	amy := d.at(0, "amy", 1366, 768)
	amy.go_("compose")
	amy.written("gas", "Gas leak at Block 2", "第2座氣體洩漏")
	amy.tick("place", "tuen-mun/on-ting/block-2")
	amy.check()
	id := amy.sent("SEND")

	amy.clicks, amy.words = 0, 0
	amy.press(`a[href="/console/alerts/` + id + `/update"]`)
	amy.until("all that it says", `document.querySelector("[name='headline.1']")?.value === "第2座氣體洩漏" && document.querySelector("[name='instruction.0']").value.startsWith("Keep away")`)
	amy.accessible(t, "update")
	amy.shot("compose-update-desk")
	amy.chinese("compose-update-desk-zh")
	ben := d.at(0, "ben", 390, 844)
	ben.go_("alerts/" + id + "/update")
	ben.tick("by", "places")
	ben.tick("place", "tuen-mun/on-ting/block-4")
	ben.counts("7 members")
	ben.shot("compose-update-phone")
	ben.check()
	ben.says("7 members are added")
	ben.says("7 members are told that it has ended")
	ben.shot("compose-update-check-phone")

	amy.tick("by", "places")
	amy.tick("place", "tuen-mun/on-ting/block-2")
	amy.tick("place", "tuen-mun/on-ting/block-3")
	amy.choose("lasts", "120")
	amy.check()
	amy.says("It addresses 14 members")
	amy.says("7 members are added")
	amy.says("0 members are told that it has ended")
	amy.accessible(t, "update-check")
	amy.shot("compose-update-check-desk")
	require.Equal(t, id, amy.sent("SEND"))
	amy.says("On Ting Estate, Block 3")

	ben.fill("word", "SEND") // what ben saw does not stand any more
	ben.press("form.send button:not([formaction])")
	ben.says("the alert was changed since this page was opened")
	require.Len(t, d.open(0), 1)
}

// Two people who warn of one thing at one place press at the same moment: one alert, and each is told
// the truth.
func TestCompose_TwoOperators(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	charted(d)
	d.person("amy", "composer")
	d.person("ben", "composer")
	both := []*operator{d.at(0, "amy", 1366, 768), d.at(0, "ben", 1366, 768)}
	for n, o := range both {
		o.go_("compose")
		o.written("gas", fmt.Sprintf("Gas leak, told by %d", n), "氣體洩漏")
		o.tick("place", "tuen-mun/on-ting/block-2")
		o.check()
		o.fill("word", "SEND")
	}
	var pressed sync.WaitGroup
	for _, o := range both {
		pressed.Go(func() { o.press("form.send button:not([formaction])") })
	}
	pressed.Wait()
	won := 0
	for _, o := range both {
		o.until("an answer", `document.body.innerText.includes("It is sent") || document.body.innerText.includes("has sent an alert for this already")`)
		if read[bool](o.tab, `document.body.innerText.includes("It is sent")`) {
			won++
			continue
		}
		o.shot("compose-second-desk")
		o.press(`[data-answer] a[href^="/console/alerts/"]`)
		o.says("Gas leak, told by")
	}
	require.Equal(t, 1, won)
	require.Len(t, d.open(0), 1)
}

// The leader, at whose pages the person is, dies between the check and the press: the page says so, and
// pressing again sends one alert, not two.
func TestCompose_LeaderKilled(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	charted(d)
	d.person("amy", "composer")
	amy := d.at(0, "amy", 1366, 768)
	amy.go_("compose")
	amy.written("gas", "Gas leak at Block 2", "第2座氣體洩漏")
	amy.tick("place", "tuen-mun/on-ting/block-2")
	amy.check()
	amy.fill("word", "SEND")
	d.crash(0)
	amy.press("form.send button:not([formaction])")
	amy.says("it is not known whether this was sent")
	amy.shot("compose-lost-desk")
	require.Empty(t, d.open(1))
	d.start(0)
	amy.sent("")
	amy.says("It is sent")
	d.until("all nodes know it", func() bool { return len(d.open(1)) == 1 && len(d.open(2)) == 1 })

	// A session goes on at another node while the leader is away, and what is sent there is one alert, too.
	d.crash(0)
	amy.do(chromedp.Navigate(d.api(1) + "/console/compose"))
	amy.written("power", "No power in Block 3", "第3座停電")
	amy.tick("place", "tuen-mun/on-ting/block-3")
	amy.check()
	amy.sent("SEND")
	require.Len(t, d.open(2), 2)
}

// Every page in both languages and three sizes, to be looked at.
func TestCompose_Pages(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	charted(d)
	d.person("amy", "composer")
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desk", 1366, 768}, {"phone", 390, 844}, {"narrow", 320, 640}} {
		t.Run(size.name, func(t *testing.T) {
			amy := d.at(0, "amy", size.width, size.height)
			look := func(name string) {
				t.Helper()
				require.LessOrEqual(t, read[int](amy.tab, "document.documentElement.scrollWidth"), int(size.width), "%s scrolls sideways", name)
				amy.accessible(t, name)
				amy.shot("compose-" + name + "-" + size.name)
				amy.whole("compose-" + name + "-" + size.name + "-whole")
			}
			amy.go_("compose")
			amy.until("the form", `document.querySelector("[data-compose] [name=hazard]")`)
			look("form")
			amy.press(".who form button[lang=zh-Hant]")
			amy.until("Chinese", `document.documentElement.lang === "zh-Hant"`)
			look("form-zh")
			amy.press(".who form button[lang=en]")
			amy.until("English", `document.documentElement.lang === "en"`)
			amy.press(`.do button[value=check]`)
			amy.until("the browser or the page says what is missing", `document.querySelector("[name=hazard]:invalid") || document.querySelector(".wrong")`)
			amy.written("gas", "Gas leak at Block 2, leave the building by the stairs", "第2座氣體洩漏，請沿樓梯離開大廈")
			amy.choose("add", "ur")
			amy.press(`button[value=add]`)
			amy.until("one more language", `document.querySelector("[name='headline.2']")`)
			amy.fill("headline.2", "گیس کا اخراج")
			amy.tick("place", "tuen-mun/on-ting/block-2")
			amy.counts("7 members")
			amy.tick("by", "draw")
			amy.until("the map", `document.querySelector("[data-map]").getBoundingClientRect().height > 100`)
			look("draw")
			amy.tick("by", "select")
			look("select")
			amy.tick("by", "places")
			amy.check()
			amy.until("pictures of screens", `document.querySelectorAll(".glass figure").length >= 4`)
			look("check")
			draft := url.Values{}
			for _, pair := range read[[][]string](amy.tab, `[...new FormData(document.querySelector("[data-send]"))]`) {
				draft.Add(pair[0], pair[1])
			}
			require.NotEmpty(t, draft.Get("id"))
			amy.press(`button[value=edit]`)
			amy.until("the form", `document.querySelector("[data-compose] [name=hazard]")`)
			amy.press(".who form button[lang=zh-Hant]")
			amy.until("Chinese, with the draft", `document.documentElement.lang === "zh-Hant" && document.querySelector("[name='headline.2']")?.value`)
			amy.check()
			amy.until("pictures of screens", `document.querySelectorAll(".glass figure").length >= 4`)
			look("check-zh")
		})
	}
}

// whole takes a picture of the whole page.
func (o *operator) whole(name string) {
	o.t.Helper()
	if *shots == "" {
		return
	}
	height := read[int64](o.tab, "document.documentElement.scrollHeight")
	width := read[int64](o.tab, "document.documentElement.clientWidth")
	was := read[int64](o.tab, "innerHeight")
	o.do(chromedp.EmulateViewport(width, height))
	o.shot(name)
	o.do(chromedp.EmulateViewport(width, was))
}
