package notices

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/headline"
	"almenara/node/wire/notices"
)

type noticePage struct {
	frame.Page
	Notice  row
	Number  int // the newest version
	Level   int
	Levels  []level
	Texts   []text
	Changed string // what the newest version changed, and why
	Others  []string
	Care    []care // words that the newest version holds

	Versions []version
	Acts     []act
	Pass     bool // the person may pass it on, or send it back, where it waits
	Check    []string
	Ticks    []care // words that the person must tick
	Comment  bool
	Withdraw bool
	Revise   bool
	Own      bool
	Wrong    frame.Said
	Typed    string // what was typed and not taken
	Done     string
}

// level is one level, and how far it is.
type level struct {
	N                   int
	Title, Asks, Passed string
	Done, Here          bool
	Lines               []string
}

// text is what people read in one language, beside what the version before said.
type text struct {
	Language, Name, Areas string
	Fields                []field
	Comments              []comment
	Care                  []care
}

// field is one element of a text.
type field struct {
	Label   string
	Pieces  []piece
	Was     string // in the version before, where it differs
	Differs bool
	Strong  bool
}

// piece is a part of a text; Care marks a word that is looked at with care.
type piece struct {
	Text string
	Care bool
}

type comment struct{ By, At, Text, Version string }

// care is a word that is looked at with care.
type care struct{ Word, Why, Says string }

type version struct {
	N           int
	By, At, Why string
	Headline    string
	Path        string // where it is shown beside the newest
	Here        bool
}

type act struct {
	Says, By, At, Text string
	Ticked             []string
}

func (p pages) show(q *frame.Request) error {
	n, err := p.notices.ShowNotice(q.R.Context(), q.By(), q.R.PathValue("notice"))
	if err != nil {
		return err
	}
	out := p.noticeOf(q, n, number(q.R.URL.Query().Get("beside")))
	if done := q.Done(); slices.Contains([]string{notices.DoPass, notices.DoBack, notices.DoComment, notices.DoWithdraw, notices.ActWrote}, done) {
		out.Done = q.Lang.T("notice.done." + done)
	}
	return q.Show("notice", out)
}

// number is a small number of a query; 0 where it is none.
func number(text string) (n int) {
	if _, err := fmt.Sscanf(text, "%4d", &n); err != nil {
		return 0
	}
	return n
}

// noticeOf fills the page; beside is the version that is shown beside the newest one, 0 for the one
// before it.
func (p pages) noticeOf(q *frame.Request, n notices.Notice, beside int) noticePage {
	out := noticePage{Page: q.Page("notice"), Notice: newRow(q, n), Number: n.Version, Level: n.Level, Own: n.Author == q.By().Name}
	out.Title, out.Path = cmp.Or(n.Title, out.Title), q.Inside(pathOf(n.ID))
	out.Pass = view.Waits(q, n) && n.Standing == notices.Waiting
	over := out.Notice.Over
	out.Comment, out.Withdraw = q.May(authority.ReviewNotice) && !over, q.May(authority.ReviewNotice) && !over
	out.Revise = q.May(authority.WriteNotice) && out.Own && !over && n.Standing != notices.Locked
	out.Levels = levelsOf(q, n)
	for _, f := range n.Found {
		c := care{Word: f.Word, Why: f.Why, Says: q.Lang.T("notice.care")}
		if f.Tick {
			c.Says = q.Lang.T("notice.care.tick")
		}
		if f.Ticked != "" {
			c.Says = q.Lang.T("notice.care.ticked", f.Ticked)
		}
		known := func(o care) bool { return o.Word == c.Word }
		if !slices.ContainsFunc(out.Care, known) {
			out.Care = append(out.Care, c)
		}
		if f.Tick && f.Ticked == "" && !slices.ContainsFunc(out.Ticks, known) {
			out.Ticks = append(out.Ticks, c)
		}
	}
	if n.Level > 0 && n.Level <= len(n.Levels) {
		out.Check = n.Levels[n.Level-1].Level.Checklist
	}
	out.Versions, out.Acts = versionsOf(q, n, beside), actsOf(q, n)
	if len(n.Versions) > 0 {
		newest := n.Versions[len(n.Versions)-1]
		out.Texts = textsOf(q, n, newest, before(n, beside))
		out.Changed = newest.Why
		for _, c := range newest.Changed {
			if c.Language == "" {
				out.Others = append(out.Others, q.Lang.T("notice.changed."+c.Field, c.Was, c.Is))
			}
		}
	}
	return out
}

// before is the version that is shown beside the newest one; nil for none.
func before(n notices.Notice, beside int) *notices.NoticeVersion {
	if beside <= 0 || beside >= len(n.Versions) {
		beside = len(n.Versions) - 1
	}
	if beside < 1 {
		return nil
	}
	return &n.Versions[beside-1]
}

func levelsOf(q *frame.Request, n notices.Notice) (out []level) {
	for i, l := range n.Levels {
		one := level{N: i + 1, Title: cmp.Or(l.Level.Title, q.Lang.T("notice.level", i+1)), Passed: inList(l.Passed), Lines: l.Level.Checklist, Here: n.Level == i+1}
		one.Done = len(l.Passed) >= max(l.Level.Count, 1)
		asks := inList(l.Level.People)
		if l.Level.Role != "" {
			asks = strings.TrimSpace(q.Lang.Or("role.", l.Level.Role) + " " + asks)
		}
		one.Asks = q.Lang.T("notice.asks", max(l.Level.Count, 1), asks)
		out = append(out, one)
	}
	return out
}

// headlineOf is the headline in a language, or else the first.
func headlineOf(texts []notices.NoticeText, language string) string {
	var lines headline.Lines
	for _, t := range texts {
		lines = append(lines, headline.Line{Language: t.Language, Text: cmp.Or(t.Headline, t.Event)})
	}
	return lines.In(language, lines[0].Text)
}

func versionsOf(q *frame.Request, n notices.Notice, beside int) (out []version) {
	shown := before(n, beside)
	for _, v := range slices.Backward(n.Versions) {
		one := version{N: v.N, By: v.By, At: q.DayTime(v.At), Why: v.Why, Here: shown != nil && shown.N == v.N}
		if len(v.Texts) > 0 {
			one.Headline = headlineOf(v.Texts, q.Lang.Tag)
		}
		if v.N < n.Version {
			one.Path = pathOf(n.ID) + fmt.Sprintf("?beside=%d", v.N)
		}
		out = append(out, one)
	}
	return out
}

func actsOf(q *frame.Request, n notices.Notice) (out []act) {
	for _, a := range slices.Backward(n.Acts) {
		one := act{Says: q.Lang.T("notice.act."+a.Do, a.Version, a.Level), By: a.By, At: q.DayTime(a.At), Text: a.Text, Ticked: slices.Concat(a.Ticked, a.Words)}
		out = append(out, one)
	}
	return out
}

func textsOf(q *frame.Request, n notices.Notice, newest notices.NoticeVersion, old *notices.NoticeVersion) (out []text) {
	for _, t := range newest.Texts {
		one := text{Language: t.Language, Name: q.Lang.Or("language.", t.Language), Areas: t.Areas}
		var was notices.NoticeText
		if old != nil {
			i := slices.IndexFunc(old.Texts, func(o notices.NoticeText) bool { return o.Language == t.Language })
			if i >= 0 {
				was = old.Texts[i]
			}
		}
		var words []string
		for _, f := range n.Found {
			if f.Language == t.Language {
				words = append(words, f.Word)
				one.Care = append(one.Care, care{Word: f.Word, Why: f.Why})
			}
		}
		for _, f := range []struct {
			name, is, was string
			strong        bool
		}{{"event", t.Event, was.Event, false}, {"headline", t.Headline, was.Headline, true}, {"description", t.Description, was.Description, false}, {"instruction", t.Instruction, was.Instruction, false}, {"sender", t.Sender, was.Sender, false}, {"areas", t.Areas, was.Areas, false}} {
			differs := old != nil && f.is != f.was
			if f.is == "" && !differs {
				continue
			}
			one.Fields = append(one.Fields, field{Label: q.Lang.T("notice.field." + f.name), Pieces: marked(f.is, words), Was: f.was, Differs: differs, Strong: f.strong})
		}
		for _, a := range n.Acts {
			if a.Do == notices.DoComment && a.Language == t.Language {
				one.Comments = append(one.Comments, comment{a.By, q.DayTime(a.At), a.Text, q.Lang.T("notice.version", a.Version)})
			}
		}
		out = append(out, one)
	}
	return out
}

// marked cuts a text at the words that are looked at with care, in any case and width.
func marked(is string, words []string) (out []piece) {
	low, from := folded(is)
	done := 0 // bytes of low
	for {
		at, length := -1, 0
		for _, w := range words {
			w, _ = folded(strings.TrimSpace(w))
			if i := strings.Index(low[done:], w); w != "" && i >= 0 && (at < 0 || done+i < at) {
				at, length = done+i, len(w)
			}
		}
		if at < 0 {
			return append(out, piece{Text: is[from[done]:]})
		}
		end := at + length
		for end < len(low) && from[end] == from[end-1] { // within what one letter was folded to
			end++
		}
		out = append(out, piece{Text: is[from[done]:from[at]]}, piece{Text: is[from[at]:from[end]], Care: true})
		done = end
	}
}

// folded is a text in small letters of one width, and where in the text each of its bytes comes from; the last
// one is the length of the text.
func folded(is string) (string, []int) {
	var low strings.Builder
	var from []int
	for at, letter := range is {
		part := strings.ToLower(norm.NFKC.String(string(letter)))
		low.WriteString(part)
		for range len(part) {
			from = append(from, at)
		}
	}
	return low.String(), append(from, len(is))
}

// act is a comment, passing on, sending back, or withdrawing: what was read is said by the form.
func (p pages) act(q *frame.Request) error {
	id := q.R.PathValue("notice")
	in := notices.ActOnNotice{
		Do: q.Form("do"), Version: number(q.Form("version")), Level: number(q.Form("level")), Language: q.Form("language"), Text: q.Form("text"),
		Ticked: q.R.PostForm["ticked"], Words: q.R.PostForm["care"],
	}
	_, err := p.notices.ActOnNotice(q.R.Context(), q.By(), id, in)
	problem, refused := err.(*wire.Problem)
	switch {
	case err == nil:
		return q.To(pathOf(id) + "?done=" + in.Do)
	case !refused || problem.Kind == wire.KindNotFound:
		return err
	}
	n, shown := p.notices.ShowNotice(q.R.Context(), q.By(), id)
	if shown != nil {
		return err
	}
	out := p.noticeOf(q, n, 0)
	out.Wrong, out.Typed = q.Said(problem), in.Text
	return q.ShowAs(status(problem), "notice", out)
}

func status(p *wire.Problem) int {
	return cmp.Or(wire.HTTPStatus(p.Kind), http.StatusUnprocessableEntity)
}
