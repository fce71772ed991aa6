package console

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/web/console/contents"
	"almenara/node/web/console/frame"
)

func name(r frame.Route) string { return r.Method + " " + r.Path }

// roleFor is a role that the route is for.
func roleFor(r frame.Route) string {
	if r.Action == "" {
		return "none"
	}
	if roles := authority.LineOf(r.Action).Roles; len(roles) > 0 {
		return roles[0]
	}
	return authority.RoleAdministrator
}

func isStream(r frame.Route) bool { return r.Path == Below+"events" }

func TestRoutes_AnswerWhomTheyAreFor(t *testing.T) {
	for _, route := range tried() {
		if isStream(route) {
			continue
		}
		got := newRig(t).ask(route, roleFor(route))
		require.Contains(t, []int{200, 303}, got.Code, "%s: %s", name(route), got.Body)
		require.NotContains(t, got.Body.String(), "⟦", name(route))
		if strings.Contains(got.Body.String(), `class="who"`) && !route.Open {
			require.Contains(t, got.Body.String(), `<a href="/console/account"><bdi>amy</bdi></a>`, "%s: a field of the page hides one of the layout", name(route))
		}
		require.NotEmpty(t, got.Header().Get("Content-Security-Policy"), name(route))
		require.NotContains(t, got.Body.String(), "style=", "the policy refuses styles within a page")
		require.NotContains(t, got.Body.String(), "onclick", "and scripts")
		require.NotContains(t, got.Body.String(), `="&#34;`, "the template takes an attribute for a script")
	}
}

// A GET changes nothing: browsers ask for pages ahead, and links are followed by anybody.
func TestRoutes_AGETChangesNothing(t *testing.T) {
	for _, route := range tried() {
		require.Contains(t, []string{http.MethodGet, http.MethodPost}, route.Method)
		if route.Method == http.MethodPost || isStream(route) {
			continue
		}
		r := newRig(t)
		r.ask(route, authority.RoleAdministrator)
		require.Empty(t, changing(r.fake.Calls()), name(route))
		for _, what := range r.people.asked {
			require.Equal(t, "Seen", what, name(route))
		}
	}
}

// What a form only tries is neither sent nor recorded.
func TestRoutes_WhatOnlyTriesChangesNothing(t *testing.T) {
	for _, route := range tried() {
		if !route.Tries {
			continue
		}
		for _, do := range []string{"check", "count", "edit", "renew", "add", "send", ""} {
			r := newRig(t)
			form := formFor(route)
			form.Set("do", do)
			got := r.ask(route, authority.RoleAdministrator, func(q *http.Request) { q.PostForm, q.Form = form, form })
			require.Contains(t, []int{200, 422}, got.Code, "%s %s: %s", name(route), do, got.Body)
			require.Empty(t, changing(r.fake.Calls()), "%s %s", name(route), do)
		}
	}
}

func TestRoutes_RefuseWhoeverHasNotSignedIn(t *testing.T) {
	for _, route := range tried() {
		if route.Open {
			continue
		}
		for _, cookie := range []string{"", "unknown", strings.Repeat("x", 5000)} {
			r := newRig(t)
			got := r.ask(route, cookie)
			if route.Method == http.MethodGet {
				require.Equal(t, 303, got.Code, name(route))
				require.True(t, strings.HasPrefix(got.Header().Get("Location"), Below+"sign-in?next="), name(route))
			} else {
				require.Equal(t, 401, got.Code, name(route))
			}
			require.NotContains(t, strings.Join(r.fake.Calls(), " "), "List", name(route))
			require.Empty(t, changing(r.fake.Calls()), name(route))
			require.Empty(t, r.people.asked, name(route))
		}
	}
}

func TestRoutes_RefuseOtherRoles(t *testing.T) {
	for _, route := range tried() {
		if route.Open || route.Action == "" {
			continue
		}
		for _, role := range append(authority.Roles(), "none") {
			if authority.May(authority.Caller{Roles: []string{role}}, route.Action) {
				continue
			}
			r := newRig(t)
			got := r.ask(route, role)
			require.Equal(t, 403, got.Code, "%s as %s", name(route), role)
			require.Empty(t, changing(r.fake.Calls()), "%s as %s", name(route), role)
		}
	}
}

// What is sent is sent as the person with that person's places: the rules of the API decide.
func TestRoutes_PassOnWhoAsksAndWithin(t *testing.T) {
	for _, route := range tried() {
		if !route.Sends || route.Action == authority.Approve || !authority.LineOf(route.Action).Warns() {
			continue
		}
		r := newRig(t)
		got := r.ask(route, "limited")
		require.Equal(t, 303, got.Code, got.Body)
		require.Len(t, changing(r.fake.Calls()), 1, name(route))
		require.Equal(t, []string{"tuen-mun/on-ting"}, r.fake.By().Places, name(route))
	}
}

func TestRoutes_RefusePagesOfOtherSites(t *testing.T) {
	for _, route := range tried() {
		if route.Method != http.MethodPost {
			continue
		}
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			r := newRig(t)
			got := r.ask(route, authority.RoleAdministrator, func(q *http.Request) { q.Header.Set(header[0], header[1]) })
			require.Equal(t, 403, got.Code, "%s with %v", name(route), header)
			require.Empty(t, changing(r.fake.Calls()))
			require.Empty(t, r.people.asked)
		}
	}
}

func TestRoutes_RefuseAForeignHost(t *testing.T) {
	for _, route := range tried() {
		for host, ours := range map[string]bool{
			"evil.example": false, "on-ting.evil.example": false, "10.9.9.9": false, "": false,
			"on-ting": true, "ON-TING.:8480": true, "localhost:8480": true, "127.0.0.1:1": true, "[::1]:8480": true, "10.0.0.7:8480": true,
		} {
			if isStream(route) && ours {
				continue
			}
			r := newRig(t)
			got := r.ask(route, roleFor(route), func(q *http.Request) {
				q.Host = host
				*q = *q.WithContext(context.WithValue(q.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP("10.0.0.7"), Port: 8480}))
			})
			require.Equal(t, !ours, got.Code == 403, "%s for %q: %d", name(route), host, got.Code)
			if !ours {
				require.Empty(t, changing(r.fake.Calls()))
			}
		}
	}
}

// Pages and the API are two kinds of route that refuse each other's requests.
func TestRoutes_RefusePrograms(t *testing.T) {
	for _, route := range tried() {
		got := newRig(t).ask(route, authority.RoleAdministrator, func(q *http.Request) { q.Header.Set("Authorization", "Bearer x") })
		require.Equal(t, 400, got.Code, name(route))
		if route.Method != http.MethodPost {
			continue
		}
		for _, kind := range []string{"application/json", "text/plain", ""} {
			r := newRig(t)
			got := r.ask(route, authority.RoleAdministrator, func(q *http.Request) { q.Header.Set("Content-Type", kind) })
			require.Equal(t, 400, got.Code, "%s with %q", name(route), kind)
			require.Empty(t, changing(r.fake.Calls()))
		}
	}
}

func TestRoutes_RefuseAFormThatIsTooLarge(t *testing.T) {
	for _, route := range tried() {
		if route.Method != http.MethodPost {
			continue
		}
		r := newRig(t)
		body, kind := "reason="+strings.Repeat("x", 1<<20), "application/x-www-form-urlencoded"
		if route.Upload > 0 {
			body, kind = "--b\r\nContent-Disposition: form-data; name=reason\r\n\r\n"+strings.Repeat("x", 1<<20)+"\r\n--b--", "multipart/form-data; boundary=b"
		}
		q := httptest.NewRequest("POST", pathFor(route), strings.NewReader(body))
		q.Header.Set("Content-Type", kind)
		q.AddCookie(&http.Cookie{Name: "almenara", Value: authority.RoleAdministrator})
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		require.Equal(t, 413, w.Code, name(route))
		require.Empty(t, changing(r.fake.Calls()))
	}
}

// Who was idle for long proves again who it is, before anything is sent.
func TestRoutes_AskWhoWasIdleForThePassword(t *testing.T) {
	for _, route := range tried() {
		if !route.Sends {
			require.False(t, route.Method == http.MethodPost && authority.LineOf(route.Action).Warns() && !route.Tries, "%s sends something", name(route))
			continue
		}
		for password, sent := range map[string]bool{"": false, "wrong": false, "right": true} {
			r := newRig(t)
			r.people.idle = true
			got := r.ask(route, authority.RoleAdministrator, func(q *http.Request) {
				require.NoError(t, q.ParseForm())
				q.PostForm.Set("password", password)
			})
			require.Equal(t, sent, got.Code == 303 || got.Code == 200, "%s with %q: %d", name(route), password, got.Code)
			require.Equal(t, sent, len(changing(r.fake.Calls())) == 1)
		}
	}
}

func TestCookies(t *testing.T) {
	route := frame.Route{Method: "POST", Path: Below + "sign-in"}
	for _, secure := range []bool{false, true} {
		got := newRig(t).ask(route, "", func(q *http.Request) {
			if secure {
				q.TLS = &tls.ConnectionState{}
			}
		})
		require.Equal(t, 303, got.Code)
		cookie := got.Result().Cookies()[0]
		require.Equal(t, map[bool]string{false: "almenara", true: "__Host-almenara"}[secure], cookie.Name)
		require.Equal(t, secure, cookie.Secure)
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
		require.Equal(t, "/", cookie.Path)
		require.Empty(t, cookie.Domain)
	}
}

// Every page that is opened without saying of what is found from every page: it is linked there, or on the page
// of all pages, for whoever may open it.
func TestRoutes_AStrangerFindsEveryPage(t *testing.T) {
	require.LessOrEqual(t, len(nav()), 8, "in a hurry nobody reads more")
	found := map[string]authority.Action{"contents": ""}
	for _, group := range contents.All() {
		for _, e := range group.Entries {
			found[e.Path] = e.Action
		}
	}
	for _, item := range nav() {
		require.Contains(t, found, item.Name, "and all of them on that page")
	}
	opened := 0
	for _, route := range tried() {
		path := strings.TrimPrefix(route.Path, Below)
		if route.Method != http.MethodGet || isStream(route) || strings.Contains(path, "{") || strings.Contains(path, ".") || path == "" || path == "sign-in" || path == "first" || path == "language" {
			continue
		}
		action, ok := found[path]
		require.True(t, ok, "%s is not on the page of all pages: add it to contents.All", name(route))
		if !route.Open {
			require.Equal(t, route.Action, action, name(route))
		}
		opened++
	}
	require.Greater(t, opened, 15)
	page := newRig(t).ask(frame.Route{Method: "GET", Path: Below + "contents"}, authority.RoleViewer).Body.String()
	require.NotContains(t, page, `href="/console/people"`, "nobody is shown what they may not open")
	require.Contains(t, page, `href="/console/watch"`)
}
