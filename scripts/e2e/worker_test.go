//go:build e2e

package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// workerKeeps is true in the page once its worker has all of it, and answers for it.
const workerKeeps = `navigator.serviceWorker.controller && window.almenara && almenara.receiver.health.level`

// marked is true in the page once a headline stands on a card that no node has confirmed.
func marked(headline string) string {
	return showing("danger", headline) + ` && document.querySelector(".card .unconfirmed").innerText.includes("not confirmed by a node since")`
}

// The page of a screen loads while no node is there, with what was in force, verified again and marked; what has run
// out meanwhile is not shown, nor anything that somebody changed in the store. A node that is back decides.
func TestScreen_SurvivesAReloadWithoutANode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	p.until("the level is told", workerKeeps+` === "C"`)
	fire := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in On Lai House", "Leave by the stairs."))
	short := d.warn(0, 30*time.Second, "Actual", text("en", "Gas", "Gas in On Hong House", "Stay inside."))
	runsOut := time.Now().Add(30 * time.Second)
	p.until("both are shown", showing("danger", "On Lai")+" && "+showing("danger", "On Hong"))
	d.rung(0, fire.Alert, "presented", 1)
	d.rung(0, short.Alert, "presented", 1)
	d.stop(0)
	p.reload()
	p.until("the page is there, with what was in force", marked("On Lai")+" && "+showing("danger", "On Hong"))
	p.shot("screen-without-a-node")
	p.accessible(t, "screen without a node")
	require.Equal(t, "never", read[string](p, `document.querySelector("#age").className`))
	d.until("one has run out", func() bool { return time.Now().After(runsOut) })
	p.until("it is gone", `document.querySelectorAll(".card").length === 1 && `+marked("On Lai"))

	// Somebody with the box changes what is stored: a text that is not signed is not shown.
	p.script(`(async () => {
		const db = await new Promise((resolve) => { const o = indexedDB.open("almenara", 1); o.onsuccess = () => resolve(o.result) })
		const all = (mode) => db.transaction("texts", mode).objectStore("texts")
		const got = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result) })
		const kept = JSON.parse(await got(all("readonly").get("memory/lift-1")))
		window.before = JSON.stringify(kept)
		for (const a of kept.rules.alerts) if (a.shown) a.shown.texts[0].headline = "Everybody to the roof"
		await got(all("readwrite").put(JSON.stringify(kept), "memory/lift-1"))
		leaving = true
		location.reload()
	})()`)
	p.until("what was signed is shown", marked("On Lai"))
	require.False(t, read[bool](p, showing("danger", "roof")))

	d.start(0)
	p.until("it is confirmed", connected+` && !document.querySelector(".unconfirmed") && document.querySelectorAll(".card").length === 1`)
	require.Equal(t, 1, d.rungs(0, fire.Alert)["presented"], "it has not begun a second time")

	// What ended while the page was away is never shown again once a node can say so.
	d.cancel(0, fire.Alert)
	p.until("all is over", idle)
}

// Over https with a certificate that the browser trusts, at an address that others reach, the level is B.
func TestScreen_OverHTTPSIsLevelB(t *testing.T) {
	t.Parallel()
	d := reachable(t)
	address := d.nodes[0].listen
	link, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // #nosec G402 -- it is asked which key it has
	require.NoError(t, err)
	key := sha256.Sum256(link.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	require.NoError(t, link.Close())
	b := newOwnBrowser(t, chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(key[:])))
	p := d.screen(b, 0, "lift-1", 1920, 1080)
	p.until("the level is told", workerKeeps+` === "B"`)
	d.until("the district knows it", func() bool {
		return strings.Contains(string(d.run(0, "--json", "device", "show", "lift-1")), `"level": "B"`)
	})
	var fire sent
	d.read(0, &fire, "alert", "send", "--event", "Fire", "--headline", "Fire in On Lai House", "--severity", "Extreme", "--urgency", "Immediate", "--select", "place under tuen-mun/on-ting")
	p.until("it is shown", `document.querySelector(".card")`)
	d.stop(0)
	p.reload()
	p.until("it is there without a node", `document.querySelector(".card .unconfirmed") && `+workerKeeps+` === "B"`)
	p.shot("screen-without-a-node-https")
	require.Equal(t, 1, read[int](p, `document.querySelectorAll(".card").length`))
	require.Equal(t, []string{address}, read[[]string](p, `caches.keys().then(names => Promise.all(names.map(n => caches.open(n).then(c => c.keys())))).then(all => [...new Set(all.flat().map(r => new URL(r.url).host))])`), "nothing of another origin is kept")
	d.start(0)
	p.until("it is confirmed", `document.querySelector(".card") && !document.querySelector(".unconfirmed")`)
}

// reachable is a district of one node whose API and pages are HTTPS, at an address of this machine that is not loopback.
func reachable(t testing.TB) *district {
	t.Helper()
	require.NotEmpty(t, *program, "run scripts/e2e.sh, or give -program")
	m := newMember(t, 0)
	_, port, err := net.SplitHostPort(m.listen)
	require.NoError(t, err)
	m.listen, m.tls = net.JoinHostPort(ownAddress(t), port), true
	for i, flag := range m.flags {
		if flag == "--listen" {
			m.flags[i+1] = m.listen
		}
	}
	d := &district{t: t, nodes: []*member{m}}
	mustRun(t, append([]string{"init", "--data", m.folder, "--name", "n1", "--district", "tuen-mun"}, m.flags...)...)
	token, err := os.ReadFile(filepath.Join(m.folder, "operator.token"))
	require.NoError(t, err)
	d.token = strings.TrimSpace(string(token))
	d.start(0)
	return d
}

func ownAddress(t testing.TB) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	require.FailNow(t, "this machine has no address but loopback")
	return ""
}
