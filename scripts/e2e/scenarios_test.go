//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// An administrator writes a scenario from a ready-made one, with a third language; another one has it open
// meanwhile and is told; a composer sends it from the wall; and it goes to a file and back.
func TestScenarios_WrittenInTheConsole(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("root", "administrator")
	d.person("boss", "administrator")
	d.person("amy", "composer")

	root := d.at(0, "root", 1366, 768)
	root.go_("scenarios")
	root.press(`main a[href="/console/scenario"]`)
	root.says("Begin with a ready-made one")
	root.accessible(t, "scenario-new")
	root.whole("scenario-new")
	root.chinese("scenario-new-zh")
	root.choose("ready", "block-evacuation")
	root.press(`form[method=get] button`)
	root.until("its texts", `document.querySelector("[name='headline.1']")?.value.includes("{{estate}}")`)
	require.Equal(t, 4, read[int](root.tab, `document.querySelectorAll("input[name^='blank.']").length`))
	root.choose("add", "fil")
	root.press("button[value=language]")
	root.until("a third language", `document.querySelector("[name='headline.2']")`)
	root.fill("headline.2", "Lumikas na sa {{estate}}, Block {{block}}")
	root.fill("event.2", "Paglikas")
	root.fill("instruction.2", "Gamitin ang hagdan. Pumunta sa {{shelter}} ngayon.")
	root.tick("choose", "1") // off: it is for the whole estate
	root.tick("by", "place")
	root.choose("place", "tuen-mun/on-ting")
	root.empty("named", "id")
	root.fill("named", "Evacuation, three languages")
	root.fill("id", "evacuate-three")
	root.press(".do button[value=check]")
	root.says("It can be sent as it is. It is not saved yet.")
	root.says("28 members")
	root.until("pictures of screens, of all languages", `document.querySelectorAll(".glass figure").length >= 4`)
	root.accessible(t, "scenario-checked")
	root.whole("scenario-checked")
	root.press(`main button[formaction]`)
	root.page("/console/scenarios$")
	root.says("Evacuation, three languages")

	boss := d.at(0, "boss", 390, 844)
	boss.go_("scenarios")
	boss.press(`a[href="/console/scenarios/evacuate-three/write"]`)
	boss.until("its texts", `document.querySelector("[name='headline.2']")`)
	boss.accessible(t, "scenario-phone")
	boss.whole("scenario-phone")
	require.LessOrEqual(t, read[int](boss.tab, "document.documentElement.scrollWidth"), 390)
	boss.chinese("scenario-phone-zh")

	root.go_("scenarios/evacuate-three/write")
	root.empty("minutes")
	root.fill("minutes", "0")
	root.press(".do button[value=check]")
	root.until("the browser holds it back", `document.querySelector("[name=minutes]:invalid")`)
	root.empty("minutes")
	root.fill("minutes", "45")
	root.press(".do button[value=check]")
	root.says("It can be sent as it is")
	root.press(`main button[formaction]`)
	root.page("/console/scenarios$")
	root.says("holds 45 minutes")

	boss.press(".do button[value=check]")
	boss.says("It can be sent as it is")
	boss.press(`main button[formaction]`)
	boss.says("somebody has changed or removed the scenario evacuate-three")
	boss.shot("scenario-changed-phone")

	amy := d.at(0, "amy", 1366, 768)
	amy.go_("wall")
	amy.press(`a.fire[href="/console/fire/evacuate-three"]`)
	amy.page("/console/fire/")
	for blank, text := range map[string]string{"estate": "On Ting", "estate_zh": "安定邨", "block": "2", "shelter": "the hall"} {
		amy.fill("b."+blank, text)
	}
	amy.press("form[method=get] button")
	amy.until("whom it reaches", `document.querySelector("#audience")`)
	amy.fill("word", "SEND")
	amy.press("form.send button")
	amy.says("waits for approval")

	file := filepath.Join(t.TempDir(), "scenario.json")
	text := read[string](root.tab, `(() => { const r = new XMLHttpRequest(); r.open("GET", "/console/scenarios/evacuate-three/file", false); r.send(); return r.responseText })()`)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	root.go_("scenario")
	root.upload("file", file)
	root.press(`form[enctype] button`)
	root.until("the scenario of the file", `document.querySelector("[name='headline.2']")?.value.includes("Lumikas")`)
	d.run(0, "scenario", "check", file)
	require.NoError(t, os.WriteFile(file, []byte("no scenario"), 0o600))
	root.go_("scenario")
	root.upload("file", file)
	root.press(`form[enctype] button`)
	root.says("the file holds no scenario")
}

// empty removes what stands in fields.
func (o *operator) empty(fields ...string) {
	o.t.Helper()
	for _, field := range fields {
		o.script(`document.querySelector("[name=` + field + `]").value = ""`)
	}
}
