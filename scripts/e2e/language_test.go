//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// holds waits until a field of the page has a value.
func (o *operator) holds(field, value string) {
	o.t.Helper()
	o.until(field+" is "+value, fmt.Sprintf(`document.querySelector("main [name='%s']")?.value === %q`, field, value))
}

// into takes another language in the middle of a page.
func (o *operator) into(tag string) {
	o.t.Helper()
	o.press(".who form button[lang=" + tag + "]")
	o.until(tag, fmt.Sprintf(`document.documentElement.lang === %q && document.readyState === "complete"`, tag))
}

// Somebody types into forms, takes the other language in the middle, and finds what was typed; nothing is sent
// or saved by it. What is wrong is then said in that language.
func TestLanguage_KeepsWhatIsTyped(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	mapped(d)
	d.person("root", "administrator")
	d.person("amy", "composer", "corrector")
	d.person("mei", "audience-manager", "viewer")

	amy := d.at(0, "amy", 1366, 768)
	amy.go_("compose")
	amy.written("gas", "Gas leak, leave by the stairs", "氣體洩漏，請沿樓梯離開")
	amy.choose("add", "ur")
	amy.press(`button[value=add]`)
	amy.until("one more language", `document.querySelector("[name='headline.2']")`)
	amy.fill("headline.2", "گیس کا اخراج")
	amy.tick("place", "tuen-mun/on-ting/block-1")
	amy.into("zh-Hant")
	amy.holds("headline.0", "Gas leak, leave by the stairs")
	amy.holds("headline.2", "گیس کا اخراج")
	amy.until("the place", `document.querySelector("input[name=place][value='tuen-mun/on-ting/block-1']:checked")`)
	amy.check()
	amy.into("en")
	amy.until("whom it reaches, in English", `document.querySelector("#audience")`)
	amy.into("zh-Hant")
	amy.accessible(t, "compose-checked-zh")
	amy.whole("language-compose-zh")
	if n := len(d.open(0)); n != 0 {
		t.Fatalf("%d alerts were sent", n)
	}

	root := d.at(0, "root", 390, 844)
	root.go_("scenario?ready=block-evacuation")
	root.until("its texts", `document.querySelector("[name='headline.1']")`)
	root.empty("named")
	root.fill("named", "My own")
	root.into("zh-Hant")
	root.holds("named", "My own")
	root.accessible(t, "language-scenario-zh")

	mei := d.at(0, "mei", 1366, 768)
	mei.go_("place/tuen-mun/on-ting")
	mei.until("the form", `document.querySelector("[data-place]")`)
	mei.field("n.en", "On Ting, renamed")
	mei.into("zh-Hant")
	mei.holds("n.en", "On Ting, renamed")
	mei.until("the address of the page", `location.pathname === "/console/place/tuen-mun/on-ting"`)
	mei.press(`button[value="save"]`)
	mei.until("what would change", `document.querySelector("table.changes")`)
	mei.into("en")
	mei.says("Nothing is changed yet")

	// A page with several forms keeps the one in which somebody has typed.
	root.into("en")
	root.go_("people/amy")
	root.until("its forms", `document.querySelectorAll("main form").length > 2`)
	root.choose("system", "yes")
	root.into("zh-Hant")
	root.holds("system", "yes")

	// A correction that is refused comes again with what was typed, and why, and goes out when it is mended.
	amy.into("en")
	one := d.warn(0, time.Hour, "Actual", text("en", "Smoke", "Smoke drifts north", "Close the windows."))
	amy.go_("alerts/" + one.Alert + "/correct")
	amy.until("its words", `document.querySelector("[name='headline.0']")`)
	amy.script(`document.querySelector("[name='headline.0']").value = ""`)
	amy.fill("reason", "the wind has turned")
	amy.press(`form[action$="/correct"] > p:last-child button`)
	amy.until("why it is refused", `document.querySelector("[data-refused]")`)
	amy.holds("reason", "the wind has turned")
	amy.until("the address of the page", `location.pathname.endsWith("/correct")`)
	amy.accessible(t, "correct-refused")
	amy.whole("correct-refused")
}
