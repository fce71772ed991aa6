//go:build e2e

package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// bigPhoto is a file of a camera: several megabytes, with a place written beside the picture.
func bigPhoto(t testing.TB) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 4000, 3000))
	noise := rand.New(rand.NewPCG(1, 2))
	for y := range 3000 {
		for x := range 4000 {
			smoke := uint8(noise.IntN(60))
			m.SetRGBA(x, y, color.RGBA{uint8(90+x/50) + smoke, uint8(60+y/40) + smoke, 60 + smoke, 255})
		}
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 97}))
	require.Greater(t, b.Len(), 5<<20)
	exif := append([]byte("Exif\x00\x00"), "GPS-SECRET-PLACE"...)
	raw := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	name := filepath.Join(t.TempDir(), "IMG_0001.jpg")
	require.NoError(t, os.WriteFile(name, append(raw, b.Bytes()[2:]...), 0o600))
	return name
}

// phoneOf is a phone that knows one node alone.
func (d *district) phoneOf(node int, id, language string) *tab {
	d.t.Helper()
	var enrolled []struct {
		Secret  string
		RootKey string `json:"root_key"`
	}
	d.read(node, &enrolled, "device", "enrol", "--kind", "phone", "--place", "tuen-mun/on-ting/block-2", id)
	given := url.Values{"id": {id}, "secret": {enrolled[0].Secret}, "root": {enrolled[0].RootKey}, "servers": {d.ws(node)}, "zone": {"Asia/Hong_Kong"}}
	p := newOwnBrowser(d.t, chromedp.Flag("accept-lang", language)).open(d.api(node)+"/phone/#"+given.Encode(), 390, 844)
	p.until("the phone is connected", phoneConnected)
	return p
}

// standsAt has the page's phone say where it is.
func (p *tab) standsAt(lat, lon string) {
	p.script(`navigator.geolocation.getCurrentPosition = ok => ok({ coords: { latitude: ` + lat + `, longitude: ` + lon + `, accuracy: 12 } })`)
}

// outlined gives the blocks of the estate places on the map.
func outlined(d *district) {
	d.put("places", `[
		{"path":"tuen-mun","names":{"en":"Tuen Mun","zh-Hant":"屯門"}},
		{"path":"tuen-mun/on-ting","names":{"en":"On Ting Estate","zh-Hant":"安定邨"},"shape":["22.3870,113.9720 22.3870,113.9790 22.3920,113.9790 22.3920,113.9720 22.3870,113.9720"]},
		{"path":"tuen-mun/on-ting/block-1","names":{"en":"Block 1","zh-Hant":"第1座"},"lat":22.3880,"lon":113.9735},
		{"path":"tuen-mun/on-ting/block-2","names":{"en":"Block 2","zh-Hant":"第2座"},"lat":22.3885,"lon":113.9760},
		{"path":"tuen-mun/on-ting/block-3","names":{"en":"Block 3","zh-Hant":"第3座"},"lat":22.3905,"lon":113.9740},
		{"path":"tuen-mun/on-ting/block-4","names":{"en":"Block 4","zh-Hant":"第4座"},"lat":22.3912,"lon":113.9772}]`)
}

// A phone reports with a photo while its node is down. The node comes back; an operator at another node sees
// the report on the map, and says what was made of it.
func TestReports_FromThePhoneToTheMap(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	outlined(d)
	d.person("amy", "composer")
	p := d.phoneOf(0, "warden-phone", "en")
	fire := d.warn(0, time.Hour, "Actual", text("zh-Hant", "火警", "安定邨火警", "沿樓梯離開。"), text("en", "Fire", "Fire in On Ting Estate", "Leave by the stairs."))
	p.until("it is asked", asks("Fire in On Ting Estate"))
	p.do(chromedp.Click(chromedp.CSS("button.safe")))
	p.until("it stands in the list", `document.querySelector("#cards").className === "list"`)
	p.until("the worker is there", `navigator.serviceWorker.ready.then(() => caches.keys()).then(k => window.kept = k.length) && window.kept === 1`)

	d.stop(0)
	p.until("the phone knows that it is alone", `document.querySelector("#age").className !== "fresh"`)
	p.standsAt("22.3890", "113.9763")
	p.do(chromedp.Click(chromedp.CSS("#report")))
	p.until("the form", `!document.querySelector("#reporting").hidden`)
	p.accessible(t, "phone, reporting")
	p.shot("phone-report-form")
	p.do(chromedp.Click(chromedp.CSS("#send")))
	p.until("it asks for the kind", `document.querySelector("#reporting-says").textContent !== ""`)
	p.do(chromedp.Click(chromedp.CSS(`#kinds input[value=need_help]`)))
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#photo"), []string{bigPhoto(t)}))
	p.until("the photo is made smaller", `!document.querySelector("#seen").hidden`)
	p.do(chromedp.SendKeys(chromedp.CSS("#text"), "The stairs are full of smoke, two people cannot walk"))
	p.do(chromedp.SendKeys(chromedp.CSS("#place"), "12/F, Block 2"))
	p.do(chromedp.Click(chromedp.CSS("#position")))
	p.shot("phone-report-filled")
	p.do(chromedp.Click(chromedp.CSS("#send")))
	p.until("it waits, and says so", `document.querySelector("#told-list li span").textContent.startsWith("Waiting")`)
	p.accessible(t, "phone, waiting")
	p.shot("phone-report-waiting")
	p.reload()
	p.until("it waits after a reload", `document.querySelector("#told-list li span") && document.querySelector("#told-list li span").textContent.startsWith("Waiting")`)

	amy := d.at(1, "amy", 1366, 768)
	amy.go1(1, "now")
	amy.says("none is new")
	d.start(0)
	p.until("it was sent", `document.querySelector("#told-list li span").textContent.startsWith("Sent at")`)
	p.shot("phone-report-sent")
	amy.until("the operator at another node sees it without a press", `document.querySelector('[data-part="reports"]').textContent.includes("1 needs help")`)
	amy.shot("console-now-reports")
	amy.press(`a[href="/console/reports"]`)
	amy.until("it is on the map", `document.querySelector(".pin.help")`)
	amy.until("with its photo", `(i => i && i.complete && i.naturalWidth > 300)(document.querySelector(".said img"))`)
	amy.says("The stairs are full of smoke, two people cannot walk")
	amy.accessible(t, "reports")
	amy.shot("console-reports")
	amy.chinese("console-reports-zh")
	require.NotContains(t, amy.bytesOf(`document.querySelector(".said img").src`), "GPS-SECRET-PLACE")
	amy.do(chromedp.EmulateViewport(390, 844))
	amy.shot("console-reports-phone")
	amy.chinese("console-reports-phone-zh")
	amy.do(chromedp.EmulateViewport(1366, 768))
	amy.clicks = 0
	amy.press(`.said button[value=forwarded]`)
	amy.until("it is passed on", `document.querySelector(".said .state").textContent === "passed on"`)
	require.Equal(t, 1, amy.clicks)
	amy.shot("console-reports-moderated")
	amy.go1(1, "alerts/"+fire.Alert)
	amy.says("none is new")
	amy.shot("console-alert-reports")

	var page struct {
		Reports []struct{ Kind, Handling, By, Text string }
	}
	d.until("every node knows who said so", func() bool {
		d.read(2, &page, "report", "list", "--alert", fire.Alert)
		return len(page.Reports) == 1 && page.Reports[0].Handling == "forwarded" && page.Reports[0].By == "amy"
	})

	p.standsAt("22.3901", "113.9750")
	p.do(chromedp.Click(chromedp.CSS("#share")))
	p.until("where the person is was sent", `document.querySelector("#shared").textContent.startsWith("Where you are was sent")`)
	amy.go1(1, "reports?alert="+fire.Alert)
	amy.until("the responder is on the map", `document.querySelector("circle.responder")`)
	amy.shot("console-reports-responder")
}

// go1 opens a page of the console at a node.
func (o *operator) go1(node int, path string) {
	o.t.Helper()
	o.do(chromedp.Navigate(o.d.api(node) + "/console/" + path))
}

// bytesOf is the bytes behind an address, as the page's session may read them.
func (p *tab) bytesOf(address string) string {
	return read[string](p, `fetch(`+address+`).then(r => r.arrayBuffer()).then(b => new TextDecoder("latin1").decode(b))`)
}

// A report beyond what a member may send is refused in words, in the person's language, and can be sent later.
func TestReports_SaysWhatIsRefused(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	p := d.phoneOf(0, "phone-zh", "zh-HK")
	p.do(chromedp.Click(chromedp.CSS("#report")))
	p.until("the form", `!document.querySelector("#reporting").hidden`)
	p.shot("phone-report-form-zh")
	p.do(chromedp.Click(chromedp.CSS("#back")))
	p.script(`(async () => { for (let i = 0; i < 13; i++) await almenara.reports.add({ kind: "hazard", at: new Date().toISOString() }) })()`)
	p.until("the last is refused", `[...document.querySelectorAll("#told-list li span")].some(s => s.textContent.startsWith("被拒"))`)
	p.accessible(t, "phone, refused")
	p.shot("phone-report-refused-zh")
	require.Equal(t, 12, strings.Count(string(d.run(0, "--json", "report", "list", "--limit", "50")), `"handling": "new"`))
}
