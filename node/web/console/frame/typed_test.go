package frame

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
)

const fields = `{{define "main"}}<form method="post" action="/console/other"><input name="name" value="other"></form>
<form id="typed" method="post" action="/console/thing"><input type="hidden" name="version" value="7">
<input name="name" value="Amy"><input name="line" value="1"><input name="line" value="2"><textarea name="text">old</textarea>
<details><summary>more</summary><input name="folded" value=""></details>
<input type="password" name="password"><input type="radio" name="by" value="a" checked><input type="radio" name="by" value="b">
<input type="checkbox" name="tick" value="1" checked><input type="checkbox" name="other" value="x">
<select name="pick"><option value="">-</option><option selected>one</option><option value="2">two</option></select></form>{{end}}`

// typedRig serves a page with a form, and counts what is done.
func typedRig(t *testing.T) (ask func(method, path string, form url.Values) *httptest.ResponseRecorder, done *int) {
	t.Helper()
	done = new(int)
	show := func(q *Request) error {
		p := q.Page("thing")
		p.Path = Below + "thing"
		return q.Show("thing", p)
	}
	room := Room{Pages: fstest.MapFS{"thing.html": {Data: []byte(fields)}}, Routes: []Route{
		{Method: "GET", Path: Below + "thing", Action: authority.ChangeAudience, Handle: show},
		{Method: "POST", Path: Below + "thing", Action: authority.ChangeAudience, Handle: func(*Request) error { *done++; return nil }},
		{Method: "GET", Path: Below + "rows", Action: authority.ChangeAudience, Handle: show},
		{Method: "POST", Path: Below + "rows", Action: authority.ChangeAudience, Tries: true, Redraws: true, Handle: func(q *Request) error {
			_, err := q.W.Write([]byte(q.Lang.Tag + " " + q.R.PostForm.Encode()))
			return err
		}},
		{Method: "POST", Path: Below + "tried", Action: authority.ChangeAudience, Tries: true, Handle: func(*Request) error { *done++; return nil }},
	}}
	f, err := New(Options{Sessions: known{}, Status: known{}, Clock: time.Now}, room)
	require.NoError(t, err)
	return func(method, path string, form url.Values) *httptest.ResponseRecorder {
		q := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		q.Host = "localhost"
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.AddCookie(&http.Cookie{Name: sessionCookie, Value: "manager"})
		q.AddCookie(&http.Cookie{Name: languageCookie, Value: "en"})
		w := httptest.NewRecorder()
		f.ServeHTTP(w, q)
		return w
	}, done
}

func toChinese(back, more string) string {
	return Below + "language?language=zh-Hant&back=" + url.QueryEscape(back) + more
}

var typedIn = url.Values{
	"version": {"6"}, "name": {"Ben \"<b>"}, "line": {"first", "second"}, "text": {"\r\nnew\r\nlines"}, "folded": {"in"}, "password": {"secret"}, "by": {"b"}, "other": {"x"}, "pick": {"2"},
}

// Whoever takes the other language in the middle of a form finds all that was typed, and nothing is done.
func TestLanguage_KeepsWhatWasTyped(t *testing.T) {
	ask, done := typedRig(t)
	page := ask("GET", Below+"thing", nil).Body.String()
	require.Contains(t, page, `form="typed" data-language`)
	require.Contains(t, page, `formaction="/console/language?language=zh-Hant&amp;back=%2fconsole%2fthing&amp;do="`)

	got := ask("POST", toChinese(Below+"thing", "&do="), typedIn)
	require.Equal(t, 200, got.Code)
	require.Contains(t, strings.Join(got.Header()["Set-Cookie"], "; "), languageCookie+"=zh-Hant")
	page = got.Body.String()
	require.Contains(t, page, `lang="zh-Hant"`)
	require.Contains(t, page, `form="typed" data-language`, "and back again")
	for _, want := range []string{
		`<input name="name" value="other"/>`, `<input name="name" value="Ben &#34;&lt;b&gt;"/>`, `name="version" value="6"`, `<input name="line" value="first"/><input name="line" value="second"/>`,
		"new\nlines</textarea>", `<details open="">`, `<input name="folded" value="in"/>`, `<input type="radio" name="by" value="a"/><input type="radio" name="by" value="b" checked=""/>`,
		`<input type="checkbox" name="tick" value="1"/><input type="checkbox" name="other" value="x" checked=""/>`, `<option>one</option><option value="2" selected="">two</option>`,
	} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "secret")
	require.Zero(t, *done)
}

// Of a page with several forms it is the one in which the person has typed.
func TestLanguage_KeepsTheFormThatWasTypedIn(t *testing.T) {
	ask, _ := typedRig(t)
	page := ask("POST", toChinese(Below+"thing", "&form="+url.QueryEscape("/console/other")), url.Values{"name": {"Ben"}}).Body.String()
	require.Contains(t, page, `<input name="name" value="Ben"/>`)
	require.Contains(t, page, `<input name="name" value="Amy"/>`)
}

// A form that its own route draws again goes there; no other route is asked to do anything.
func TestLanguage_LeavesAFormToWhatDrawsIt(t *testing.T) {
	ask, done := typedRig(t)
	got := ask("POST", toChinese(Below+"rows", "&do=check"), url.Values{"row.9": {"x"}, "do": {"save"}})
	require.Equal(t, "zh-Hant do=check&row.9=x", got.Body.String())
	for _, path := range []string{"thing", "tried", "nowhere"} {
		ask("POST", toChinese(Below+path, "&do=check"), typedIn)
	}
	require.Zero(t, *done)
}

// What no form came along with is asked for again, at an address that can be kept.
func TestLanguage_WithoutAFormLeadsBack(t *testing.T) {
	ask, _ := typedRig(t)
	for _, got := range []*httptest.ResponseRecorder{
		ask("POST", toChinese(Below+"thing", "&do="), url.Values{"back": {Below + "thing"}}), ask("POST", Below+"language", url.Values{"language": {"zh-Hant"}, "back": {Below + "thing"}}),
		ask("GET", toChinese(Below+"thing", ""), nil),
	} {
		require.Equal(t, http.StatusSeeOther, got.Code)
		require.Equal(t, Below+"thing", got.Header().Get("Location"))
	}
	require.NotContains(t, ask("POST", toChinese("https://evil.example/", ""), typedIn).Header().Get("Location"), "evil")
}
