//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// named is where the node's pages are under a name for which browsers have passkeys also without TLS, because it
// is always the machine itself.
func (d *district) named(i int) string {
	return "http://localhost:" + d.nodes[i].listen[strings.LastIndexByte(d.nodes[i].listen, ':')+1:]
}

// authenticator gives the browser a key that verifies who the person is, or does not.
func (p *tab) authenticator(verifies bool) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, webauthn.Enable, webauthn.EnableParams{})
	require.NoError(p.t, err)
	_, err = chromedp.Call(p.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: verifies, IsUserVerified: verifies, AutomaticPresenceSimulation: true,
	}})
	require.NoError(p.t, err)
}

// A person adds a passkey at one node and comes in with it at the others, also at one that is alone.
func TestPasskeys_OfARealBrowser(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	d.person("amy", "viewer", "composer")
	o := &operator{tab: newBrowser(t).open(d.named(0)+"/console/account", 1366, 768), d: d}
	o.authenticator(true)
	o.signIn("amy")
	o.until("the form", `document.querySelector("[data-passkey]:not([hidden])")`)
	o.accessible(t, "account with passkeys")
	form := `form[action="/console/account/passkeys"] `
	o.do(chromedp.SendKeys(chromedp.CSS(form+`[name="keyname"]`), "my telephone"), chromedp.SendKeys(chromedp.CSS(form+`[name="old"]`), consolePassword))
	o.press(form + "button")
	o.until("recovery codes", `document.querySelectorAll(".codes code").length === 10`)
	o.shot("passkeys-codes-desk")

	in := func(node int) {
		t.Helper()
		o.do(chromedp.Navigate(d.named(node) + "/console/sign-in?next=/console/account"))
		o.until("the button", `document.querySelector("[data-passkey]:not([hidden])")`)
		o.shot("passkeys-sign-in-desk")
		o.press("[data-passkey] button")
		o.until("somebody is signed in", `document.querySelector(".who a")`)
	}
	out := func() {
		t.Helper()
		o.press(`form[action="/console/sign-out"] button`)
		o.until("nobody is signed in", `document.querySelector("[data-typed]")`)
	}
	for node := range 3 {
		in(node)
		o.says("my telephone")
		if node < 2 {
			out()
		}
	}
	o.shot("passkeys-account-desk")
	out()

	// What was said once is of no use again.
	o.until("the button", `document.querySelector("[data-passkey]:not([hidden])")`)
	o.script(`HTMLFormElement.prototype.submit = function () { window.held = new URLSearchParams(new FormData(this)).toString() }`)
	o.press("[data-passkey] button")
	o.until("an answer", `window.held`)
	say := `fetch("/console/passkey", { method: "POST", body: window.held, headers: { "Content-Type": "application/x-www-form-urlencoded" }, redirect: "manual" }).then((r) => r.type === "opaqueredirect" ? 303 : r.status)`
	require.Equal(t, 303, read[int](o.tab, say))
	require.Equal(t, 401, read[int](o.tab, say))

	// Where nobody is reached but this node.
	o.do(chromedp.Navigate(d.named(2) + "/console/account"))
	out()
	d.freeze(0, 1)
	in(2)
	o.until("it says that the session is one of this node", `[...document.querySelectorAll(".banner.alone")].some((b) => b.innerText.includes("at this node only"))`)
	d.thaw(0, 1)
}

// A key that verifies nobody is not taken; the page says so, and password and code go on. Under an address there are
// no passkeys, and the page says why.
func TestPasskeys_WithoutVerification(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	d.person("ben", "viewer")
	o := &operator{tab: newBrowser(t).open(d.named(0)+"/console/account", 390, 844), d: d}
	o.authenticator(false)
	o.signIn("ben")
	form := `form[action="/console/account/passkeys"] `
	o.until("the form", `document.querySelector("[data-passkey]:not([hidden])")`)
	o.do(chromedp.SendKeys(chromedp.CSS(form+`[name="keyname"]`), "key ring"), chromedp.SendKeys(chromedp.CSS(form+`[name="old"]`), consolePassword))
	o.press(form + "button")
	o.says("The passkey was not used")
	o.accessible(t, "account with a passkey on a telephone")
	o.shot("passkeys-account-phone")
	o.chinese("passkeys-account-phone-zh")
	o.do(chromedp.Navigate(d.api(0) + "/console/account"))
	o.signIn("ben")
	o.says("opened by an address")
	o.shot("passkeys-address-phone")
}
