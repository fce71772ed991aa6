//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tallest is how much of a page a picture holds: below it are lists that go on as they began.
const tallest = 4000

// Every page of the console, whole, in both languages, on a desk and on a telephone, to be looked at. A page that
// the page of all pages links and that has no picture here fails.
func TestPictures_OfEveryPage(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	outlined(d)
	levelled(d)
	d.servedWith(0, "--residents", d.api(0))
	d.person("amy", "administrator", "composer", "corrector", "approver", "device-manager", "auditor")
	d.person("陳大文", "composer")
	d.run(0, "licence", "grant", "--scenario", "fire", "--place", "tuen-mun/on-ting", "--for", "480h", "陳大文")
	d.run(0, "audience", "import", csv(t, "r-0001,陳大文 Chan Tai Man,person,tuen-mun/on-ting/block-1\n"))
	d.run(0, "device", "enrol", "--kind", "screen", "--place", "tuen-mun/on-ting/block-2", "lift-2-1")
	d.screen(newBrowser(t), 0, "lift-1-1", 800, 600)
	fire := d.warn(0, time.Hour, "Actual", asking("seen help photo", text("en", "Fire", "Fire in Block 2 of On Ting Estate", "Leave by the stairs. Do not use the lifts."),
		text("zh-Hant", "火警", "安定邨第2座火警", "請使用樓梯離開，切勿使用升降機。"))...)
	d.rung(0, fire.Alert, "presented", 1)
	amy := d.at(0, "amy", 1366, 768)
	waiting := newBrowser(t).open(d.api(0)+"/screen/", 800, 600).code()
	sends := func(scenario string) (id string) {
		amy.go_("fire/" + scenario)
		amy.fill("word", map[bool]string{true: "DRILL", false: "SEND"}[scenario == "drill"])
		amy.press("form.send button")
		amy.until("it is sent", `document.querySelector("[data-alert]")`)
		return read[string](amy.tab, `document.querySelector("[data-alert]").dataset.alert`)
	}
	drill, flood := sends("drill"), sends("flood")
	amy.go_("notices/write?scenario=planned-outage")
	amy.fill("b.where", "On Lai House 安麗樓")
	amy.fill("b.day", "Tuesday 1 December")
	amy.press("main button.main")
	amy.says("It waits at its first level")
	notice := read[string](amy.tab, `location.pathname.split("/").pop()`)
	amy.go_("enrol")
	amy.says(waiting)
	device := strings.TrimPrefix(read[string](amy.tab, `[...document.querySelectorAll(".row a")].map(a => a.pathname).find(p => p.includes("/device/"))`), "/console/")

	pages := []string{
		"wall", "fire/fire?b.where=Block+2", "fire/drill", "now", "alerts/" + fire.Alert, "alerts/" + drill, "alerts/" + flood, "alerts/" + fire.Alert + "/unreached", "alerts/" + fire.Alert + "/answers", "alerts/" + fire.Alert + "/residents",
		"alerts/" + fire.Alert + "/report", "alerts/" + fire.Alert + "/end", "alerts/" + fire.Alert + "/correct", "alerts/" + fire.Alert + "/update", "alerts/" + flood + "/approve", "approvals", "approvals/number",
		"compose", "scenarios", "scenarios/fire/remove", "scenario", "scenario?ready=block-evacuation", "scenarios/fire/write", "watch", "reports", "checkins", "checkins?sheet=1&place=tuen-mun/on-ting/block-1",
		"notices", "notices/write", "notices/write?scenario=planned-outage", "notices/" + notice, "ability", "ability/drills", "devices", "devices/lift-1-1", "devices/lift-2-1", "add-devices", "enrol", device,
		"audience", "audience?expr=kind+%3D+speaker", "audience?expr=kind+is", "import", "places", "add-place", "place/tuen-mun/on-ting", "people", "people/amy", "people/陳大文", "licences", "ends", "personal", "personal/erase",
		"audit", "account", "contents", "handbook", "handbook?q=disk", "handbook/first-hour", "handbook/duty", "handbook/faults", "handbook/record", "handbook/who", "handbook/contract", "nowhere", "sign-in", "first",
	}
	amy.go_("contents")
	amy.until("the page of all pages", `document.querySelector("main a")`)
	for _, path := range read[[]string](amy.tab, `[...document.querySelectorAll("nav a, main a")].map(a => decodeURI(a.pathname)).filter(p => p.startsWith("/console/"))`) {
		require.Contains(t, pages, strings.TrimPrefix(path, "/console/"), "it has no picture")
	}
	naming := strings.NewReplacer(fire.Alert, "fire", drill, "drill", flood, "flood", notice, "notice", device, "enrol-device", "tuen-mun/on-ting/", "", "/", "-", "?", "-", "&", "-", "=", "-", "+", "-", "%3D", "is")
	amy.go_("wall")
	amy.until("a drill in force is no danger", `document.querySelector("li.exercise.running a[href$='/drill']") && !document.querySelector(".wall li.live")`)
	for _, language := range []string{"en", "zh-Hant"} {
		amy.go_("contents")
		if language != "en" {
			amy.press(".who form button[lang=" + language + "]")
		}
		amy.until("the language", `document.documentElement.lang === "`+language+`"`)
		for _, path := range pages {
			amy.go_(path)
			amy.until(path, `document.querySelector("h1")`)
			for _, size := range []struct {
				name          string
				width, height int64
			}{{"desk", 1366, 768}, {"phone", 390, 844}} {
				amy.do(chromedp.EmulateViewport(size.width, size.height))
				require.LessOrEqual(t, read[int](amy.tab, "document.documentElement.scrollWidth"), int(size.width), "%s is wider than the glass", path)
				if *shots == "" {
					continue
				}
				amy.do(chromedp.EmulateViewport(size.width, min(tallest, read[int64](amy.tab, "document.documentElement.scrollHeight"))))
				amy.shot("page-" + naming.Replace(path) + "-" + language[:2] + "-" + size.name)
			}
		}
	}
}
