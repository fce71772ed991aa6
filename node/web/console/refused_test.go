package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// drawn is a form of a page: where it is, as whom, where it goes, and what it holds.
type drawn struct {
	page, as, to string
	fields       url.Values
	typed        []string // names of the fields that hold what somebody typed
}

const typedText = "what I typed"

// formsOf are the forms that a page sends, filled in as somebody would: the texts with typedText.
func formsOf(t *testing.T, path, as, page string) (out []drawn) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	attr := func(n *html.Node, key string) (value string, has bool) {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val, true
			}
		}
		return "", false
	}
	for form := range doc.Descendants() {
		method, _ := attr(form, "method")
		kind, _ := attr(form, "enctype")
		if form.Type != html.ElementNode || form.Data != "form" || method != "post" || kind != "" {
			continue
		}
		d := drawn{page: path, as: as, fields: url.Values{}}
		d.to, _ = attr(form, "action")
		for n := range form.Descendants() {
			name, _ := attr(n, "name")
			if n.Type != html.ElementNode || name == "" {
				continue
			}
			value, _ := attr(n, "value")
			switch kind, _ := attr(n, "type"); {
			case n.Data == "textarea", n.Data == "input" && (kind == "" || kind == "text"):
				if name != "word" {
					value, d.typed = typedText, append(d.typed, name)
				}
				d.fields.Add(name, value)
			case n.Data == "input" && kind == "number":
				d.fields.Add(name, "7")
			case n.Data == "input" && kind == "hidden", n.Data == "input" && kind == "checkbox" && name != "back":
				d.fields.Add(name, value)
			case n.Data == "select":
				for option := range n.Descendants() {
					if v, has := attr(option, "value"); has && v != "" {
						d.fields.Set(name, v)
					}
				}
			}
		}
		if len(d.typed) > 0 {
			out = append(out, d)
		}
	}
	return out
}

// send sends a form as a browser does that is at its page.
func (r *rig) send(d drawn, form url.Values) *httptest.ResponseRecorder {
	q := httptest.NewRequest("POST", d.to, strings.NewReader(form.Encode()))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Referer", "http://"+q.Host+d.page)
	q.AddCookie(&http.Cookie{Name: "almenara", Value: d.as})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

// keepsNothing are the forms of which nothing that was typed comes again, and why.
var keepsNothing = map[string]string{
	"/console/first": "it is all secret", "/console/sign-in": "the name is kept by the page itself",
	"/console/account/password": "it is all secret", "/console/account/second-factor": "the code holds for seconds",
}

// Whatever is refused, and whoever typed it: every form that holds something typed comes again with it, and with
// why, as often as it is refused.
func TestForms_KeepWhatWasTypedWhenTheyAreRefused(t *testing.T) {
	r := newRig(t)
	forms := map[string]drawn{}
	for _, role := range authority.Roles() {
		for _, route := range tried() {
			if route.Method != http.MethodGet || isStream(route) || route.Path == Below+"static/{file}" {
				continue
			}
			if got := r.ask(route, role); isPage(got) && got.Code == 200 {
				for _, d := range formsOf(t, pathFor(route), role, got.Body.String()) {
					if _, known := forms[d.to]; !known {
						forms[d.to] = d
					}
				}
			}
		}
	}
	require.Greater(t, len(forms), 15)
	refused := wire.Problemf(wire.KindRefused, "in English").Because(why.InWords, "the reason why it is refused")
	for to, d := range forms {
		if keepsNothing[to] != "" {
			continue
		}
		t.Run(to, func(t *testing.T) {
			r := newRig(t)
			r.fake.Refuse = func(call string) error {
				if len(changing([]string{call})) > 0 {
					return refused
				}
				return nil
			}
			form := d.fields
			for range 2 {
				got := r.send(d, form)
				if got.Code == 303 || got.Code == 200 { // a form that is only checked, or changes nothing
					return
				}
				page := got.Body.String()
				require.Contains(t, page, typedText, "%d", got.Code)
				again := formsOf(t, d.page, d.as, page)
				at := -1
				for i, one := range again {
					if one.to == d.to {
						at = i
					}
				}
				require.GreaterOrEqual(t, at, 0, "the form is there again")
				form = again[at].fields
				d.page = d.to // where the browser is now
			}
		})
	}
}

// A correction that is refused comes again with its words and why.
func TestCorrect_KeepsTheWordsWhenItIsRefused(t *testing.T) {
	r := newRig(t)
	r.fake.Refuse = func(call string) error {
		if strings.HasPrefix(call, "UpdateAlert") {
			return wire.Problemf(wire.KindRefused, "in English").Because(why.TextTaken)
		}
		return nil
	}
	route := frame.Route{Method: "POST", Path: Below + "alerts/{id}/correct", Action: authority.Correct}
	got := r.ask(route, authority.RoleCorrector, func(q *http.Request) {
		require.NoError(t, q.ParseForm())
		q.PostForm = url.Values{"headline.0": {"The river falls <b>"}, "instruction.0": {"Go\r\nhome."}, "reason": {"new reading"}}
	})
	require.Equal(t, 422, got.Code)
	page := got.Body.String()
	for _, want := range []string{`value="The river falls &lt;b&gt;"`, "Go\nhome.</textarea>", `value="new reading"`, `role="alert"`, "a correction takes no words away", `href="` + pathFor(route) + `"`} {
		require.Contains(t, page, want)
	}
	require.Less(t, strings.Index(page, "takes no words away"), strings.Index(page, "The river falls"), "why stands before the form")
	require.NotEmpty(t, got.Header().Get("Content-Security-Policy"))
}

// Two correct one alert: the second one's page shows words that do not stand any more, and would bring them back.
func TestCorrect_TakesNothingBackThatAnotherHasCorrected(t *testing.T) {
	r := newRig(t)
	route := frame.Route{Method: "POST", Path: Below + "alerts/{id}/correct", Action: authority.Correct}
	press := func(form url.Values) int {
		return r.ask(route, authority.RoleCorrector, func(q *http.Request) {
			require.NoError(t, q.ParseForm())
			q.PostForm = form
		}).Code
	}
	page := r.get(strings.TrimPrefix(pathFor(route), Below)).Body.String()
	_, rest, _ := strings.Cut(page, `name="stands" value="`)
	shown, _, _ := strings.Cut(rest, `"`)
	require.NotEmpty(t, shown)
	require.Equal(t, 409, press(url.Values{"headline.0": {"The river falls"}, "stands": {shown + "0"}}))
	require.Empty(t, changing(r.fake.Calls()))
	require.Equal(t, 303, press(url.Values{"headline.0": {"The river falls"}, "stands": {shown}}))
	require.Equal(t, 303, press(url.Values{"false-alarm": {"1"}, "stands": {shown + "0"}}), "it says the same whatever stands")
}

// Who has corrected one language is told that the others say what they said.
func TestCorrect_SaysWhichTextsStay(t *testing.T) {
	r := newRig(t)
	a := withTexts(apitest.ExampleAlert())
	for i := range a.Messages {
		if texts := a.Messages[i].Texts; len(texts) == 1 {
			second := texts[0]
			second.Language = "fr"
			a.Messages[i].Texts = append(texts, second)
		}
	}
	r.fake.Alerts = []wire.Alert{a}
	n := len(textsOf(a))
	require.Greater(t, n, 1)
	press := func(languages int) string {
		form := url.Values{}
		for i := range languages {
			form.Set(fmt.Sprint("headline.", i), "Another one")
		}
		return r.post("alerts/"+a.ID+"/correct", form).Header().Get("Location")
	}
	require.Contains(t, press(1), "?effect=corrected")
	require.Contains(t, press(n), "?effect=warns")
	require.Contains(t, r.post("alerts/"+a.ID+"/correct", url.Values{"false-alarm": {"1"}}).Header().Get("Location"), "?effect=warns", "it is said in each language")
	require.Contains(t, r.get("alerts/"+a.ID+"?effect=corrected").Body.String(), "another language stays as it was")
}

// What an earlier press has done is not said beside the refusal of this one.
func TestRefused_SaysNothingOfAnEarlierEffect(t *testing.T) {
	r := newRig(t)
	route := frame.Route{Method: "POST", Path: Below + "alerts/{id}/correct"}
	page, _, _ := strings.Cut(pathFor(route), "/correct")
	require.Contains(t, r.get(strings.TrimPrefix(page, Below)+"?effect=reminded").Body.String(), "good-news")
	r.fake.Refuse = func(call string) error {
		if len(changing([]string{call})) > 0 {
			return wire.Problemf(wire.KindRefused, "in English").Because(why.TextTaken)
		}
		return nil
	}
	said := r.send(drawn{page: page + "?effect=reminded", as: authority.RoleAdministrator, to: page + "/remind"}, url.Values{"every": {"5"}}).Body.String()
	require.Contains(t, said, `role="alert"`)
	require.NotContains(t, said, "good-news")
}

// A page that only a form draws, such as the check before an alert is sent, is drawn by it again.
func TestCompose_ComesAgainWhenItIsRefused(t *testing.T) {
	for path, word := range map[string]string{"compose": "SEND", "alerts/{id}/update": "DRILL"} {
		r := newRig(t)
		route := frame.Route{Method: "POST", Path: Below + path}
		form := formFor(route)
		form.Set("headline.0", typedText)
		page := r.send(drawn{page: pathFor(route), as: authority.RoleComposer, to: pathFor(route)}, form).Body.String()
		var check drawn
		for _, d := range formsOf(t, pathFor(route), authority.RoleComposer, page) {
			if d.to == pathFor(route)+"/send" {
				check = d
			}
		}
		require.NotEmpty(t, check.to, page)
		r.fake.Refuse = func(call string) error {
			if len(changing([]string{call})) > 0 {
				return wire.Problemf(wire.KindOverBudget, "in English").Because(why.InWords, "the reason why it is refused")
			}
			return nil
		}
		check.fields.Set("word", word)
		got := r.send(check, check.fields)
		require.Equal(t, 429, got.Code, got.Body)
		page = got.Body.String()
		require.Contains(t, page, `action="`+check.to+`"`)
		require.Contains(t, page, `name="headline.0" value="`+typedText+`"`)
		require.Contains(t, page, "the reason why it is refused")
		require.NotContains(t, page, `value="`+word+`"`, "the word is typed anew")
	}
}
