package residents

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/node/checkin"
	"almenara/node/residents"
	"almenara/node/residents/refusals"
	"almenara/storage/factbody"
)

// hall lets phones check in at one place, and recalls whoever has a visit there if it is told to.
type hall struct {
	recalled bool
	headline string
	refuse   error
	froms    []checkin.From
	answers  []residents.Answer
}

const recalledAlert = "abcdefghijklmnopqrstuvwxyz"

var market = checkin.Visit{Place: [8]byte{1, 2, 3}, Hour: uint32(night.Unix() / 3600)}

func (h *hall) At(code, _ string, has checkin.Visits) (checkin.Place, error) {
	return checkin.Place{Path: "tm/market", Names: map[string]string{"en": "On Ting <b>Market", "zh-Hant": "安定街市"}, Here: len(has) > 0}, h.refuse
}

func (h *hall) CheckIn(code, address string, has checkin.Visits) (checkin.Place, checkin.Visits, error) {
	at, err := h.At(code, address, checkin.Visits{market})
	return at, checkin.Visits{market}, err
}

func (h *hall) Opens(string) error { return h.refuse }

func (h *hall) Show(has checkin.Visits) (out []checkin.Seen) {
	for range has {
		out = append(out, checkin.Seen{Path: "tm/market", Names: map[string]string{"zh-Hant": "安定街市"}, Hour: night})
	}
	return out
}

func (h *hall) Recalls(has checkin.Visits) []checkin.Recall {
	if !h.recalled || len(has) == 0 {
		return nil
	}
	return []checkin.Recall{{Alert: recalledAlert, Place: "tm/market", Visited: night, Headline: []contract.Text{{Language: "en", Headline: "Do not eat it" + h.headline}, {Language: "zh-Hant", Headline: "切勿食用"}}}}
}

func (h *hall) Open(f checkin.From) (residents.View, error) {
	h.froms = append(h.froms, f)
	if len(h.Recalls(f.Has)) == 0 {
		return residents.View{}, refusals.Refuse(refusals.NoVisits)
	}
	return residents.View{
		Alert: recalledAlert, Block: "tm/market", Pass: "aaaabbbb", Tier: contract.TierAdvisory, Asked: []string{"seen", "help"}, Help: len(h.answers) > 0, Expires: night.Add(time.Hour),
		Texts: []contract.Text{{Language: "en", Headline: "Do not eat it" + h.headline, Expires: night.Add(time.Hour)}},
	}, nil
}

func (h *hall) answer(f checkin.From, in residents.Answer) (residents.Taken, error) {
	view, err := h.Open(f)
	if err == nil {
		h.answers = append(h.answers, in)
	}
	return residents.Taken{View: view, Agreed: true}, err
}

// visitor is a node that takes visits; its answers are apart from those to alerts.
type visitor struct{ *hall }

func (v visitor) Answer(_ context.Context, f checkin.From, in residents.Answer) (residents.Taken, error) {
	return v.answer(f, in)
}

func (n *node) do(method, path string, form url.Values, cookies ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(cookies); i += 2 {
		r.AddCookie(&http.Cookie{Name: cookies[i], Value: cookies[i+1]})
	}
	return n.ask(r)
}

func cookieIn(t *testing.T, w *httptest.ResponseRecorder, name string) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatal("there is no cookie ", name)
	return nil
}

func TestCheckIn_IsKeptInTheCookieOfThePhone(t *testing.T) {
	n := newNode()
	w := n.do("GET", "/r/at/aaaa", nil)
	require.Equal(t, http.StatusOK, w.Code)
	page := w.Body.String()
	require.Contains(t, page, "安定街市")
	require.Contains(t, page, "On Ting &lt;b&gt;Market", "a name is text")
	require.NotRegexp(t, `(?i)<script|style=|\son[a-z]+=`, page, "it works without JavaScript, and the policy forbids what is inline")
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	for _, found := range regexp.MustCompile(`(?:href|src)="(/r/file/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.Equal(t, http.StatusOK, n.get(found[1]).Code, found[1])
	}
	empty := cookieIn(t, w, visitsCookie)
	w = n.do("POST", "/r/at/aaaa", nil, visitsCookie, empty.Value)
	require.Equal(t, http.StatusSeeOther, w.Code, "loading again sends nothing again")
	c := cookieIn(t, w, visitsCookie)
	require.Equal(t, []any{Below, true, http.SameSiteLaxMode, 28 * 24 * 3600}, []any{c.Path, c.HttpOnly, c.SameSite, c.MaxAge})
	require.Equal(t, checkin.Visits{market}, checkin.ReadVisits(night, c.Value))
	page = n.do("GET", w.Header().Get("Location"), nil, visitsCookie, c.Value).Body.String()
	require.Contains(t, page, "You have checked in")
	require.NotContains(t, page, "I am here")
	require.Equal(t, http.StatusTemporaryRedirect, n.get("/R/AT/AAAA").Code)
	require.Equal(t, "/r/at/aaaa", n.get("/R/AT/AAAA").Header().Get("Location"))
	require.Equal(t, http.StatusMethodNotAllowed, n.do("DELETE", "/r/at/aaaa", nil).Code)
}

// A phone that keeps no cookies has its visits in an address, and answers with them.
func TestCheckIn_WorksWithoutCookies(t *testing.T) {
	n := newNode()
	n.recalled = true
	w := n.do("POST", "/r/at/aaaa", nil)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "keeps no cookies")
	link := regexp.MustCompile(`href="(/r/visits\?v=[^"]+)"`).FindStringSubmatch(w.Body.String())
	require.NotNil(t, link)
	page := n.get(link[1]).Body.String()
	require.Contains(t, page, "切勿食用")
	recall := regexp.MustCompile(`href="(/r/recall/[^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, recall)
	page = n.get(recall[1]).Body.String()
	v := regexp.MustCompile(`name="v" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, v)
	w = n.do("POST", "/r/recall/"+recalledAlert, url.Values{"answer": {"seen"}, "v": {v[1]}, "pass": {"p"}})
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, []residents.Answer{{What: factbody.ResidentSeen}}, n.answers)
	require.Equal(t, "p", n.froms[len(n.froms)-1].Pass)
}

func TestRecall_IsShownOnEveryPageOfWhoWasThereAndOnNoOther(t *testing.T) {
	n := newNode()
	n.recalled = true
	has := checkin.Visits{market}.String()
	for _, path := range []string{"/r/at/aaaa", "/r/visits", Below + link} {
		require.Contains(t, n.do("GET", path, nil, visitsCookie, has).Body.String(), "切勿食用", path)
		require.NotContains(t, n.do("GET", path, nil).Body.String(), "切勿食用", path)
		require.NotContains(t, n.do("GET", path, nil, visitsCookie, "garbage").Body.String(), "切勿食用", path)
	}
	require.Contains(t, n.do("GET", "/r/recalls", nil, visitsCookie, has).Body.String(), `"path":"/r/recall/`+recalledAlert)
	require.JSONEq(t, "[]", n.do("GET", "/r/recalls", nil).Body.String())
	require.Equal(t, http.StatusNotFound, n.do("GET", "/r/recall/"+recalledAlert, nil).Code)

	w := n.do("GET", "/r/recall/"+recalledAlert, nil, visitsCookie, has)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "I am well")
	require.NotContains(t, w.Body.String(), "Floor and flat")
	require.NotContains(t, n.do("GET", "/r/recall/"+recalledAlert+"?done=help", nil, visitsCookie, has).Body.String(), "on the list of the people", "an address says nothing that this phone has not done")
	pass := cookieIn(t, w, recallCookie(recalledAlert))
	w = n.do("POST", "/r/recall/"+recalledAlert, url.Values{"answer": {"help"}, "where": {"9123 4567"}, "text": {"fever"}}, visitsCookie, has, pass.Name, pass.Value)
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, residents.Answer{What: factbody.ResidentHelp, Where: "9123 4567", Text: "fever"}, n.answers[0])
	page := n.do("GET", w.Header().Get("Location"), nil, visitsCookie, has).Body.String()
	require.Contains(t, page, "on the list of the people in charge")
	require.NotContains(t, page, "你的求助已收到")
}

func TestVisits_AreForgottenByOnePress(t *testing.T) {
	n := newNode()
	has := checkin.Visits{market}.String()
	require.Contains(t, n.do("GET", "/r/visits", nil, visitsCookie, has).Body.String(), "安定街市")
	w := n.do("POST", "/r/visits/forget", nil, visitsCookie, has)
	require.Equal(t, http.StatusSeeOther, w.Code)
	for _, name := range []string{visitsCookie, visitsCookieTLS} {
		require.Negative(t, cookieIn(t, w, name).MaxAge)
	}
	require.Contains(t, n.get(w.Header().Get("Location")).Body.String(), "The visits on this phone are gone")
}

func TestAttack_OnVisits(t *testing.T) {
	n := newNode()
	n.recalled, n.headline = true, "</bdi><script>alert(1)</script>\u202e"
	has := checkin.Visits{market}.String()
	for _, path := range []string{"/r/visits", "/r/recall/" + recalledAlert, "/r/visits?v=" + url.QueryEscape(`"><script>alert(1)</script>`), "/r/visits?forgotten=<script>alert(1)"} {
		require.NotContains(t, n.do("GET", path, nil, visitsCookie, has).Body.String(), "<script>alert", path)
	}
	for _, path := range []string{"/r/at/aaaa", "/r/visits/forget", "/r/recall/" + recalledAlert} {
		r := httptest.NewRequest(http.MethodPost, path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		require.Equal(t, http.StatusForbidden, n.ask(r).Code, path)
	}
	require.Empty(t, n.answers)
	long := n.do("POST", "/r/recall/"+recalledAlert, url.Values{"answer": {"help"}, "text": {strings.Repeat("x", 1<<20)}}, visitsCookie, has)
	require.Equal(t, http.StatusBadRequest, long.Code)
	n.do("GET", "/r/visits", nil, visitsCookie, strings.Repeat("A", 500_000))
	n.refuse = &refusals.Refused{Why: refusals.CodeOld}
	w := n.get("/r/at/aaaa")
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Contains(t, w.Body.String(), "out of date")
	require.Empty(t, w.Result().Cookies())
}

// A phone's own visits are compared with all that is in force: who asks for that without end is held back as one who
// opens pages is.
func TestAttack_VisitsAreAskedForSoOftenOnly(t *testing.T) {
	n := newNode()
	h := &hall{refuse: &refusals.Refused{Why: refusals.TooMany, RetryAfter: 15}}
	p := New(n, visitor{h}, func() time.Time { return night }, time.UTC)
	for _, path := range []string{visitsPath, recallsPath} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusTooManyRequests, w.Code, path)
		require.Equal(t, "15", w.Header().Get("Retry-After"), path)
	}
}
