package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

const inEnglish = "an English sentence of the node"

// whatIsSaid is every sentence that is pointed out to people or that is wrong with a message.
func whatIsSaid() (out why.Sentences) {
	for _, key := range words.All()[0].Keys() {
		if r, ok := strings.CutPrefix(key, "why."); ok {
			out = append(out, why.Sayf(inEnglish).Because(why.Reason(r), why.At{Info: 1}, "乙", "丙", "丁", "戊", "己"))
		}
	}
	return out
}

// Whatever is pointed out or refused is said in Chinese on every page that is in Chinese.
func TestPages_InChineseSayNothingInEnglish(t *testing.T) {
	all := whatIsSaid()
	require.Greater(t, len(all), 250)
	chinese := func(q *http.Request) { q.Header.Set("Accept-Language", "zh-HK") }
	shown := map[string]bool{}
	look := func(r *rig, as string) {
		for _, route := range tried() {
			if isStream(route) || route.Path == Below+"static/{file}" {
				continue
			}
			got := r.ask(route, as, chinese)
			if !isPage(got) {
				continue
			}
			page := got.Body.String()
			require.NotContains(t, page, inEnglish, name(route))
			require.NotContains(t, page, "⟦", name(route))
			if strings.Contains(page, "乙") {
				shown[name(route)] = true
			}
		}
	}
	r := newRig(t)
	r.fake.Outcome.Warnings, r.fake.Warned = all, all
	look(r, authority.RoleComposer)
	look(r, authority.RoleAdministrator)
	for _, route := range []string{"POST " + Below + "compose", "POST " + Below + "alerts/{id}/update", "POST " + Below + "scenario"} {
		require.True(t, shown[route], "%s shows what is pointed out; of %v", route, shown)
	}

	clear(shown)
	refused := wire.Problemf(wire.KindRefused, inEnglish).Because(why.NotValid)
	refused.Why.Points = all
	r.fake.Err = refused
	look(r, authority.RoleComposer)
	look(r, authority.RoleAdministrator)
	require.Greater(t, len(shown), 20, "pages that show what is refused: %v", shown)
}
