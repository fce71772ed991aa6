package account

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"almenara/node/signin"
	"almenara/node/signin/passkeys"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// keysPart is what both pages show of passkeys.
type keysPart struct {
	Offered bool
	WhyNot  string // in the person's language, where they are not offered
	Host    string // the name under which they work
}

// passkeyRow is one passkey of the person.
type passkeyRow struct {
	ID, Name, Host, Added, Used string
	Here                        bool // it works under the name that is open
}

// whereOpen is where the browser has the page open; a Host of "" where passkeys do not work: browsers have them
// for names with a certificate that they trust, and for the machine that they run on.
func whereOpen(q *frame.Request) (at passkeys.Page, whyNot string) {
	host := q.R.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	_, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		return at, q.Lang.T("passkey.why.address")
	case q.R.TLS == nil && host != "localhost":
		return at, q.Lang.T("passkey.why.plain")
	}
	scheme := "https://"
	if q.R.TLS == nil {
		scheme = "http://"
	}
	return passkeys.Page{Host: host, Origin: scheme + strings.ToLower(q.R.Host)}, ""
}

func keysOf(q *frame.Request) keysPart {
	at, whyNot := whereOpen(q)
	return keysPart{Offered: at.Host != "", WhyNot: whyNot, Host: at.Host}
}

var text64 = base64.RawURLEncoding

// browserCookie holds a random text for which a passkey is asked before anybody has signed in: an answer is
// good in the browser that was asked, and in no other.
const browserCookie = "almenara-passkey"

func browserOf(r *http.Request) string {
	cookie, err := r.Cookie(browserCookie)
	if err != nil || len(cookie.Value) < 20 || len(cookie.Value) > 100 {
		return ""
	}
	return cookie.Value
}

// ask answers what a passkey is to sign that is to let somebody in.
func (p pages) ask(q *frame.Request) error {
	at, whyNot := whereOpen(q)
	if whyNot != "" {
		return answer(q, map[string]any{"why": whyNot})
	}
	browser := browserOf(q.R)
	if browser == "" {
		browser = rand.Text()
	}
	http.SetCookie(q.W, &http.Cookie{Name: browserCookie, Value: browser, Path: frame.Below, MaxAge: int(2 * passkeys.GoodFor.Seconds()), Secure: q.R.TLS != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return answer(q, map[string]any{
		"challenge": text64.EncodeToString(p.service.AskPasskey(browser)), "rpId": at.Host, "userVerification": "required", "timeout": passkeys.GoodFor.Milliseconds(),
	})
}

func answer(q *frame.Request, v any) error {
	q.W.Header().Set("Content-Type", "application/json; charset=utf-8")
	q.W.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(q.W).Encode(v)
}

// byPasskey signs in whoever has the passkey that has answered.
func (p pages) byPasskey(q *frame.Request) error {
	at, _ := whereOpen(q)
	return p.begin(q, signin.Attempt{
		Passkey: q.Form("answer"), Browser: browserOf(q.R), At: at, Address: q.R.RemoteAddr,
	})
}

// askNew answers what a new passkey of the person is to sign.
func (p pages) askNew(q *frame.Request) error {
	at, whyNot := whereOpen(q)
	if whyNot != "" {
		return answer(q, map[string]any{"why": whyNot})
	}
	challenge, person, have, err := p.service.NewPasskey(*q.Who)
	if err != nil {
		return err
	}
	type object = map[string]any
	var algorithms, exclude []object
	for _, one := range passkeys.Algorithms {
		algorithms = append(algorithms, object{"type": "public-key", "alg": one})
	}
	for _, k := range have {
		exclude = append(exclude, object{"type": "public-key", "id": text64.EncodeToString(k.ID)})
	}
	return answer(q, object{
		"challenge": text64.EncodeToString(challenge), "rp": object{"id": at.Host, "name": "Almenara"}, "timeout": passkeys.GoodFor.Milliseconds(), "attestation": "none",
		"user": object{"id": text64.EncodeToString(person), "name": q.By().Name, "displayName": q.By().Name}, "pubKeyCredParams": algorithms, "excludeCredentials": exclude,
		"authenticatorSelection": object{"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
	})
}

// addPasskey keeps a new one, and shows recovery codes where there are; all sessions have ended with that.
func (p pages) addPasskey(q *frame.Request) error {
	at, _ := whereOpen(q)
	codes, err := p.service.AddPasskey(q.R.Context(), *q.Who, q.Form("keyname"), q.Form("answer"), q.R.PostFormValue("old"), at, q.R.RemoteAddr)
	if err != nil {
		return err
	}
	q.DropSession()
	if len(codes) == 0 {
		return q.To(frame.Below + "sign-in?changed=1")
	}
	out, err := p.account(q)
	if err != nil {
		return err
	}
	out.Codes = codes
	return q.Show("account", out)
}

// removePasskey removes one; all sessions have ended with that.
func (p pages) removePasskey(q *frame.Request) error {
	id, err := text64.DecodeString(q.Form("key"))
	if err != nil {
		return wire.Problemf(wire.KindMalformed, "this is no passkey").Because(why.FormWrong)
	}
	if err := p.service.RemovePasskey(q.R.Context(), *q.Who, id, q.R.PostFormValue("old"), q.R.RemoteAddr); err != nil {
		return err
	}
	q.DropSession()
	return q.To(frame.Below + "sign-in?changed=1")
}

// rows are the person's passkeys.
func (p pages) rows(q *frame.Request) (out []passkeyRow, err error) {
	have, err := p.service.Passkeys(*q.Who)
	at, _ := whereOpen(q)
	for _, k := range have {
		out = append(out, passkeyRow{text64.EncodeToString(k.ID), k.Name, k.Host, q.DayTime(k.Added), q.DayTime(k.Used), k.Host == at.Host})
	}
	return out, err
}
