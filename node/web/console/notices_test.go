package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
)

// A new version begins with what the newest one says, and what was typed and refused stays typed.
func TestNotices_ANewVersionBeginsWithTheNewest(t *testing.T) {
	r := newRig(t)
	n := &r.fake.Notices[0]
	n.Author, n.Versions[1].Blanks = "amy", map[string]string{"where": "Block 7"}
	ask := func(method string, form url.Values) string {
		q := httptest.NewRequest(method, Below+"notices/"+n.ID+"/version", strings.NewReader(form.Encode()))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.AddCookie(&http.Cookie{Name: "almenara", Value: authority.RoleComposer})
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		return w.Body.String()
	}
	require.Contains(t, ask("GET", nil), `name="b.where" value="Block 7"`)
	page := ask("POST", url.Values{"b.where": {"Block 8"}, "version": {"2"}, "why": {"moved"}, "goes": {"tomorrow"}})
	require.Contains(t, page, "What came is not what this page sends", "a time that cannot be read does not mean at once")
	require.NotContains(t, strings.Join(r.fake.Calls(), " "), "ReviseNotice")
}
