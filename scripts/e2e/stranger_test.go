//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A stranger with a telephone at night, who has the README and the token: each step says what the next one
// is, and what is refused says so in the language of the page.
func TestStranger_FindsTheWayFromTheTokenToTheAlert(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	o := &operator{tab: newBrowser(t).open(d.api(0)+"/console/", 390, 844), d: d}
	n := 0
	look := func(what string) {
		t.Helper()
		n++
		require.LessOrEqual(t, read[int](o.tab, "document.documentElement.scrollWidth"), 390, "%s scrolls sideways", what)
		o.shot("stranger-" + string(rune('a'+n-1)) + "-" + what)
	}
	o.until("the page to sign in", `document.querySelector("input[name=password]")`)
	look("sign-in")
	o.press(`a[href="/console/first"]`)
	o.until("the first page", `document.querySelector("input[name=token]")`)
	o.fill("token", d.token)
	o.fill("password", consolePassword)
	o.fill("again", consolePassword)
	look("first")
	o.press("main button.main")
	o.until("somebody is signed in", `document.querySelector(".who a")`)
	look("came-in")
	chinese := func() {
		o.press(".who form button[lang=zh-Hant]")
		o.until("Chinese", `document.documentElement.lang === "zh-Hant"`)
	}
	o.go_("wall")
	o.until("the wall", `document.querySelector("h1")`)
	look("wall-empty")
	o.go_("scenarios")
	o.until("scenarios", `document.querySelector("h1")`)
	look("scenarios-no-places")
	o.go_("ability")
	o.until("ability", `document.querySelector("h1")`)
	look("ability-empty")
	file := filepath.Join(t.TempDir(), "residents.csv")
	require.NoError(t, os.WriteFile(file, []byte("id,kind,place,name,tags\nr-1,person,tuen-mun/on-ting/on-lai,Chan Tai Man,risk=high\n"), 0o600))
	d.run(0, "audience", "import", file)
	d.run(0, "device", "enrol", "--kind", "screen", "--new-kind", "--place", "tuen-mun/on-ting/on-lai", "lift-0042")
	o.go_("scenarios")
	o.until("scenarios", `document.querySelector("h1")`)
	look("scenarios-after-import")
	d.run(0, "scenario", "ready", "put", "block-fire")
	chinese()
	o.go_("wall")
	o.until("the wall", `document.querySelector("h1")`)
	look("wall-zh")
	o.go_("fire/block-fire")
	o.until("the scenario", `document.querySelector("h1")`)
	look("fire-zh")
	d.run(0, "alert", "send", "--event", "Flood", "--headline", "Go to the second floor", "--select", "place under tuen-mun/on-ting")
	o.go_("now")
	o.until("an alert", `document.querySelector(".row[data-alert]")`)
	look("now-zh")
	id := read[string](o.tab, `document.querySelector(".row[data-alert]").dataset.alert`)
	o.go_("alerts/" + id)
	o.until("the alert", `document.querySelector("[data-alert]")`)
	look("alert-zh")
	remind := `(document.querySelector('form[action$="/remind"]').submit(), 1)`
	read[int](o.tab, remind)
	o.until("reminded", `document.querySelector(".good-news")`)
	look("reminded-zh")
	read[int](o.tab, remind)
	o.until("too soon", `document.querySelector("main [role=alert]") && !document.querySelector(".good-news")`)
	o.says("一分鐘內")
	look("too-soon-zh")
	o.go_("alerts/" + id + "/unreached")
	o.until("who has not heard it", `document.querySelector("h1")`)
	look("unreached-zh")
	o.go_("enrol")
	o.until("enrolling", `document.querySelector("h1")`)
	look("enrol-zh")
	read[int](o.tab, `(document.querySelector('form[action$="/enrol/code"]').submit(), 1)`)
	o.until("a code", `document.querySelector("svg.qr")`)
	look("code-zh")
	o.go_("alerts/" + id + "/correct")
	o.until("the correction", `document.querySelector("h1")`)
	look("correct-zh")
	o.go_("alerts/" + id + "/end")
	o.press("button.stop")
	o.until("ended", `location.pathname.endsWith("`+id+`")`)
	look("ended-zh")
	o.go_("alerts/" + id + "/update")
	o.until("a problem", `document.querySelector("p.wrong")`)
	o.says("此警報已結束")
	look("over-zh")
	o.go_("alerts/" + id + "/report")
	o.until("the report", `document.querySelector("h1")`)
	look("report-zh")
	o.go_("handbook")
	o.until("the handbook", `document.querySelector("h1")`)
	look("handbook-zh")
}
