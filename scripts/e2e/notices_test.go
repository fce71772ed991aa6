//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// levelled puts the scenario of a planned water outage that two levels read before it goes out.
func levelled(d *district) {
	d.t.Helper()
	info := func(language, event, headline, description, instruction string) string {
		return fmt.Sprintf(`{"language":%q,"category":["Infra"],"event":%q,"urgency":"Future","severity":"Minor","certainty":"Likely","senderName":"On Ting Estate Office","headline":%q,"description":%q,"instruction":%q,"area":[{"areaDesc":"On Ting Estate"}]}`,
			language, event, headline, description, instruction)
	}
	d.put("scenarios/planned-outage", `{"id":"planned-outage","title":"Planned water outage 預定停水","select":"place under tuen-mun/on-ting","minutes":60,"alert":{"info":[`+
		info("en", "Water outage", "No water in {{where}} on {{day}}", "Pipes are renewed. The water is not contaminated.", "Store some water before.")+`,`+
		info("zh-Hant", "停水", "{{where}}於 {{day}} 停水", "更換喉管，食水未受污染。", "請預先儲水。")+`]},
		"blank_rules":[{"name":"where","for":"Which block 哪一座","max_length":40},{"name":"day","for":"When 何時","max_length":40}],
		"chain":{"levels":[{"title":"Estate office 屋邨辦事處","role":"composer","hours":4},{"title":"District office 地區辦事處","role":"approver","checklist":["The dates agree with the work order 日期與施工單相符","The phone number was called 已試撥電話"]}],
		"words":[{"word":"contaminated","why":"only the water department says so","tick":true},{"word":"污染","why":"只可由水務署公布","tick":true}]}}`)
}

// A planned water outage: the first level comments and sends it back, its author writes a new version, two
// levels pass it on, the second with its checklist, and it goes out to a screen.
func TestNotices_FromTheDraftToTheScreen(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	levelled(d)
	d.person("amy", "composer")
	d.person("ben", "composer")
	d.person("chief", "approver")
	screen := d.screen(newBrowser(t), 2, "lift-on-lai", 800, 1280)

	amy := d.at(0, "amy", 1366, 768)
	amy.to("notices")
	amy.says("No planned notice is open")
	amy.looks("notices-none")
	amy.press(`a[href="/console/notices/write"]`)
	amy.says("What is it about?")
	amy.looks("notices-choose")
	amy.press(`a[href$="scenario=planned-outage"]`)
	amy.fill("b.where", "On Lai House")
	amy.fill("b.day", "some day")
	amy.looks("notices-write")
	amy.press("main button.main")
	amy.says("It waits at its first level")
	id := read[string](amy.tab, `location.pathname.split("/").pop()`)

	ben := d.at(1, "ben", 390, 844)
	ben.to("approvals")
	ben.says("1 waits, 1 for you")
	ben.looks("notices-line-phone")
	ben.press(`a[href="/console/notices"]`)
	ben.page("/console/notices$")
	ben.looks("notices-phone")
	ben.chinese("notices-phone-zh")
	ben.press(`a[href="/console/notices/` + id + `"]`)
	ben.says("Level 1 waits for you")
	ben.says("only the water department says so")
	ben.looks("notice-phone")
	ben.chinese("notice-phone-zh")
	first := `section.text:first-of-type `
	ben.press(first + "summary")
	ben.do(chromedp.SendKeys(chromedp.CSS(first+"textarea"), "Which day?"))
	ben.press(first + "details button")
	ben.says("The comment stands there")
	ben.press(".decide summary")
	ben.do(chromedp.SendKeys(chromedp.CSS(".decide details textarea"), "Say which day."))
	ben.press(".decide details button")
	ben.says("Sent back to its author")

	amy.to("notices/" + id)
	amy.says("Say which day.")
	amy.says("Which day?")
	amy.press(`a[href$="/version"]`)
	amy.until("the form", `document.querySelector('[name="b.day"]')`)
	amy.do(chromedp.SetValue(chromedp.CSS(`[name="b.day"]`), "Tuesday 1 December"))
	amy.fill("why", "the day")
	amy.looks("notices-version")
	amy.press("main button.main")
	amy.says("before:")
	amy.looks("notice-versions")
	amy.chinese("notice-versions-zh")

	ben.to("notices/" + id)
	ben.says("Tuesday 1 December")
	ben.press(".decide .tick input[value=contaminated]")
	ben.press(".decide .tick input[value=污染]")
	ben.press(".decide button.main")
	ben.says("Passed on.")

	chief := d.at(2, "chief", 1366, 768)
	chief.to("notices/" + id)
	chief.says("Level 2 waits for you")
	chief.looks("notice-checklist")
	chief.chinese("notice-checklist-zh")
	for n := range 2 {
		chief.press(fmt.Sprintf(".decide label.tick:nth-of-type(%d) input", n+1))
	}
	chief.press(".decide button.main")
	chief.says("Passed on.")
	screen.until("the notice is on the glass", showing("caution", "No water in On Lai House on Tuesday 1 December"))
	chief.until("it is an alert", `document.querySelector('a[href^="/console/alerts/"]') || (leaving = true, location.reload())`)
	chief.looks("notice-sent")
	chief.to("now")
	chief.says("No water in On Lai House on Tuesday 1 December")
}
