//go:build e2e

package e2e

import (
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A call-out as its operator sees it: what is planned before it is sent, who has answered, the second group
// that is called because too few have, and an answer that is changed.
func TestEscalation_AsItsOperatorSeesIt(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.put("scenarios/call-out", `{"id":"call-out","title":"Call out wardens 召集管理員","alert":{"info":[
		{"language":"en","category":["Safety"],"event":"Call-out","urgency":"Immediate","severity":"Severe","certainty":"Observed","headline":"Wardens to the lobby","instruction":"Come to the lobby of Block 1."},
		{"language":"zh-Hant","category":["Safety"],"event":"召集","urgency":"Immediate","severity":"Severe","certainty":"Observed","headline":"管理員到大堂集合","instruction":"請到第1座大堂。"}]},
		"select":"id = amy","minutes":60,"remind_minutes":5,"escalate":{"answers":2,"minutes":1,"groups":["id = bob","place under tuen-mun/on-ting/block-1"]}}`)
	amy, bob := d.phone(0, "amy", "en"), d.phone(0, "bob", "zh-HK")
	d.person("dan", "composer", "viewer")
	o := d.at(0, "dan", 1366, 768)
	o.go_("fire/call-out")
	o.says("2 answers within 1 minute, or the next group is called.")
	o.says("Devices on which nobody has confirmed it present it again every 5 minutes, with sound.")
	o.accessible(t, "a call-out before it is sent")
	o.shot("callout-check-en-desk")
	o.chinese("callout-check-zh-desk")
	alert := o.send("call-out", nil, "SEND")
	o.says("0 of 2 answered. Next group at")
	o.accessible(t, "a call-out")
	o.shot("callout-sent-en-desk")
	amy.until("amy is asked", asks("Wardens to the lobby"))
	require.False(t, read[bool](bob, asks("管理員到大堂集合")), "bob is not called yet")
	amy.do(chromedp.Click(chromedp.CSS("button.done")))
	o.says("1 of 2 answered. Next group at")
	bob.until("bob is called", asks("管理員到大堂集合"))
	o.says("1 of 2 had answered")
	bob.do(chromedp.Click(chromedp.CSS("button.done")))
	o.says("2 of 2 answered. Nobody else is called.")
	o.shot("callout-enough-en-desk")
	o.go_("now")
	o.says("2 of 2 answered. Nobody else is called.")
	o.shot("callout-now-en-desk")

	amy.do(chromedp.Click(chromedp.CSS("button.change")))
	amy.accessible(t, "phone, answering anew")
	amy.shot("phone-change-en")
	amy.do(chromedp.Click(chromedp.CSS("button.help")))
	o.says("1 of 2 answered. Next group at")
	p := d.at(0, "dan", 390, 844)
	p.go_("alerts/" + alert)
	p.says("1 of 2 answered. Next group at")
	p.accessible(t, "a call-out on a telephone")
	p.shot("callout-en-phone")
	p.chinese("callout-zh-phone")
	p.go_("compose")
	p.press("details:has([name=then]) summary")
	p.accessible(t, "the form with groups")
	p.shot("callout-form-en-phone")
	p.chinese("callout-form-zh-phone")
	o.go_("alerts/" + alert + "/end")
	o.press("main form button")
	amy.until("it is over", `document.querySelector("#cards").className === "idle"`)
}

// A reminder is heard from a speaker's page and from a screen's.
func TestReminder_IsHeard(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	b := newOwnBrowser(t, chromedp.Flag("accept-lang", "en"))
	speaker := d.speaker(b, 0, "hall-1", 1366, 768)
	screen := d.screen(newBrowser(t), 0, "lift-1", 1366, 768, "sound", "on")
	for _, p := range []*tab{speaker, screen} {
		p.script(counting)
	}
	speaker.until("it is ready", `document.querySelector("#state").className === "ready"`)
	water := d.warn(0, time.Hour, "Actual", text("en", "Water", "No water", "Store water.").minor())
	d.rung(0, water.Alert, "presented", 2)
	speaker.until("it has ended", `document.querySelector("#state").className === "ready"`)
	heard, sounded := read[int](speaker, "played.tones"), read[int](screen, "played.tones + played.buffers")
	d.run(0, "alert", "remind", water.Alert)
	speaker.until("the speaker announces it again", `document.querySelector("#state").className === "sounds"`)
	speaker.shot("speaker-reminded-en-desk")
	speaker.until("it has ended again", `document.querySelector("#state").className === "ready"`)
	require.Greater(t, read[int](speaker, "played.tones"), heard)
	screen.until("the screen sounds again", `played.tones + played.buffers > `+strconv.Itoa(sounded))
	require.Equal(t, 2, d.rungs(0, water.Alert)["presented"], "a reminder is told by nobody")
}
