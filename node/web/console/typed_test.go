package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/authority"
)

// inChinese sends a form with the button of the other language, as the page at a path has it.
func (r *rig) inChinese(t *testing.T, as, at string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	q := httptest.NewRequest("POST", Below+"language?language=zh-Hant&do=&back="+url.QueryEscape(at), strings.NewReader(form.Encode()))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Accept-Language", "en")
	q.AddCookie(&http.Cookie{Name: "almenara", Value: as})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	require.Equal(t, 200, w.Code, w.Body.String())
	require.Contains(t, w.Body.String(), `lang="zh-Hant"`)
	return w
}

// Every form that somebody writes much into comes again in the other language with what was typed. Nothing is
// sent or saved.
func TestLanguage_KeepsEveryForm(t *testing.T) {
	r := newRig(t)
	typed := "what I typed"
	for at, form := range map[string]struct {
		as    string
		typed url.Values
	}{
		"compose":                                  {authority.RoleComposer, url.Values{"lang.0": {"en"}, "lang.1": {"zh-Hant"}, "lang.2": {"ur"}, "headline.2": {typed}, "by": {"places"}}},
		"alerts/" + apitest.AlertID + "/update":    {authority.RoleComposer, url.Values{"lang.0": {"en"}, "headline.0": {typed}}},
		"alerts/" + apitest.AlertID + "/correct":   {authority.RoleCorrector, url.Values{"headline.0": {typed}}},
		"scenario":                                 {authority.RoleAdministrator, url.Values{"lang.0": {"en"}, "lang.1": {"zh-Hant"}, "lang.2": {"fil"}, "headline.2": {typed}}},
		"place/tuen-mun/on-ting":                   {authority.RoleAudienceManager, url.Values{"n.en": {typed}, "version": {"0f3a"}}},
		"add-place":                                {authority.RoleAudienceManager, url.Values{"n.en": {typed}}},
		"notices/" + apitest.NoticeID + "/version": {authority.RoleComposer, url.Values{"why": {typed}}},
		"alerts/" + apitest.AlertID + "/end":       {authority.RoleComposer, url.Values{"reason": {typed}}},
		"people":                                   {authority.RoleAdministrator, url.Values{"name": {typed}}},
		"add-devices":                              {authority.RoleAdministrator, url.Values{"list": {typed}}},
	} {
		page := r.inChinese(t, form.as, Below+at, form.typed).Body.String()
		require.Contains(t, page, typed, at)
		require.Contains(t, page, `form="typed" data-language`, at)
	}
	require.Empty(t, changing(r.fake.Calls()))
}
