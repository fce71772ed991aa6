package console

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/web/console/pagetest"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// get and post ask for a page as an administrator.
func (r *rig) get(path string) *httptest.ResponseRecorder {
	return r.do(httptest.NewRequest(http.MethodGet, Below+path, nil), authority.RoleAdministrator)
}

func (r *rig) post(path string, form url.Values) *httptest.ResponseRecorder {
	q := httptest.NewRequest(http.MethodPost, Below+path, strings.NewReader(form.Encode()))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.do(q, authority.RoleAdministrator)
}

func (r *rig) do(q *http.Request, as string) *httptest.ResponseRecorder {
	q.AddCookie(&http.Cookie{Name: "almenara", Value: as})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

// hostilePeople fills what pages show of people, devices and places with what turns the direction of
// writing.
func hostilePeople(r *rig) {
	h := func(what string) string { return what + pagetest.Hostile }
	r.fake.Users = []wire.User{
		{Name: "duty", Roles: []string{h("role")}, Places: []string{h("place")}, Senders: []string{h("sender")}},
		{Name: h("user"), Revoked: true, Assumed: true, System: true},
	}
	r.fake.State.Nodes = []wire.NodeInfo{{ID: "n1", Name: h("node"), Reachable: true}}
	r.fake.State.Ends = []wire.Ending{{Kind: h("kind"), Name: why.Sentence{Text: h("name")}, Then: why.Sentence{Text: h("then")}, At: night}}
	r.fake.Devices = []wire.Device{
		{ID: "lift-0042", Member: h("member"), Kind: h("kind"), Place: h("place"), Connected: new(true), Node: "n1", Condition: h("condition")},
		{ID: h("x"), Member: h("x"), Unanswered: []string{h("n")}},
	}
	r.fake.Places = []wire.Place{{Path: h("path"), Names: map[string]string{"en": h("en"), "zh-Hant": h("zh")}, Lat: new(1.0), Lon: new(1.0)}}
	r.fake.Selected = wire.Selected{
		Counts:  wire.Counts{Total: 1, ByKind: []wire.Count{{Name: h("kind"), Count: 1}}, ByPlace: []wire.Count{{Name: h("place"), Count: 1}}},
		Members: []wire.Member{{ID: h("id"), Name: h("name"), Kind: h("kind"), Place: h("place"), Tags: map[string]string{h("tag"): h("value")}}},
	}
}

// with is the form with other values.
func with(form url.Values, more url.Values) url.Values {
	out := url.Values{}
	maps.Copy(out, form)
	maps.Copy(out, more)
	return out
}

// The token of a new user is shown once: no page shows it again.
func TestPeople_ShowTheTokenOnlyOnce(t *testing.T) {
	r := newRig(t)
	got := r.post("people", url.Values{"name": {"warden"}, "role": {"composer", "viewer"}, "senders": {"a@b.hk, c@d.hk\n"}})
	require.Equal(t, 200, got.Code, got.Body)
	require.Contains(t, got.Body.String(), "new-token")
	require.Equal(t, []string{"AddUser warden"}, changing(r.fake.Calls()))
	require.Contains(t, got.Body.String(), "http://example.com/console/first")
	require.Equal(t, "no-store", got.Header().Get("Cache-Control"))
	for _, page := range []string{"people", "people/duty"} {
		require.NotContains(t, r.get(page).Body.String(), "new-token")
	}
}

func TestPeople_RevokeNobodyWithoutTheWord(t *testing.T) {
	for _, path := range []string{"people/duty/revoke", "licences/l1/revoke"} {
		for word, revoked := range map[string]bool{"": false, "revok": false, "REVOKE": true, " revoke ": true, "撤銷": true} {
			r := newRig(t)
			got := r.post(path, url.Values{"word": {word}})
			require.Equal(t, revoked, got.Code == 303, "%s %q: %d", path, word, got.Code)
			require.Equal(t, revoked, len(changing(r.fake.Calls())) == 1, word)
			if !revoked {
				require.Contains(t, got.Body.String(), "the word is REVOKE")
			}
		}
	}
}

func TestPeople_SetNoPasswordThatDiffers(t *testing.T) {
	r := newRig(t)
	got := r.post("people/duty/password", url.Values{"new": {"several words are good"}, "again": {"several words are goof"}})
	require.Equal(t, 422, got.Code)
	require.Empty(t, changing(r.fake.Calls()))
	got = r.post("people/duty/password", url.Values{"new": {"several words are good"}, "again": {"several words are good"}, "without": {"yes"}})
	require.Equal(t, 303, got.Code)
	require.Equal(t, []string{"SetPassword duty true"}, changing(r.fake.Calls()))
}

func TestPeople_UnknownOnesAreNotFound(t *testing.T) {
	require.Equal(t, 404, newRig(t).get("people/nobody").Code)
	require.Equal(t, 404, newRig(t).get("people/a%2Fb").Code)
}

// A number of days is one, and how long a licence may be is said by whoever grants it.
func TestLicences_TakeOnlyANumberOfDays(t *testing.T) {
	form := url.Values{"operator": {"duty"}, "scenario": {"flood"}, "place": {"tuen-mun"}}
	for days, taken := range map[string]bool{"30": true, "90": true, "": false, "-1": false, "0": false, "1e3": false, "99999999999999": false, "367": false} {
		r := newRig(t)
		got := r.post("licences", with(form, url.Values{"days": {days}}))
		require.Equal(t, taken, got.Code == 303, "%q: %d", days, got.Code)
		require.Equal(t, taken, len(changing(r.fake.Calls())) == 1, days)
	}
}

// Whoever may read but not change is offered no change.
func TestLicences_OfferNoChangeToReaders(t *testing.T) {
	r := newRig(t)
	got := r.do(httptest.NewRequest(http.MethodGet, Below+"licences", nil), authority.RoleViewer)
	require.Equal(t, 200, got.Code)
	require.NotContains(t, got.Body.String(), `action="/console/licences`)
	require.NotContains(t, r.fake.Calls(), "ListUsers", "who the users are is none of a viewer's business")
}

// A console that was left alone adds no administrator: what changes rights, devices or members asks for
// the password, too.
func TestRoutes_ChangesOfRightsAskWhoWasIdle(t *testing.T) {
	found := 0
	for _, route := range tried() {
		switch route.Action {
		case authority.ChangeUsers, authority.ChangeLicences, authority.ChangeDevices, authority.ChangeAudience:
		default:
			continue
		}
		if route.Method == http.MethodPost && route.Upload == 0 && !route.Tries { // a file is only tried
			found++
			require.True(t, route.Sends, name(route))
		}
	}
	require.GreaterOrEqual(t, found, 10)
}

// Two administrators with the same page open: the second sees what the first has made of the person, and has what
// they chose themselves still marked.
func TestPerson_OfTwoChangesAtOnceTheSecondIsShownBoth(t *testing.T) {
	r := newRig(t)
	r.fake.Users = []wire.User{{Name: "duty", Roles: []string{authority.RoleViewer}, Version: "now"}}
	page := r.get("people/duty").Body.String()
	require.Equal(t, 2, strings.Count(page, `name="version" value="now"`))
	chosen := url.Values{"role": {authority.RoleApprover}, "version": {"before"}, "password": {"right"}}
	got := r.post("people/duty/may", chosen)
	require.Equal(t, http.StatusConflict, got.Code)
	require.Empty(t, changing(r.fake.Calls()), "nothing was changed")
	page = got.Body.String()
	require.Contains(t, page, "Somebody else has changed duty meanwhile")
	require.Contains(t, page, `<dd><bdi>viewer</bdi></dd>`, "what holds now")
	require.Contains(t, page, `value="approver" checked`, "what was chosen")
	require.Contains(t, page, `name="version" value="now"`)
	chosen.Set("version", "now")
	require.Equal(t, http.StatusSeeOther, r.post("people/duty/may", chosen).Code)
}
