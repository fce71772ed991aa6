//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A real screen proves that it would show an alert, without anybody noticing; is found; and is left alone
// while it shows an emergency.
func TestAbility_TestAndIdentifyAScreen(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("chief", "device-manager", "composer")
	s := d.screen(newBrowser(t), 1, "lift-7", 1366, 768)
	d.run(0, "device", "enrol", "--kind", "screen", "--place", block, "lift-8") // never connects
	// What the page would show is noted, whoever looks.
	s.script(`window.dims = []; new MutationObserver(changes => {
		for (const { addedNodes } of changes) for (const n of addedNodes) if (n.className === "dim") dims.push(Number(getComputedStyle(n).opacity))
	}).observe(document.body, { childList: true }); 0`)
	o := d.at(0, "chief", 1366, 768)
	o.go_("devices/lift-7")
	o.says("Test silently")
	o.shot("device-try")
	o.press(`form[action$="/test"] button`)
	o.says("The test: passed.")
	o.says("It proved: display, sound")
	o.shot("device-tested")
	require.Equal(t, []float64{0.02}, read[[]float64](s, "dims"))
	require.False(t, read[bool](s, `!!document.querySelector(".dim, .note")`))
	o.accessible(t, "device-tested")

	o.press(`form[action$="/identify"] button`)
	o.says("It identifies itself now")
	s.until("the screen says what and where it is", `document.querySelector(".note") && document.querySelector(".note").textContent.includes("lift-7")`)
	require.Contains(t, read[string](s, `document.querySelector(".note").textContent`), "On Ting Estate")
	s.shot("screen-identify")
	alert := d.warn(2, time.Hour, "Actual", text("en", "Fire", "Fire in block 2", "Leave by the stairs"))
	s.until("the emergency is shown", showing("danger", "Fire in block 2"))
	s.until("nothing stands over it", `!document.querySelector(".note")`)
	o.press(`form[action$="/identify"] button`)
	o.says("It identifies itself now")
	s.until("it is drawn", `!document.querySelector(".note")`)
	o.press(`form[action$="/test"] button`)
	o.says("showed an alert when it was tested")
	require.Len(t, read[[]float64](s, "dims"), 1, "an alert is left alone")
	o.go_("ability")
	o.press(`form[action$="/ability/test"] button`)
	o.says("Nothing was begun")
	o.shot("ability-emergency")
	d.cancel(0, alert.Alert)
}

// The page of the morning, after everything was tested.
func TestAbility_TheMorning(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	estate(d)
	d.person("amy", "composer")
	b := newBrowser(t)
	s1 := d.screen(b, 0, "lift-7", 800, 600)
	s2 := d.screen(b, 1, "lift-9", 800, 600)
	d.run(0, "device", "enrol", "--kind", "screen", "--place", "tuen-mun/on-ting/block-2", "lift-8")
	o := d.at(0, "amy", 1366, 768)
	o.go_("ability")
	o.says("0 of 3 devices proved")
	o.press(`main form button`)
	o.says("2 devices are being tested silently")
	d.until("both have passed", func() bool {
		var able struct{ Passed int }
		d.read(1, &able, "ability")
		return able.Passed == 2
	})
	for _, p := range []*tab{s1, s2} {
		require.False(t, read[bool](p, `!!document.querySelector(".dim, .note")`))
	}
	drill := d.warn(0, time.Hour, "Exercise", text("en", "Fire", "DRILL: fire", "Leave by the stairs"), text("zh-Hant", "火警", "演習：火警", "使用樓梯"))
	d.rung(0, drill.Alert, "presented", 2)
	o.go_("ability")
	o.says("2 of 3 devices proved")
	o.says("has never connected and proved itself")
	o.shot("ability")
	o.accessible(t, "ability")
	o.chinese("ability-zh")
	o.go_("ability/drills")
	o.says("On Ting Estate")
	o.shot("drills")
	o.accessible(t, "drills")
	o.chinese("drills-zh")
	phone := d.at(0, "amy", 390, 844)
	phone.go_("ability")
	phone.says("2 of 3 devices proved")
	phone.shot("ability-phone")
	phone.chinese("ability-phone-zh")
	phone.go_("ability/drills")
	phone.says("Within 10 seconds")
	phone.shot("drills-phone")
	phone.go_("devices/lift-7")
	phone.says("Test silently")
	phone.shot("device-try-phone")
	phone.chinese("device-try-phone-zh")
}

// Two senders who contradict each other, and the fourth notice in an hour.
func TestAbility_NoiseAndContradiction(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer")
	for _, event := range []string{"Lift works", "Noise", "Cleaning"} {
		d.warn(0, time.Hour, "Actual", text("en", event, event+" today until 18:00", "Nothing to do").minor().with("category", []string{"Other"}))
	}
	d.put("scenarios/notice", `{"id":"notice","title":"A notice","alert":{"status":"Actual","info":[{"language":"en","category":["Other"],"event":"Notice","urgency":"Expected","severity":"Minor","certainty":"Likely","headline":"The lift is cleaned","instruction":"Use the other one."}]},"select":"place under tuen-mun/on-ting","minutes":60}`)
	o := d.at(0, "amy", 390, 844)
	o.go_("fire/notice")
	o.says("notice number 4 within an hour")
	o.shot("noise-phone")
	o.accessible(t, "noise")
	o.chinese("noise-phone-zh")
	o.go_("now")
	require.False(t, read[bool](o.tab, `!!document.querySelector(".contrary")`))
	d.warnAs("city@example.org", "Evacuate", "Leave the building")
	d.warnAs("ministry@example.org", "Shelter", "Stay inside")
	o.go_("now")
	o.says("Two senders contradict each other")
	o.shot("contrary-phone")
	o.accessible(t, "contrary")
	o.chinese("contrary-phone-zh")
}

// warnAs warns of a fire under a CAP sender of its own.
func (d *district) warnAs(sender, response, headline string) {
	d.t.Helper()
	i := text("en", "Fire", headline, headline).with("responseType", []string{response}).with("senderName", sender).with("expires", time.Now().Add(time.Hour).Format("2006-01-02T15:04:05-07:00"))
	body, err := json.Marshal(map[string]any{"select": "place under tuen-mun/on-ting", "alert": map[string]any{"status": "Actual", "sender": sender, "info": []info{i}}})
	require.NoError(d.t, err)
	r, err := http.NewRequest(http.MethodPost, d.api(0)+"/api/v1/alerts", bytes.NewReader(body))
	require.NoError(d.t, err)
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(d.t, err)
	defer answer.Body.Close()
	require.Less(d.t, answer.StatusCode, 300, sender)
}
