package handbook

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/pagetest"
	"almenara/node/web/console/words"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(), func() map[string]any { return map[string]any{"handbook": &indexPage{}, "chapter": &chapterPage{}} })
}

func ids(c chapter) (out []string) {
	for _, s := range c.sections {
		out = append(out, s.id)
	}
	return out
}

// A person reads the same in both languages, section by section.
func TestChapters_AreTheSameInEveryLanguage(t *testing.T) {
	for _, name := range chapters {
		first := book()["en"][name]
		require.Equal(t, name != who, len(first.body) > 0, name)
		for _, l := range words.All() {
			c := book()[l.Tag][name]
			require.Equal(t, ids(first), ids(c), "sections of %s in %s", name, l.Tag)
			for _, s := range c.sections {
				require.NotEmpty(t, s.id, "%s in %s: %s", name, l.Tag, s.title)
				require.NotContains(t, s.title, "⟦", "%s in %s", name, l.Tag)
				require.True(t, name == contract || s.text != "", "%s in %s says nothing of %s", name, l.Tag, s.title)
			}
			require.Len(t, slices.Compact(slices.Sorted(slices.Values(ids(c)))), len(c.sections), "two sections of %s in %s have one name", name, l.Tag)
			require.NotContains(t, string(c.body), "raw HTML omitted")
			require.NotContains(t, string(c.body), "<h1", "a page has one title")
		}
	}
}

// said are the keys of what the console says when something is wrong; what is beside a sentence, or of
// good news, is none.
var (
	said   = regexp.MustCompile(`^(banner|problem|reason|sign-in\.wrong)\.`)
	beside = regexp.MustCompile(`\.(works|says|good|at|help|title|back|alert)$`)
)

// Whatever the console says has an entry that tells what to do.
func TestFaults_HaveAnEntryForEachSentence(t *testing.T) {
	count := 0
	for _, l := range words.All() {
		known := ids(book()[l.Tag][faults])
		for _, key := range l.Keys() {
			if said.MatchString(key) && !beside.MatchString(key) {
				require.Contains(t, known, key, "the handbook in %s says nothing of %q", l.Tag, l.T(key))
				count++
			}
		}
		for _, id := range known {
			require.True(t, !said.MatchString(id) || l.Has(id), "%s: nothing says %s any more", l.Tag, id)
		}
	}
	require.Greater(t, count, 60)
	require.Equal(t, "… of … nodes do not answer.", Sentence(words.All()[0], "banner.silent"))
}

var link = regexp.MustCompile(`href="([^"]*)"`)

// Every link leads to a page of the console, or to a section that is there; and nowhere else: a node may
// have no network.
func TestLinks_LeadSomewhere(t *testing.T) {
	pages := []string{"ability", "reports", "notices", "wall", "watch", "contents", "compose", "enrol", "checkins", "devices", "places", "now", "approvals", "scenarios", "audit", "account", "first", "handbook", "personal", "personal/erase"}
	found := 0
	for _, l := range words.All() {
		for _, name := range chapters {
			for _, m := range link.FindAllStringSubmatch(string(book()[l.Tag][name].body), -1) {
				page, section, _ := strings.Cut(m[1], "#")
				page = strings.TrimPrefix(page, frame.Below)
				within := name
				if other, ok := strings.CutPrefix(page, "handbook/"); ok {
					require.Contains(t, chapters, other, m[1])
					within = other
				} else if page != "" {
					require.Contains(t, pages, page, "%s in %s links to %s", name, l.Tag, m[1])
				}
				if section != "" {
					require.Contains(t, ids(book()[l.Tag][within]), section, "%s in %s links to %s", name, l.Tag, m[1])
				}
				found++
			}
		}
	}
	require.Greater(t, found, 20)
}

// The table is the one by which nodes decide, cell by cell.
func TestWho_IsTheTableOfAuthority(t *testing.T) {
	for _, l := range words.All() {
		got := rows(l)
		require.Len(t, got, len(authority.Table()))
		for i, line := range authority.Table() {
			for j, role := range authority.Roles() {
				require.Equal(t, authority.May(authority.Caller{Roles: []string{role}}, line.Action), got[i].May[j], "%s by %s", line.Action, role)
			}
			for _, text := range []string{got[i].Does, got[i].Alone, got[i].Second, got[i].Limits} {
				require.NotContains(t, text, "⟦", "%s in %s", line.Action, l.Tag)
			}
			require.Equal(t, line.Policy, got[i].Second != "")
		}
	}
}

// What is written as HTML in a text is not shown as such.
func TestRead_TakesNoHTML(t *testing.T) {
	c, err := read("## A {#a}\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) <b onclick=x>y</b>\n")
	require.NoError(t, err)
	require.NotContains(t, string(c.body), "<script")
	require.NotContains(t, string(c.body), "onclick")
	require.NotContains(t, string(c.body), "javascript:")
	c, err = read("## A {#a}\n\n| | b |\n|---|---|\n| c | d |\n")
	require.NoError(t, err)
	require.Contains(t, string(c.body), `<table tabindex="0">`)
	require.NotContains(t, string(c.body), "<th></th>", "a column without a name cannot be read aloud")
	require.IsType(t, template.HTML(""), c.body)
}

func get(t *testing.T, path, language string) *httptest.ResponseRecorder {
	t.Helper()
	f, err := frame.New(frame.Options{Sessions: pagetest.Nobody{}, Status: pagetest.Nobody{}, Clock: func() time.Time { return time.Date(2026, 11, 29, 3, 4, 5, 0, time.UTC) }}, Room())
	require.NoError(t, err)
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "localhost"
	r.Header.Set("Accept-Language", language)
	f.ServeHTTP(w, r)
	return w
}

// Who cannot sign in needs the handbook most.
func TestPages_AreOpen(t *testing.T) {
	for _, name := range chapters {
		for _, l := range words.All() {
			got := get(t, "/console/handbook/"+name, l.Tag)
			require.Equal(t, 200, got.Code, "%s in %s: %s", name, l.Tag, got.Body)
			require.Contains(t, got.Body.String(), l.T("handbook."+name))
			require.NotContains(t, got.Body.String(), "style=")
		}
	}
	require.Equal(t, 404, get(t, "/console/handbook/none", "en").Code)
}

// hits is what a search finds.
func hits(t *testing.T, query, language string) string {
	t.Helper()
	page := get(t, "/console/handbook?q="+query, language).Body.String()
	_, rest, ok := strings.Cut(page, `<ul class="hits">`)
	require.True(t, ok, page)
	found, _, _ := strings.Cut(rest, "</ul>")
	return found
}

func TestSearch_FindsWhatHoldsEveryWord(t *testing.T) {
	for query, want := range map[string]string{
		"quarantined": "faults#banner.quarantined", "Disk+FREE": "faults#disk", "knock+register": "faults#reason.no-device", "manifest": "contract#",
	} {
		require.Contains(t, hits(t, query, "en"), `<a href="/console/handbook/`+want, query)
	}
	require.Contains(t, hits(t, "%E7%A3%81%E7%A2%9F", "zh-HK"), "faults#disk")
	require.NotContains(t, hits(t, "quarantined+zebra", "en"), "<li>")
	require.NotContains(t, get(t, "/console/handbook?q=%3Cscript%3Ealert(1)", "en").Body.String(), "<script>alert")
	require.Equal(t, "ab", around("ab", "İ"), "letters that change their length are no fault")
	long := strings.Repeat("many words before ", 5) + "a full disk" + strings.Repeat(" and many after it", 20)
	got := around(long, "disk")
	require.True(t, strings.HasPrefix(got, "…words before many words before a full disk and"), got)
	require.True(t, strings.HasSuffix(got, " after it and…"), got)
	require.NotEmpty(t, around(strings.Repeat("x", 500), "x"), "a word without an end is cut")
	require.Equal(t, 162, len([]rune(around(strings.Repeat("磁", 300)+"碟"+strings.Repeat("磁", 300), "碟"))), "Chinese is cut anywhere")
}

// What marks a text as bold is never shown as stars: behind a Chinese colon Markdown does not see where bold ends.
func TestChapters_ShowNoMarks(t *testing.T) {
	for _, l := range words.All() {
		for name, c := range book()[l.Tag] {
			if name != contract { // it has vectors with stars
				require.NotContains(t, string(c.body), "**", "%s in %s", name, l.Tag)
			}
		}
	}
}
