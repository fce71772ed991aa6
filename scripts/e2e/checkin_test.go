//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// visit opens a page of a phone and looks whether it can be used there.
func visit(t testing.TB, p *tab, url, until, shot string) {
	t.Helper()
	p.do(chromedp.Navigate(url))
	p.until(shot, until)
	p.accessible(t, shot)
	require.LessOrEqual(t, read[int](p, "document.documentElement.scrollWidth"), read[int](p, "window.innerWidth"), "%s scrolls sideways", shot)
	p.shot(shot)
}

// An operator prints the code of a place; a phone checks in by it; an alert recalls who was there; the phone is shown it
// at another node, answers, and is counted in the console. A phone that was elsewhere sees nothing.
func TestCheckIn_FromTheSheetToTheRecall(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("amy", "composer")
	d.servedWith(0, "--residents", d.api(0))
	d.run(0, "scenario", "ready", "put", "visitors")
	amy := d.at(0, "amy", 1366, 768)
	amy.go_("checkins")
	amy.until("the form", `document.querySelector("select[name=place]")`)
	amy.accessible(t, "checkins")
	amy.shot("checkins")
	amy.chinese("checkins-zh")
	amy.go_("checkins?sheet=1&place=tuen-mun/on-ting/block-1")
	amy.until("the code", `document.querySelector(".places svg path")`)
	amy.accessible(t, "place-codes")
	amy.shot("place-codes")
	amy.chinese("place-codes-zh")
	link := amy.codeRead(newBrowser(t).open("about:blank", 400, 400))
	require.True(t, strings.HasPrefix(link, strings.ToUpper(d.api(0))+"/R/AT/"), link)

	phone := newOwnBrowser(t, chromedp.Flag("accept-lang", "zh-HK")).open(link, 390, 844)
	phone.until("the name of the place", `document.querySelector("h1").textContent.includes("第1座")`)
	phone.accessible(t, "check-in")
	phone.shot("checkin-open")
	phone.do(chromedp.Click(chromedp.CSS("button.seen")))
	phone.until("it is checked in", `document.querySelector(".good") && document.querySelector(".told")`)
	phone.accessible(t, "checked in")
	phone.shot("checkin-done")
	require.Empty(t, read[string](phone, "document.cookie"), "no script reads the visits")
	var codes struct{ Codes []struct{ Link string } }
	d.read(0, &codes, "checkin", "codes", "tuen-mun/on-ting/block-2")
	elsewhere := newBrowser(t).open(codes.Codes[0].Link, 320, 640)
	elsewhere.until("at 320 pixels nothing is cut", `document.querySelector("button.seen") && document.documentElement.scrollWidth <= 320`)
	elsewhere.shot("checkin-320")
	elsewhere.do(chromedp.Click(chromedp.CSS("button.seen")))
	elsewhere.until("it is checked in elsewhere", `document.querySelector(".good")`)

	amy.do(chromedp.Navigate(d.api(1) + "/console/checkins?place=tuen-mun/on-ting/block-1"))
	amy.says("Phones checked in 1 times.")
	amy.accessible(t, "checkins, counted")
	amy.shot("checkins-counted")
	amy.chinese("checkins-counted-zh")
	amy.do(chromedp.EmulateViewport(390, 844))
	amy.shot("checkins-counted-phone")
	amy.chinese("checkins-counted-phone-zh")
	amy.do(chromedp.EmulateViewport(1366, 768))
	amy.press(`a[href^="/console/fire/visitors"]`)
	for name, text := range map[string]string{"place_zh": "第1座", "place": "Block 1", "when_zh": "今日", "when": "today", "what_zh": "有人確診麻疹。", "what": "Somebody there has measles."} {
		amy.fill("b."+name, text)
	}
	amy.press("form[method=get] button")
	amy.until("what it does", `document.querySelector("button.live")`)
	amy.shot("checkin-recall-check")
	amy.fill("word", "SEND")
	amy.press("button.live")
	amy.until("it is sent", `document.querySelector("[data-alert]")`)
	alert := read[string](amy.tab, `document.querySelector("[data-alert]").dataset.alert`)

	other := d.api(2) + "/r/visits" // another node, and cookies are of a host, whatever the port
	d.until("the other node knows the alert", func() bool {
		phone.do(chromedp.Navigate(other))
		return read[bool](phone, `document.querySelector(".recall") !== null`)
	})
	visit(t, phone, other, `document.querySelector(".recall a")`, "visits-recalled")
	elsewhere.do(chromedp.Navigate(other))
	elsewhere.until("who was elsewhere is shown nothing", `document.body.innerText.includes("No alert is about your visits")`)
	elsewhere.accessible(t, "visits")
	elsewhere.shot("visits-none-320")
	elsewhere.do(chromedp.Navigate(d.api(2) + "/r/recall/" + alert))
	elsewhere.until("nor may answer", `document.querySelector(".wrong").textContent.includes("no visit that this alert is about")`)

	phone.do(chromedp.Click(chromedp.CSS(".recall a")))
	phone.until("the alert with its form", `document.querySelector("button.help") && document.querySelector("button.seen")`)
	phone.accessible(t, "recall")
	phone.shot("recall-open")
	phone.do(chromedp.Click(chromedp.CSS("button.seen")))
	phone.until("well", `document.querySelector(".good") && document.querySelector(".told")`)
	phone.do(chromedp.SendKeys(chromedp.CSS("#text"), "發燒 fever since this morning"))
	phone.do(chromedp.SendKeys(chromedp.CSS("#where"), "9123 4567"))
	phone.do(chromedp.Click(chromedp.CSS("button.help")))
	phone.until("symptoms", `document.querySelector(".good").textContent.includes("on the list of the people in charge")`)
	phone.accessible(t, "recall, answered")
	phone.shot("recall-answered")

	amy.do(chromedp.Navigate(d.api(1) + "/console/alerts/" + alert + "/residents"))
	amy.says("HAS SYMPTOMS")
	amy.says("發燒 fever since this morning")
	amy.says("9123 4567")
	amy.until("one is well, one has symptoms", `document.querySelector('dl [data-part="seen"]').textContent === "1" && document.querySelector('dl [data-part="help"]').textContent === "1"`)
	amy.accessible(t, "residents of a recall")
	amy.shot("console-recall")
	amy.chinese("console-recall-zh")
	amy.do(chromedp.EmulateViewport(390, 844))
	amy.shot("console-recall-phone")
	amy.chinese("console-recall-phone-zh")
	var report struct {
		Residents []struct{ Seen, Help int }
	}
	d.read(1, &report, "alert", "report", alert)
	require.Equal(t, []struct{ Seen, Help int }{{1, 1}}, report.Residents)

	d.cancel(1, alert)
	d.until("it ends for the phone, too", func() bool {
		phone.do(chromedp.Navigate(other))
		return read[bool](phone, `document.querySelector(".recall") === null`)
	})
	phone.do(chromedp.Click(chromedp.CSS("button.plain")))
	phone.until("forgotten", `document.body.innerText.includes("The visits on this phone are gone")`)
	phone.shot("visits-forgotten")
}

// A node that was restarted still counts what it counted, and a code of a node that was removed is refused.
func TestCheckIn_CodesOfANodeThatWasRemoved(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.servedWith(2, "--residents", d.api(0)) // as behind one name
	var codes struct{ Codes []struct{ Link string } }
	d.read(2, &codes, "checkin", "codes", "tuen-mun/on-ting/block-1")
	phone := newBrowser(t).open(codes.Codes[0].Link, 390, 844)
	phone.do(chromedp.Click(chromedp.CSS("button.seen")))
	phone.until("every node verifies it", `document.querySelector(".good")`)
	d.stop(0)
	d.start(0)
	var counted struct{ Total int }
	d.until("the count is still there", func() bool {
		d.read(1, &counted, "checkin", "count", "tuen-mun/on-ting")
		return counted.Total == 1
	})
	d.stop(2)
	d.run(0, "node", "remove", "n3")
	d.until("its codes are refused", func() bool {
		phone.do(chromedp.Navigate(codes.Codes[0].Link))
		return read[bool](phone, `document.body.innerText.includes("out of date")`)
	})
	phone.shot("checkin-removed")
}
