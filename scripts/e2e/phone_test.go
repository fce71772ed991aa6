//go:build e2e

package e2e

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const phoneConnected = `document.querySelector("#age").className === "fresh" && window.almenara`

// phone enrols a phone of a member and opens its page at a node, in a browser of a language.
func (d *district) phone(node int, id, language string, of ...string) *tab {
	d.t.Helper()
	var enrolled []struct {
		Secret  string
		Servers []string
		RootKey string `json:"root_key"`
	}
	d.read(node, &enrolled, append(append([]string{"device", "enrol", "--kind", "phone", "--place", block}, of...), id)...)
	given := url.Values{"id": {id}, "secret": {enrolled[0].Secret}, "root": {enrolled[0].RootKey}, "servers": {strings.Join(enrolled[0].Servers, ",")}, "zone": {"Asia/Hong_Kong"}}
	p := newOwnBrowser(d.t, chromedp.Flag("accept-lang", language)).open(d.api(node)+"/phone/#"+given.Encode(), 390, 844)
	p.until("the phone is connected", phoneConnected)
	return p
}

// asks is true in the page while a headline is asked about before anything else.
func asks(headline string) string {
	return `document.querySelector("#cards").className === "forced" && document.querySelector("#cards .head").textContent.includes("` + headline + `")`
}

// What is critical is answered before anything else; what was answered stays, and is known after a reload.
func TestPhone_AnswersWhatIsCritical(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	d.person("amy", "composer")
	amy := d.at(0, "amy", 1366, 768)
	for _, language := range []string{"en", "zh-HK"} {
		p := d.phone(0, "phone-"+language, language)
		p.until("nothing is in force", `document.querySelector("#nothing").textContent !== ""`)
		p.accessible(t, "phone, nothing in force")
		p.shot("phone-idle-" + language)
		fire := d.warn(0, time.Hour, "Actual",
			text("zh-Hant", "火警", "安麗樓火警，請即沿樓梯離開", "切勿使用升降機。關上身後的門，到遊樂場集合。").with("description", "安麗樓十二樓起火，消防處人員已到場。").with("contact", "屋邨辦事處 2450 0000"),
			text("en", "Fire", "Fire in On Lai House: leave by the stairs now", "Do not use the lifts. Close doors behind you. Wait at the playground.").with("description", "There is a fire on the 12th floor of On Lai House. The Fire Services are there."))
		headline := map[string]string{"en": "Fire in On Lai House", "zh-HK": "安麗樓火警"}[language]
		p.until("it must be answered, in the person's language first", asks(headline))
		d.rung(0, fire.Alert, "presented", 1)
		p.accessible(t, "phone, forced")
		p.shot("phone-forced-" + language)
		require.True(t, read[bool](p, `document.querySelector("#home").inert && document.querySelector("#top").inert`), "nothing else can be reached")
		require.True(t, read[bool](p, `(b => b.bottom <= innerHeight && b.height >= 48)(document.querySelector("button.help").getBoundingClientRect())`), "the answers are in reach")
		p.reload()
		p.until("a reload is no way around it", asks(headline))
		require.Equal(t, 0, d.rungs(0, fire.Alert)["acknowledged"])
		amy.go_("alerts/" + fire.Alert + "/answers")
		amy.says("Nobody has")
		p.do(chromedp.Click(chromedp.CSS("button.help")))
		amy.until("who needs help stands there by itself", `document.querySelector("tr.dark strong")`)
		amy.fresh("the page of answers")
		p.until("it stands in the list", `document.querySelector("#cards").className === "list" && document.querySelector(".answered")`)
		d.rung(0, fire.Alert, "acknowledged", 1)
		require.Contains(t, string(d.run(0, "--json", "alert", "receipts", fire.Alert)), `"help"`)
		p.accessible(t, "phone, answered")
		p.shot("phone-answered-" + language)
		p.reload()
		p.until("the answer is known after a reload", `document.querySelector("#cards").className === "list" && document.querySelector(".answered")`)

		water := d.warn(0, time.Hour, "Actual", text("zh-Hant", "停水", "安定邨停水至 18:00", "請儲水。").minor(), text("en", "Water outage", "No water in On Ting Estate until 18:00", "Store water.").minor())
		drill := d.warn(0, time.Hour, "Exercise", text("zh-Hant", "火警演習", "演習：安麗樓火警", "沿樓梯離開。"), text("en", "Fire drill", "DRILL: fire in On Lai House", "Leave by the stairs."))
		p.until("a drill asks, too", `document.querySelector("#cards.forced .drill")`)
		p.shot("phone-drill-" + language)
		p.do(chromedp.Click(chromedp.CSS(".drill button.safe")))
		for _, a := range []sent{fire, water, drill} {
			d.cancel(0, a.Alert)
		}
		p.until("all is over", `document.querySelector("#cards").className === "idle"`)
		d.run(0, "device", "revoke", "phone-"+language)
		p.until("a revoked phone says so", `document.querySelector("#nothing").textContent.length > 20`)
		p.shot("phone-revoked-" + language)
	}
}

// Until when an alert holds stands before all that its sender wrote, whatever directions that has.
func TestAttack_WhoSendsWritesNothingBeforeUntilWhen(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.phone(0, "phone-1", "en")
	s := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire", "Leave.").with("senderName", "\u0645\u0643\u062a\u0628 \u2067 09:00 \u00b7 Valid until 23:59\u202b"))
	p.until("it must be answered", asks("Fire"))
	s.until("it is shown", `document.querySelector(".card.danger .line") !== null`)
	const order = `(() => {
		const box = node => { const r = document.createRange(); r.selectNodeContents(node); return r.getClientRects() }
		const foot = document.querySelector(".card .foot"), wrote = box(foot.querySelector("[dir=auto]")), first = box(foot.querySelector(".until, .from").firstChild)[0]
		return [...wrote].every(w => w.top > first.bottom - 2 || w.left >= first.right - 1)
	})()`
	require.True(t, read[bool](p, order), "phone")
	require.True(t, read[bool](s, order), "screen")
	require.Contains(t, read[string](p, `document.querySelector(".card .foot b").textContent`), "Valid until")
	require.Regexp(t, `^\d\d:\d\d · `, read[string](s, `document.querySelector(".card .foot .from").textContent`))
	for _, tab := range []*tab{p, s} {
		require.NotRegexp(t, "[\u202b\u2067]", read[string](tab, `document.querySelector(".card .foot").textContent`))
	}
	p.shot("phone-sender")
	s.shot("screen-sender")
}

// The page loads while no node is there, where it may have a worker; loopback is a secure context.
func TestPhone_LoadsWithoutANode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.phone(0, "phone-1", "en")
	fire := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in On Lai House", "Leave by the stairs."))
	p.until("it is shown", asks("Fire in On Lai House"))
	d.rung(0, fire.Alert, "presented", 1)
	p.until("the worker is there", `navigator.serviceWorker.ready.then(() => caches.keys()).then(k => window.kept = k.length) && window.kept === 1`)
	d.stop(0)
	p.reload()
	p.until("it loads, and says that it does not know", `window.almenara && document.querySelector("#age").className === "never" && document.querySelector("#nothing").textContent.includes("Not known yet")`)
	p.until("what was in force is shown, and marked", `document.querySelector("#cards").className === "list" && document.querySelector(".card .unconfirmed").textContent.includes("no node has confirmed it since")`)
	require.Zero(t, read[int](p, `document.querySelectorAll(".card button").length`), "nobody is asked about it")
	p.accessible(t, "phone, no node")
	p.shot("phone-no-node")
	d.start(0)
	p.until("it is asked about again", asks("Fire in On Lai House"))
	require.Zero(t, read[int](p, `document.querySelectorAll(".unconfirmed").length`))
	require.Equal(t, 1, d.rungs(0, fire.Alert)["presented"])
}

// A page that is not in front has not shown anything.
func TestPhone_PresentsNothingInTheBackground(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.phone(0, "phone-1", "en")
	p.script(`Object.defineProperty(document, "visibilityState", { get: () => window.away ? "hidden" : "visible" }); window.away = true; document.dispatchEvent(new Event("visibilitychange"))`)
	fire := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in On Lai House", "Leave by the stairs."))
	d.rung(0, fire.Alert, "verified", 1)
	p.until("the state says that it is hidden", `almenara.receiver.health.display === "hidden"`)
	require.Equal(t, 0, d.rungs(0, fire.Alert)["presented"])
	p.script(`window.away = false; document.dispatchEvent(new Event("visibilitychange"))`)
	d.rung(0, fire.Alert, "presented", 1)
}

// What a person answered on one phone is not asked on the other, which is at another node; also not after a
// reload there, nor on a third one that comes later.
func TestPhone_SeveralOfOnePersonStayInStep(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	first := d.phone(0, "chan", "en")
	second := d.phone(1, "chan-tablet", "en", "--member", "chan")
	other := d.phone(1, "lee", "en")
	fire := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in On Lai House", "Leave by the stairs."))
	for _, p := range []*tab{first, second, other} {
		p.until("it is asked", asks("Fire in On Lai House"))
	}
	began := time.Now()
	first.do(chromedp.Click(chromedp.CSS("button.help")))
	answered := `document.querySelector("#cards").className === "list" && document.querySelector(".answered").textContent === "Answered on another of your devices: I need help"`
	second.until("it is not asked any more", answered)
	t.Logf("the other phone knew after %v", time.Since(began).Round(time.Millisecond))
	second.shot("phone-in-step")
	require.Equal(t, 1, d.rungs(0, fire.Alert)["acknowledged"])
	second.reload()
	second.until("not after a reload either", answered)
	third := d.phone(2, "chan-old", "en", "--member", "chan")
	third.until("nor on a phone that comes later", answered)
	require.True(t, read[bool](other, asks("Fire in On Lai House")), "somebody else is asked all the same")
	require.Equal(t, "You answered: I need help", read[string](first, `document.querySelector(".answered").textContent`))
}

// Luwian hieroglyphs stand for a language for which a phone has no fonts.
func TestPhone_SaysThatItHasNoLetters(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.phone(0, "phone-1", "zh-HK")
	require.Empty(t, read[string](p, `almenara.receiver.health.lacks || ""`), "Chinese and English can be read")
	both := d.warn(0, time.Hour, "Actual", text("hlu", "𔐀𔐁𔐂𔐃", "𔐄𔐅𔐆𔐇𔐈𔐉", "𔐊𔐋𔐌𔐍"), text("en", "Fire", "Leave now", ""))
	d.rung(0, both.Alert, "presented", 1)
	require.Equal(t, "en", read[string](p, `document.querySelector(".card .text").lang`), "what can be read comes first")
	require.Equal(t, "hlu", read[string](p, `almenara.receiver.health.lacks`))
	d.cancel(0, both.Alert)
	p.until("it is over", `document.querySelector(".card") === null`)

	alone := d.warn(0, time.Hour, "Actual", text("hlu", "𔐀𔐁𔐂𔐃", "𔐎𔐏𔐐𔐑𔐒𔐓", "𔐊𔐋𔐌𔐍"))
	p.until("it stands there", `document.querySelector(".card.danger") !== null && almenara.receiver.health.display === "no letters"`)
	require.Contains(t, read[string](p, `document.querySelector(".card").textContent`), "此手機沒有這段文字的字元")
	d.until("it is verified, and presented to nobody", func() bool {
		told := d.rungs(0, alone.Alert)
		return told["verified"] == 1 && told["presented"] == 0
	})
	p.shot("phone-no-letters-zh")
}
