package console

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/caution"
	"almenara/node/wire/headline"
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
	named := why.Sayf(inEnglish).Because(why.ThingKey, "乙")
	r := newRig(t)
	r.fake.Outcome.Warnings, r.fake.Warned = all, all
	r.fake.State.Warnings, r.fake.State.Ready, r.fake.State.Why = all, false, named
	r.fake.State.Ends = []wire.Ending{{Kind: "key", Name: named, Then: named, At: night}, {Kind: "licence", Name: named, Then: named, At: night.Add(time.Hour)}}
	r.fake.Imported.Faults, r.fake.Imported.Warnings, r.fake.Imported.Diff = all, all, all
	r.fake.Able.Missing[0].Why, r.fake.Tested = named, able.DeviceTest{Node: "n1", Stands: able.DeviceFailed, Why: named}
	look(r, authority.RoleComposer)
	look(r, authority.RoleAdministrator)
	for _, route := range []string{"POST " + Below + "compose", "POST " + Below + "alerts/{id}/update", "POST " + Below + "scenario", "GET " + Below + "ability", "GET " + Below + "ends", "POST " + Below + "devices/{device}/test", "POST " + Below + "import"} {
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

// Lists and headings name an alert in the language of the page, whichever its sender wrote first.
func TestPages_NameAlertsInTheirLanguage(t *testing.T) {
	const first, english, chinese = "in the first language of all", "the English headline", "中文的標題"
	lines := headline.Lines{{Language: "fr", Text: first}, {Language: "en", Text: english}, {Language: "zh-HK", Text: chinese}}
	r := newRig(t)
	a := &r.fake.Alerts[0]
	a.Headline, a.Headlines, a.Status, a.State = first, lines, "Exercise", wire.StateInForce
	for n := range a.Messages {
		a.Messages[n].Headline, a.Messages[n].Headlines = first, lines
	}
	waits := *a
	waits.ID, waits.State, waits.Waiting = "waits", wire.StatePending, 1
	a.Duplicates = []string{waits.ID}
	r.fake.Alerts = append(r.fake.Alerts, waits)
	r.fake.Report.Alert = *a
	r.fake.Report.Events[0].Headline, r.fake.Report.Events[0].Headlines = first, lines
	saying := caution.ContrarySaying{Alert: a.ID, Headline: first, Headlines: lines, Sent: night}
	r.fake.Contrary.Contradictions = []caution.Contradiction{{Why: caution.ContraryResponse, Says: []caution.ContrarySaying{saying, saying}}}
	for _, c := range []struct{ asked, says, other string }{{"zh-HK", chinese, english}, {"en", english, chinese}} {
		shown := map[string]bool{}
		for _, route := range tried() {
			if isStream(route) || route.Path == Below+"static/{file}" {
				continue
			}
			got := r.ask(route, authority.RoleAdministrator, func(q *http.Request) { q.Header.Set("Accept-Language", c.asked) })
			if !isPage(got) {
				continue
			}
			page := got.Body.String()
			require.NotContains(t, page, first, name(route))
			require.NotContains(t, page, c.other, name(route))
			shown[name(route)] = strings.Contains(page, c.says)
		}
		for _, path := range []string{"wall", "now", "watch", "approvals", "ability", "ability/drills", "alerts/{id}", "alerts/{id}/answers", "alerts/{id}/report", "alerts/{id}/residents", "alerts/{id}/unreached", "alerts/{id}/end", "alerts/{id}/correct"} {
			require.True(t, shown["GET "+Below+path], "%s in %s", path, c.asked)
		}
		require.True(t, shown["POST "+Below+"alerts/{id}/code"], "the spoken code in %s; of %v", c.asked, shown)
	}
}

// inEnglishStill are the templates that mark something as English whatever language the page is in, and why.
var inEnglishStill = map[string]string{
	"audit/audit.html":          "lines of the record are written once, in English",
	"checkins/place-codes.html": "it is printed in both languages",
	"frame/problem.html":        "what names a record is its kind and id",
	"handbook/chapter.html":     "the contract for makers of devices is in English",
}

// No page marks as English what the node says: that has a reason or a code, and a text in the language of the page.
func TestTemplates_MarkNothingAsEnglish(t *testing.T) {
	seen := 0
	for _, pattern := range []string{"*.html", "*/*.html", "*/*/*.html"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			raw, err := os.ReadFile(name)
			require.NoError(t, err)
			seen++
			require.Equal(t, inEnglishStill[filepath.ToSlash(name)] != "", strings.Contains(string(raw), `lang="en"`), "%s: what the node says is said by frame.Point", name)
		}
	}
	require.Greater(t, seen, 50)
}
