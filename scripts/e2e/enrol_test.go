//go:build e2e

package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const hasCode = `/^\d{4} \d{4}$/.test(document.querySelector("#code").textContent)`

func (p *tab) code() string {
	p.t.Helper()
	p.until("the device shows its code", hasCode)
	return read[string](p, `document.querySelector("#code").textContent`)
}

// letIn is what a person does at the console: finds the code, compares it, and says what the device is.
func (o *operator) letIn(code, id, place string, replaces bool) {
	o.t.Helper()
	o.go_("enrol")
	o.until("it waits", `[...document.querySelectorAll(".row .digits")].some(d => d.textContent === `+strconv.Quote(code)+`)`)
	o.script(`[...document.querySelectorAll(".row")].find(r => r.innerText.includes(` + strconv.Quote(code) + `)).querySelector("a").click()`)
	o.page("/console/enrol/device/")
	o.press("input[name=same]")
	o.script(`document.querySelector("input[name=id]").value = ` + strconv.Quote(id))
	if place != "" {
		o.script(`document.querySelector("select[name=place]").value = ` + strconv.Quote(place))
	}
	if replaces {
		o.script(`document.querySelector("input[name=replaces]").checked = true`)
	}
	o.press("button.main")
	o.says("Let in:")
}

const estateBlock = "tuen-mun/on-ting/block-1"

// A screen that nobody set up: page open, digits compared, and it shows what is in force.
func TestEnrol_AScreenInAMinuteAndOutInASecond(t *testing.T) {
	d := newDistrict(t, 3)
	estate(d)
	d.person("omar", "device-manager")
	o := d.at(0, "omar", 1366, 768)
	o.go_("enrol")
	o.says("No device waits here")
	o.shot("enrol-none")

	began := time.Now()
	wall := newBrowser(t).open(d.api(0)+"/screen/", 1920, 1080)
	code := wall.code()
	wall.shot("enrol-screen")
	o.letIn(code, "wall-1", estateBlock, false)
	wall.until("the screen is connected", connected)
	t.Logf("from an open page to a connected screen: %v", time.Since(began).Round(time.Millisecond))
	require.Less(t, time.Since(began), time.Minute)
	fire := d.warn(1, time.Hour, "Actual", text("en", "Fire", "Fire in block 1", "Leave by the stairs."))
	wall.until("it shows what is in force", showing("danger", "Fire in block 1"))
	d.rung(0, fire.Alert, "presented", 1)

	// A broken panel: another takes its name, and the old one is out.
	panel := newBrowser(t).open(d.api(0)+"/screen/", 1920, 1080)
	code = panel.code()
	o.letIn(code, "wall-1", "", true)
	began = time.Now()
	out := `document.querySelector("#age").textContent.includes("connection lost")`
	wall.until("the old one is out", out)
	t.Logf("the panel that was replaced was out after %v", time.Since(began).Round(time.Millisecond))
	require.Less(t, time.Since(began), time.Second)
	panel.until("the new one is connected", connected)
	panel.until("and shows what is in force", showing("danger", "Fire in block 1"))

	began = time.Now()
	d.run(2, "device", "revoke", "wall-1") // at another node than the one that it is connected to
	panel.until("a revoked device is out", out)
	t.Logf("a revoked screen was out %v after the command began", time.Since(began).Round(time.Millisecond))
	require.Less(t, time.Since(began), 2*time.Second, "the command itself is a process that starts")
}

// Tickets: a phone that scans one, one that scans it again, and a sheet for lifts.
func TestEnrol_CodesToScan(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("omar", "device-manager")
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desk", 1366, 768}, {"phone", 390, 844}} {
		o := d.at(0, "omar", size.width, size.height)
		look := func(name string) {
			require.LessOrEqual(t, read[int](o.tab, "document.documentElement.scrollWidth"), int(size.width), "%s scrolls sideways", name)
			o.accessible(t, name)
			o.shot("console-" + name + "-" + size.name)
		}
		o.go_("enrol")
		o.says("A code to scan")
		look("enrol")
		o.chinese("console-enrol-zh-" + size.name)
		o.script(`document.querySelector("form[action$=code] select[name=place]").value = "` + estateBlock + `"`)
		o.press("form[action$=code] button")
		o.until("the code", `document.querySelector("svg.qr path").getAttribute("d").startsWith("M4 4h7v1h-7z")`)
		look("enrol-code")
		link := read[string](o.tab, `document.querySelector(".link").innerText`)
		require.True(t, strings.HasPrefix(link, d.api(0)+"/phone/#ticket="), link)

		phone := newBrowser(t).open(link, 390, 844)
		code := phone.code()
		phone.accessible(t, "phone that waits")
		phone.shot("enrol-phone")
		require.Equal(t, "", read[string](phone, "location.hash"), "the ticket is out of the address")
		again := newBrowser(t).open(link, 390, 844)
		again.until("a ticket is used once", `document.querySelector("#why").textContent.includes("used already")`)
		require.NotEqual(t, code, again.code())
		phone.reload()
		phone.until("a reload keeps the code", hasCode+` && document.querySelector("#code").textContent === `+strconv.Quote(code))

		o.go_("enrol")
		o.says(code)
		look("enrol-waiting")
		o.script(`[...document.querySelectorAll(".row")].find(r => r.innerText.includes(` + strconv.Quote(code) + `)).querySelector("a").click()`)
		o.page("/console/enrol/device/")
		look("enrol-device")
		o.chinese("console-enrol-device-zh-" + size.name)
		o.letIn(code, "phone-"+size.name, "", false)
		phone.until("the phone is connected", phoneConnected)

		o.go_("enrol")
		var lines []string
		for i := range 50 {
			lines = append(lines, "lift-"+strconv.Itoa(i)+" "+estateBlock)
		}
		o.script(`document.querySelector("textarea").value = ` + strconv.Quote(strings.Join(lines, "\n")))
		o.press("form[action$=sheet] button")
		o.page("/console/enrol/sheet")
		o.until("fifty codes", `document.querySelectorAll("svg.qr").length === 50`)
		look("enrol-sheet")
	}
}

// What a page of another site, and whoever asks without JSON, get.
func TestEnrol_OtherSitesAskForNothing(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	for _, header := range [][2]string{{"Origin", "http://evil.example"}, {"Content-Type", "text/plain"}} {
		r, err := http.NewRequest(http.MethodPost, d.api(0)+"/enrol/ask", strings.NewReader(`{"kind":"screen"}`))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set(header[0], header[1])
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, 403, answer.StatusCode)
	}
}
