//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// totp is the code that an authenticator program shows (RFC 6238).
func totp(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	require.NoError(t, err)
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[from:])&0x7fffffff)%1_000_000)
}

// secondFactor sets one up for whoever has signed in, who then signs in again with a recovery code.
func (o *operator) secondFactor(name string) {
	o.t.Helper()
	o.do(chromedp.Navigate(o.at("account")))
	o.until("the secret", `document.querySelector("code.secret")`)
	form := `form[action$="/second-factor"] `
	code := totp(o.t, read[string](o.tab, `document.querySelector("code.secret").textContent`), time.Now())
	o.do(chromedp.SendKeys(chromedp.CSS(form+`[name="code"]`), code), chromedp.SendKeys(chromedp.CSS(form+`[name="old"]`), consolePassword))
	o.press(form + "button")
	o.until("recovery codes", `document.querySelectorAll(".codes code").length === 10`)
	recovery := read[string](o.tab, `document.querySelector(".codes code").textContent`)
	o.press(".codes a.button")
	o.until("the page to sign in", `document.querySelector("input[name=password]")`)
	o.fill("name", name)
	o.fill("password", consolePassword)
	o.fill("code", recovery)
	o.press("main button.main")
	o.until("somebody is signed in", `document.querySelector(".who a")`)
}

// at is the address of a page at the node where the browser is.
func (o *operator) at(path string) string {
	return read[string](o.tab, `location.origin`) + "/console/" + path
}

func (o *operator) to(path string) {
	o.t.Helper()
	o.do(chromedp.Navigate(o.at(path)))
}

// freeze stops the processes of nodes as they are, so that nobody reaches them; thaw lets them go on.
func (d *district) freeze(nodes ...int) { d.signal(syscall.SIGSTOP, nodes) }
func (d *district) thaw(nodes ...int)   { d.signal(syscall.SIGCONT, nodes) }

func (d *district) signal(s syscall.Signal, nodes []int) {
	d.t.Helper()
	for _, i := range nodes {
		require.NoError(d.t, d.nodes[i].process.Process.Signal(s))
	}
}

// looks takes pictures of a page in both languages, and holds it to what everybody can use.
func (o *operator) looks(name string) {
	o.t.Helper()
	o.until(name, `document.readyState === "complete" && document.querySelector("h1")`)
	require.LessOrEqual(o.t, read[int](o.tab, "document.documentElement.scrollWidth - window.innerWidth"), 0, "%s scrolls sideways", name)
	o.accessible(o.t, name)
	o.shot(name)
}

// A node is alone with an alert that waits. The approver is at another one, which never hears of the
// alert: the words, a number and a code go by voice, and no data at all.
func TestApprovals_ByVoice(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("amy", "composer")
	d.person("ben", "approver")
	d.person("eve", "approver")
	ben := d.at(1, "ben", 390, 844)
	ben.secondFactor("ben")
	amy := d.at(0, "amy", 1366, 768)

	d.crash(1) // not frozen: what the first node writes to their connections must never be read
	d.crash(2)
	amy.until("the node is alone", `(location.pathname.endsWith("wall") || (leaving = true, location.reload())) && document.querySelector(".banner.alone")`)
	amy.go_("fire/flood")
	if read[bool](amy.tab, `!!document.querySelector("[name=reason]")`) {
		amy.fill("reason", "the river rises")
	}
	amy.fill("word", "SEND")
	amy.press("form.send button")
	amy.says("waits for approval")
	id := read[string](amy.tab, `document.querySelector("[data-alert]").dataset.alert`)
	amy.go_("alerts/" + id + "/approve")
	amy.says("Asked now: ben")
	number := read[string](amy.tab, `document.querySelector(".number").textContent`)
	amy.script(`document.querySelector("details[open]").scrollIntoView()`)
	amy.looks("approvals-by-voice-desk")
	amy.chinese("approvals-by-voice-desk-zh")

	d.freeze(0)
	d.start(1, 2)
	ben.until("the others agree", `fetch("/console/approvals").then(r => r.ok, () => false)`)
	ben.to("approvals")
	ben.says("Nothing waits for approval")
	ben.press(`a[href="/console/approvals/number"]`)
	ben.page("/console/approvals/number")
	ben.looks("approvals-number-phone")
	ben.chinese("approvals-number-phone-zh")
	ben.fill("number", number)
	ben.press("main button.main")
	ben.until("the code", `document.querySelector(".digits")`)
	ben.looks("approvals-code-phone")
	code := read[string](ben.tab, `document.querySelector(".digits").textContent`)
	require.Regexp(t, `^\d{3} \d{3}$`, code)

	d.freeze(1, 2)
	d.thaw(0)
	amy.go_("alerts/" + id + "/approve")
	form := `form[action$="/spoken"] `
	type_ := func(name, code string) {
		amy.until("the form", `document.querySelector('`+form+`[name=code]')`)
		amy.do(chromedp.SetValue(chromedp.CSS(form+"[name=for]"), name), chromedp.SendKeys(chromedp.CSS(form+"[name=code]"), code), chromedp.SendKeys(chromedp.CSS(form+"[name=reason]"), "by radio"))
		amy.press(form + "button")
	}
	type_("eve", code)
	amy.says("this is no code of eve")
	amy.go_("alerts/" + id + "/approve")
	type_("ben", code)
	amy.says("It is sent")
	amy.says("Approved by ben")
	amy.says("read out, typed in by amy")

	d.thaw(1, 2)
	d.until("the audit has all of it", func() bool {
		raw, err := d.try(1, "audit", "export")
		return err == nil && strings.Contains(string(raw), `READ OUT as the code \"`+strings.ReplaceAll(code, " ", "")+`\" and typed in by amy`)
	})
}

// Who is asked, and until when, is on the page of a second browser.
func TestApprovals_SayWhoIsAskedAndUntilWhen(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer")
	d.person("ben", "approver")
	d.person("cat", "approver")
	amy, ben := d.at(0, "amy", 1366, 768), d.at(0, "ben", 390, 844)
	ben.go_("approvals")
	ben.says("Nothing waits for approval")
	id := amy.send("flood", nil, "SEND")
	ben.until("it is there without a hand on the page", `document.querySelector('[data-alert="`+id+`"]')`)
	ben.says("Asked now: ben")
	require.Regexp(t, `until \d\d:\d\d:\d\d`, read[string](ben.tab, `document.querySelector("[data-part=until]").textContent`))
	ben.looks("approvals-phone")
	ben.chinese("approvals-phone-zh")
	require.Contains(t, string(d.run(0, "alert", "list")), "asked for approval now: ben, until")
	ben.press(`a[href="/console/alerts/` + id + `/approve"]`)
	ben.page("/approve$")
	ben.looks("approve-phone")
	ben.chinese("approve-phone-zh")
	ben.fill("reason", "seen from the window")
	ben.press("form.send button")
	ben.says("It is sent")
	amy.go_("alerts/" + id)
	amy.says("Approved by ben")
	amy.says("seen from the window")
}

// Doors that were knocked at are marked, one by one and by block; those who have not confirmed are
// reminded.
func TestApprovals_DoorsAndReminders(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer")
	d.person("vic", "viewer")
	amy := d.at(0, "amy", 390, 844)
	id := amy.send("fire", map[string]string{"where": "Block 2"}, "SEND")
	amy.go_("alerts/" + id + "/unreached")
	amy.says("28 doors to knock at")
	amy.says("no device")
	amy.looks("unreached-phone")
	amy.chinese("unreached-phone-zh")
	amy.press(`tr[data-alert="lift-2-3"] input`)
	amy.press(`tr[data-alert="lift-2-4"] input`)
	amy.press("tr[data-alert=\"lift-2-3\"]")
	amy.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('tr[data-alert="lift-2-3"]').closest("form").querySelector("button.main").click()`))
	amy.until("two are told", `document.querySelectorAll("tr.told").length === 2`)
	amy.says("26 doors to knock at")
	amy.says("2 were told by a person")
	amy.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('tr[data-alert="lift-1-1"]').closest("form").querySelector("button[name=all]").click()`))
	amy.until("a block is told", `document.querySelectorAll("tr.told").length === 9`)
	amy.looks("unreached-told-phone")
	amy.chinese("unreached-told-phone-zh")

	var shown struct {
		Told  int
		Rungs struct{ Presented, Acknowledged int }
	}
	d.read(0, &shown, "alert", "show", id)
	require.Equal(t, 9, shown.Told)
	require.Zero(t, shown.Rungs.Presented+shown.Rungs.Acknowledged, "told is not presented")

	amy.do(chromedp.SetValue(chromedp.CSS("select[name=every]"), "5"))
	amy.press(`form[action$="/remind"] button`)
	amy.says("present it again now")
	amy.says("It comes every 5 minutes by itself")
	amy.looks("alert-reminded-phone")
	amy.chinese("alert-reminded-phone-zh")

	vic := d.at(0, "vic", 1366, 768)
	vic.go_("alerts/" + id + "/unreached")
	vic.says("19 doors to knock at")
	require.False(t, read[bool](vic.tab, `!!document.querySelector("main button, main input")`), "who only looks marks nothing")
	vic.looks("unreached-desk")
	vic.chinese("unreached-desk-zh")
}
