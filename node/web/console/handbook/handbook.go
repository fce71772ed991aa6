// Package handbook is the pages that a person reads when something is to be learnt, or goes wrong: the
// first hour, a duty, each fault with what to do, who may do what, what is kept, and the device contract.
//
//	LANGUAGE/CHAPTER.md ─> goldmark, without raw HTML ─> sections ─> pages, search
//	authority.Table     ─> who may do what
//
// They are open to whoever has not signed in: what they say is public with the program, and who cannot
// sign in needs it most. They ask no service and show nothing of the district.
package handbook

import (
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

//go:embed *.html *.css
var files embed.FS

// The chapters, in their order. Of "who" there is no text: it is made of the table of authority.
const (
	faults   = "faults"
	who      = "who"
	contract = "contract"
)

var chapters = []string{"first-hour", "duty", faults, who, "record", contract}

// Room is these pages.
func Room() frame.Room {
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: http.MethodGet, Path: frame.Below + "handbook", Open: true, Handle: index},
		{Method: http.MethodGet, Path: frame.Below + "handbook/{chapter}", Open: true, Handle: show},
	}}
}

type indexPage struct {
	frame.Page
	Asked    string
	Found    []found
	Chapters []entry
}

type entry struct {
	Path, Title, Says string
	Sections          []found
}

type found struct{ Path, Title, Text string }

// index lists the chapters, or the sections that hold every word that is asked for.
func index(q *frame.Request) error {
	out := indexPage{Page: q.Page("handbook"), Asked: q.R.URL.Query().Get("q")}
	asked := strings.Fields(strings.ToLower(out.Asked))
	for _, name := range chapters {
		e := entry{Path: frame.Below + "handbook/" + name, Title: q.Lang.T("handbook." + name), Says: q.Lang.T("handbook." + name + ".says")}
		for _, s := range book()[q.Lang.Tag][name].sections {
			one := found{e.Path + "#" + s.id, s.title, s.text}
			e.Sections = append(e.Sections, one)
			if text := strings.ToLower(s.title + " " + s.text + " " + s.id); len(asked) > 0 && holds(text, asked) {
				out.Found = append(out.Found, found{one.Path, one.Title, around(s.text, asked[0])})
			}
		}
		out.Chapters = append(out.Chapters, e)
	}
	return q.Show("handbook", out)
}

func holds(text string, asked []string) bool {
	return !slices.ContainsFunc(asked, func(word string) bool { return !strings.Contains(text, word) })
}

// around is some of the text about the word.
func around(text, word string) string {
	const before, most = 40, 160
	letters := []rune(text)
	at := 0
	if i := strings.Index(strings.ToLower(text), word); i >= 0 {
		at = min(len([]rune(strings.ToLower(text)[:i])), len(letters))
	}
	from := max(0, at-before)
	to := min(len(letters), from+most)
	for n := 0; n < 20 && from > 0 && from < at && inWord(letters, from); n++ {
		from++
	}
	for n := 0; n < 20 && to < len(letters) && to > at && inWord(letters, to); n++ {
		to--
	}
	out := strings.TrimSpace(string(letters[from:to]))
	if from > 0 {
		out = "…" + out
	}
	if to < len(letters) {
		out += "…"
	}
	return out
}

// inWord reports whether a cut before a letter goes through a word of letters that are written without spaces
// between them, as English is and Chinese is not.
func inWord(letters []rune, at int) bool {
	part := func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Han, r) || unicode.IsDigit(r) }
	return part(letters[at-1]) && part(letters[at])
}

type chapterPage struct {
	frame.Page
	Body     any // template.HTML of our own texts
	English  bool
	Sections []found
	Next     entry
	Roles    []string
	Rows     []row
	Notes    []string
}

// row is one action, and who may.
type row struct {
	Does   string
	May    []bool // by Roles
	Second string
	Limits string
	Alone  string
}

func show(q *frame.Request) error {
	name := q.R.PathValue("chapter")
	at := slices.Index(chapters, name)
	if at < 0 {
		return wire.Problemf(wire.KindNotFound, "the handbook has no chapter %.100q", name).Because(why.NoPage, name)
	}
	c := book()[q.Lang.Tag][name]
	out := chapterPage{Page: q.Page("chapter"), Body: c.body, English: name == contract && q.Lang.Tag != "en"}
	out.Title = q.Lang.T("handbook." + name)
	for _, s := range c.sections {
		out.Sections = append(out.Sections, found{Path: "#" + s.id, Title: s.title})
	}
	if at+1 < len(chapters) {
		next := chapters[at+1]
		out.Next = entry{Path: frame.Below + "handbook/" + next, Title: q.Lang.T("handbook." + next)}
	}
	if name == who {
		out.Body, out.Rows, out.Roles = template.HTML(""), rows(q.Lang), roles(q.Lang)
		out.Notes = []string{q.Lang.T("who.note.system"), q.Lang.T("who.note.licence"), q.Lang.T("who.note.limits"), q.Lang.T("who.note.corrector")}
	}
	return q.Show("chapter", out)
}

func roles(l *words.Language) (out []string) {
	for _, role := range authority.Roles() {
		out = append(out, l.Or("role.", role))
	}
	return out
}

// rows are the table of authority: the only place that says who may.
func rows(l *words.Language) (out []row) {
	for _, line := range authority.Table() {
		r := row{Does: l.T("does." + key(string(line.Action))), Alone: l.T("alone." + alone[line.Alone])}
		for _, role := range authority.Roles() {
			r.May = append(r.May, authority.May(authority.Caller{Roles: []string{role}}, line.Action))
		}
		if line.Policy {
			r.Second = l.T("who.policy")
		}
		var limits []string
		if line.Inside || line.Others {
			limits = append(limits, l.T("who.places"))
		}
		if line.Speaks {
			limits = append(limits, l.T("who.senders"))
		}
		r.Limits = strings.Join(limits, " ")
		out = append(out, r)
	}
	return out
}

// alone names what becomes of an action on a node that is alone.
var alone = map[authority.Alone]string{
	authority.AsEver: "as-ever", authority.Licensed: "licensed", authority.FreshPolicy: "fresh", authority.Majority: "majority",
}

func key(action string) string { return strings.ReplaceAll(action, " ", "-") }
