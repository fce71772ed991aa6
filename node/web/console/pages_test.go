package console

import (
	"bytes"
	"io/fs"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/words"
	"almenara/node/wire"
)

// datas are what the templates are filled with.
func datas() map[string]any {
	return map[string]any{
		"sign-in": &signInPage{}, "first": &firstPage{}, "account": &accountPage{}, "problem": &frame.ProblemPage{},
		"scenarios": &scenariosPage{}, "remove": &removePage{}, "wall": &wallPage{}, "fire": &firePage{}, "now": &nowPage{}, "alert": &alertPage{}, "unreached": &unreachedPage{},
		"end": &endPage{}, "correct": &correctPage{}, "approvals": &approvalsPage{}, "approve": &approvePage{},
	}
}

// hostile is what somebody may type anywhere: markup, a bidi override that is never closed, and
// what ends an attribute.
const hostile = "<script>alert(1)</script>\u202egnp.exe\" onload='x' {{.}}"

// fill puts a text into every text of a value, and three of each list.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*words.Language]() {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), text)
		}
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1 << 40)
	case reflect.Uint64:
		v.SetUint(1 << 62)
	}
}

// rendered is a page, with every field filled with the text; "" leaves all as it is.
func rendered(t *testing.T, name string, data any, l *words.Language, text string) string {
	t.Helper()
	r, v := newRig(t), reflect.ValueOf(data).Elem()
	if text != "" {
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Page" {
				continue // what is in it is ours
			}
			f := reflect.NewAt(v.Field(i).Type(), v.Field(i).Addr().UnsafePointer()).Elem()
			fill(f, text)
		}
	}
	base := v.FieldByName("Page")
	p := (*frame.Page)(base.Addr().UnsafePointer())
	p.Language, p.Title, p.Styles = l, l.T(name+".title"), r.Styles(name)
	if text != "" {
		p.User, p.Path, p.Idle, p.Only = text, Below, true, true
		p.Banner = frame.Banner{Drill: true, Level: "alone", State: text, Works: text, Detail: text, Policy: text, Clock: text, At: text, Stale: text}
	}
	var out bytes.Buffer
	require.NoError(t, r.Template(name).ExecuteTemplate(&out, "layout", data), name)
	return out.String()
}

// A template that is broken for some value must be found here, and not by a night shift.
func TestTemplates_TakeEmptyAndHugeValues(t *testing.T) {
	names, err := fs.Glob(templates, "[a-z]*.html")
	require.NoError(t, err)
	require.Len(t, datas(), len(names), "every page is tried")
	for name := range datas() {
		for _, l := range words.All() {
			for _, text := range []string{"", hostile, strings.Repeat("長", 20_000)} {
				page := rendered(t, name, datas()[name], l, text)
				require.NotContains(t, page, "⟦", "%s in %s: a text is missing", name, l.Tag)
				require.Contains(t, page, `<html lang="`+l.Tag+`">`)
				require.Contains(t, page, "</html>")
				require.NotContains(t, page, "%!", name)
			}
		}
	}
}

// What people type is shown as they typed it, and never becomes a part of the page.
func TestTemplates_ShowForeignTextsAsTexts(t *testing.T) {
	for name := range datas() {
		page := rendered(t, name, datas()[name], words.All()[0], hostile)
		require.NotContains(t, page, "<script>alert", name)
		require.NotContains(t, page, `" onload=`, name)
	}
}

// A mark in a foreign text that turns the direction of writing ends where that text ends.
func TestPages_IsolateForeignTexts(t *testing.T) {
	r := newRig(t)
	a := withTexts(apitest.ExampleAlert())
	a.Headline, a.Author = "headline"+hostile, "author"+hostile
	for i := range a.Messages {
		a.Messages[i].Headline, a.Messages[i].Author, a.Messages[i].Reason = a.Headline, a.Author, "reason"+hostile
		for j := range a.Messages[i].Texts {
			x := &a.Messages[i].Texts[j]
			x.Headline, x.Description, x.Instruction, x.Areas = "h"+hostile, "d"+hostile, "i"+hostile, []string{"area" + hostile}
		}
	}
	a.ByGroup = []wire.GroupRow{{Place: "place" + hostile, Kind: "kind" + hostile}}
	r.fake.Alerts = []wire.Alert{a}
	r.fake.Rows = []wire.ReceiptRow{{Member: "member" + hostile, Name: "name" + hostile, Kind: "kind" + hostile, Place: "place" + hostile, Reason: "dark"}}
	isolated := regexp.MustCompile("<bdi>[^<]*\u202e[^<]*</bdi>|<[^>]*\u202e[^>]*>|<(textarea|title|h1)[^>]*>[^<]*\u202e")
	for _, route := range tried() {
		if route.Method != http.MethodGet || isStream(route) || route.Open {
			continue
		}
		got := r.ask(route, authority.RoleAdministrator).Body.String()
		require.NotContains(t, got, "<script>alert", name(route))
		rest := isolated.ReplaceAllString(got, "")
		rest = regexp.MustCompile(`<span class="hidden">[^<]*</span>`).ReplaceAllString(rest, "") // for screen readers only
		require.NotContains(t, rest, "\u202e", "%s shows a foreign text without <bdi>", name(route))
	}
}

// Whatever is live can be stopped from the wall, however many scenarios there are.
func TestWall_ShowsWhatIsLive(t *testing.T) {
	var all []scenarioButton
	for i := range 30 {
		all = append(all, scenarioButton{ID: string(rune('a' + i))})
	}
	all[25].Live = []row{{ID: "x"}}
	shown, more := arranged(all)
	require.Len(t, shown, onWall+1)
	require.Equal(t, all[25].ID, shown[onWall].ID)
	require.Len(t, more, 30-onWall-1)
}

// Two people at a time, each in another language: no page comes out in the other's.
func TestPages_InTwoLanguagesAtOnce(t *testing.T) {
	r := newRig(t)
	var all sync.WaitGroup
	for i := range 8 {
		lang := words.All()[i%2]
		all.Go(func() {
			for _, route := range tried() {
				if route.Method != http.MethodGet || isStream(route) || route.Path == Below+"static/{file}" {
					continue
				}
				got := r.ask(route, authority.RoleAdministrator, func(q *http.Request) { q.Header.Set("Accept-Language", lang.Tag) })
				if got.Code != 200 {
					continue
				}
				if !strings.Contains(got.Body.String(), `<html lang="`+lang.Tag+`">`) || !strings.Contains(got.Body.String(), lang.T("layout.signout")) || strings.Contains(got.Body.String(), lang.Other().T("layout.signout")) {
					t.Errorf("%s came out in another language than %s", name(route), lang.Tag)
				}
			}
		})
	}
	all.Wait()
}
