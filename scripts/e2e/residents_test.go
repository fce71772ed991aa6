//go:build e2e

package e2e

import (
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
)

var jsqr = flag.String("jsqr", "", "file of jsQR, which reads QR codes as a telephone does")

const residentsParameter = "almenara:residents"

// asking has an alert ask residents.
func asking(words string, infos ...info) []info {
	for _, i := range infos {
		i["parameter"] = []map[string]string{{"valueName": residentsParameter, "value": words}}
	}
	return infos
}

// servedWith starts a node again with further flags.
func (d *district) servedWith(i int, flags ...string) {
	d.stop(i)
	d.nodes[i].serve = flags
	d.start(i)
}

// codeRead is what a telephone reads on a picture of the glass of a screen, once it can read one.
func (p *tab) codeRead(reader *tab) string {
	p.t.Helper()
	source, err := os.ReadFile(*jsqr)
	require.NoError(p.t, err, "scripts/e2e.sh installs it")
	reader.script(string(source) + "\n;window.jsQR = typeof jsQR === 'undefined' ? module.exports : jsQR; undefined")
	for end := time.Now().Add(patience); ; {
		png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		require.NoError(p.t, err)
		if found := reader.codeIn(png); found != "" {
			return found
		} else if time.Now().After(end) {
			p.shot("failed-" + filepath.Base(p.t.Name()))
			require.FailNow(p.t, "there is no code on the glass that a telephone can read")
		}
	}
}

func (p *tab) codeIn(png []byte) string {
	p.t.Helper()
	return read[string](p, `(async () => {
		const image = new Image()
		image.src = "data:image/png;base64,`+base64.StdEncoding.EncodeToString(png)+`"
		await image.decode()
		const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height })
		const to = canvas.getContext("2d")
		to.drawImage(image, 0, 0)
		const pixels = to.getImageData(0, 0, image.width, image.height)
		const found = jsQR(pixels.data, image.width, image.height)
		return found ? found.data : ""
	})()`)
}

// A screen shows a code; a phone reads it off the glass, confirms, and asks for help with a photo at a node that is
// not the screen's; an operator at a third node sees the counts by block, and who needs help, and takes it up.
func TestResidents_FromTheCodeToTheOperator(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("amy", "composer")
	d.servedWith(0, "--residents", d.api(1))
	wide := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	upright := d.screen(newBrowser(t), 0, "lift-2", 1080, 1920)
	fire := d.warn(2, time.Hour, "Actual", asking("seen help photo",
		text("zh-Hant", "火警", "安定邨火警，請即由樓梯撤離", "切勿使用升降機。"), text("en", "Fire", "Fire in On Ting Estate, leave by the stairs", "Do not use the lifts."))...)
	wide.until("the wide screen shows a code", `document.querySelector(".card .code svg path")`)
	upright.until("the upright screen shows a code", `document.querySelector(".card .code svg path")`)
	wide.shot("screen-code-wide")
	upright.shot("screen-code-upright")
	d.rung(0, fire.Alert, "presented", 2)

	reader := newBrowser(t).open("about:blank", 400, 400)
	link := wide.codeRead(reader)
	require.True(t, strings.HasPrefix(link, strings.ToUpper(d.api(1))+"/R/"), link)
	require.Equal(t, link, upright.codeRead(reader), "of one block and one moment")

	phone := newOwnBrowser(t, chromedp.Flag("accept-lang", "zh-HK")).open(link, 390, 844)
	phone.until("the alert, Chinese first", `document.querySelector("h1").textContent === "安定邨火警，請即由樓梯撤離"`)
	phone.accessible(t, "resident, the alert")
	phone.shot("resident-open")
	phone.do(chromedp.Click(chromedp.CSS("button.seen")))
	phone.until("it was received", `document.querySelector(".good") && document.querySelector(".told")`)
	phone.shot("resident-seen")
	phone.do(chromedp.SendKeys(chromedp.CSS("#where"), "12/F, B"))
	phone.do(chromedp.SendKeys(chromedp.CSS("#text"), "煙很大 the stairs are full of smoke"))
	phone.do(chromedp.SetUploadFiles(chromedp.CSS("#photo"), []string{bigPhoto(t)}))
	phone.until("the photo was made smaller", `document.querySelector("#photo").files[0].size < 1000000 && !document.querySelector("button.help").disabled`)
	phone.shot("resident-form")
	phone.do(chromedp.Click(chromedp.CSS("button.help")))
	phone.until("the request was received", `document.querySelector(".good").textContent.includes("你的求助已收到")`)
	phone.until("with its photo", `!document.querySelector(".good").textContent.includes("相片未能接收")`)
	phone.accessible(t, "resident, answered")
	phone.shot("resident-help")
	narrow := newBrowser(t).open(link, 320, 640)
	narrow.until("at 320 pixels nothing is cut", `document.documentElement.scrollWidth <= 320`)
	narrow.do(chromedp.Click(chromedp.CSS("button.seen")))
	narrow.until("a second phone", `document.querySelector(".good")`)
	narrow.shot("resident-320")

	amy := d.at(2, "amy", 1366, 768)
	amy.go1(2, "alerts/"+fire.Alert)
	amy.until("the alert says how many", `document.querySelector('[data-part="residents"]') && document.querySelector('[data-part="residents"]').textContent.includes("1 needs help")`)
	amy.shot("console-alert-residents")
	amy.press(`a[href$="/residents"]`)
	amy.until("two have seen it", `document.querySelector('dl [data-part="seen"]').textContent === "2"`)
	amy.says("煙很大 the stairs are full of smoke")
	amy.until("with the photo", `(i => i && i.complete && i.naturalWidth > 300)(document.querySelector(".said img"))`)
	amy.accessible(t, "residents")
	amy.shot("console-residents")
	amy.chinese("console-residents-zh")
	amy.do(chromedp.EmulateViewport(390, 844))
	amy.shot("console-residents-phone")
	amy.chinese("console-residents-phone-zh")
	amy.do(chromedp.EmulateViewport(1366, 768))
	third := newBrowser(t).open(link, 390, 844)
	third.do(chromedp.Click(chromedp.CSS("button.seen")))
	third.until("a third phone", `document.querySelector(".good")`)
	amy.until("the page counts it without a press", `document.querySelector('dl [data-part="seen"]').textContent === "3"`)
	amy.press(`.said button[value=forwarded]`)
	amy.until("it is passed on", `document.querySelector(".said .state").textContent === "passed on"`)
	amy.go1(2, "alerts/"+fire.Alert+"/answers")
	amy.until("the answers lead there", `document.querySelector('a[href$="/residents"]')`)

	guessed := newBrowser(t).open(d.api(1)+"/r/"+strings.Repeat("a", 159), 390, 844)
	guessed.until("a link that nobody made is refused in a sentence", `document.querySelector(".wrong").textContent.includes("This link is not valid")`)
	guessed.shot("resident-refused")
	d.cancel(2, fire.Alert)
	phone.until("it ends here, too", `fetch(location.href).then(r => window.over = r.status) && window.over === 404`)
	phone.reload()
	phone.until("the alert is over", `document.querySelector(".wrong") && document.querySelector(".wrong").textContent.includes("This alert is over")`)
	phone.shot("resident-over")
	wide.until("the code goes with the alert", idle)
}

// A node that is alone shows codes, and takes what residents answer; the others know it once they are reached.
func TestResidents_AtANodeThatIsAlone(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	listen := clustertest.FreeAddr(t)
	d.servedWith(0, "--residents", "http://"+listen, "--residents-listen", listen)
	screen := d.screen(newBrowser(t), 0, "lift-1", 1366, 768)
	fire := d.warn(0, time.Hour, "Actual", asking("seen help", text("zh-Hant", "火警", "安定邨火警", "沿樓梯離開。"))...)
	d.rung(0, fire.Alert, "presented", 1)
	d.stop(1)
	d.stop(2)
	d.until("the node is alone", func() bool {
		var is struct{ Alone bool }
		return d.get(0, "status", &is) == nil && is.Alone
	})
	screen.reload()
	screen.until("the screen shows a code", `document.querySelector(".card .code svg path")`)
	screen.shot("screen-code-1366")
	phone := newBrowser(t).open(screen.codeRead(newBrowser(t).open("about:blank", 400, 400)), 390, 844)
	phone.do(chromedp.SendKeys(chromedp.CSS("#where"), "3/F"))
	phone.do(chromedp.Click(chromedp.CSS("button.help")))
	phone.until("it is kept by this box", `document.querySelector(".good").textContent.includes("kept by this box alone")`)
	phone.shot("resident-alone")
	d.start(1)
	d.start(2)
	var got struct {
		Help    int
		Answers []struct{ Where string }
	}
	d.until("every node knows who needs help", func() bool {
		d.read(2, &got, "report", "residents", fire.Alert)
		return got.Help == 1 && got.Answers[0].Where == "3/F"
	})
}
