// Package audit is the page of who did what: the audit's lines, by person, by what they are about, by
// time and by alert, as CSV, and the whole chain as a file that can be verified without any node.
package audit

import (
	"bufio"
	"embed"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/sheets"
)

//go:embed *.html *.css
var files embed.FS

// The bounds: lines on a page, lines in a file, how long a file may take.
const (
	linesShown = 100
	linesSaved = 20_000
	saveIn     = time.Hour
)

type pages struct{ service service.Audit }

// Room is these pages.
func Room(service service.Audit) frame.Room {
	p := pages{service}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "audit", Action: authority.ReadAudit, Handle: p.audit},
		{Method: "GET", Path: frame.Below + "audit/lines.csv", Action: authority.ReadAudit, Handle: p.csv},
		{Method: "GET", Path: frame.Below + "audit/chain.jsonl", Action: authority.ReadAudit, Handle: p.chain},
	}}
}

type auditPage struct {
	frame.Page
	Lines                []line
	Who, Holds, From, To string // as typed
	Refused              bool
	Abouts               []choice
	Older, Newest, CSV   string // paths
	All                  string
	Searched             bool // something was asked for
	Command, Saved       string
}

type choice struct {
	Name, Label string
	Chosen      bool
}

type line struct {
	N, At, Actor, Action, Summary string
	Refused                       bool
}

// asked reads what is asked for.
func asked(q *frame.Request) wire.AuditQuery {
	form := q.R.URL.Query()
	before, _ := strconv.ParseUint(form.Get("before"), 10, 64) // what is no number is the newest
	out := wire.AuditQuery{
		Who: form.Get("who"), Holds: form.Get("holds"), Since: q.FormTime(form.Get("from")), Until: q.FormTime(form.Get("to")),
		Before: before, Limit: linesShown, OnlyRefused: form.Get("refused") != "",
	}
	for _, about := range wire.AuditAbouts() {
		if string(about) == form.Get("about") {
			out.About = about
		}
	}
	if !out.Until.IsZero() {
		out.Until = out.Until.Add(time.Minute - time.Millisecond) // the whole minute that was chosen
	}
	return out
}

func (p pages) audit(q *frame.Request) error {
	want, form := asked(q), q.R.URL.Query()
	found, err := p.service.AuditLines(q.R.Context(), want)
	if err != nil {
		return err
	}
	out := auditPage{
		Page: q.Page("audit"), Who: want.Who, Holds: want.Holds, From: form.Get("from"), To: form.Get("to"), Refused: want.OnlyRefused, All: words.Show(found.All),
		Saved: "almenara-audit.jsonl", Command: "almenara audit verify almenara-audit.jsonl",
		Searched: want.Who+want.Holds+string(want.About) != "" || want.OnlyRefused || !want.Since.IsZero() || !want.Until.IsZero(),
	}
	out.Abouts = append(out.Abouts, choice{"", q.Lang.T("audit.about.any"), want.About == ""})
	for _, about := range wire.AuditAbouts() {
		out.Abouts = append(out.Abouts, choice{string(about), q.Lang.T("about." + string(about)), about == want.About})
	}
	for _, l := range found.Lines {
		out.Lines = append(out.Lines, line{words.Show(l.N), q.DayTime(l.At), l.Actor, q.Lang.Or("action.", l.Action), l.Summary, l.Refused})
	}
	out.CSV = at("/lines.csv", form, 0)
	if found.Next > 0 {
		out.Older = at("", form, found.Next)
	}
	if want.Before > 0 {
		out.Newest = at("", form, 0)
	}
	return q.Show("audit", out)
}

// at is the path of a page or file about the same.
func at(what string, form url.Values, before uint64) string {
	with := url.Values{}
	for _, name := range []string{"who", "about", "holds", "from", "to", "refused"} {
		if v := form.Get(name); v != "" {
			with.Set(name, v)
		}
	}
	if before > 0 {
		with.Set("before", strconv.FormatUint(before, 10))
	}
	if len(with) == 0 {
		return frame.Below + "audit" + what
	}
	return frame.Below + "audit" + what + "?" + with.Encode()
}

// csv is what is asked for, for a spreadsheet: not the page, but everything, up to so many lines.
func (p pages) csv(q *frame.Request) error {
	want := asked(q)
	var all []wire.AuditLine
	for want.Limit = 1000; len(all) < linesSaved; {
		found, err := p.service.AuditLines(q.R.Context(), want)
		if err != nil {
			return err
		}
		all = append(all, found.Lines...)
		if found.Next == 0 || found.Next >= want.Before && want.Before > 0 {
			break
		}
		want.Before = found.Next
	}
	view.Download(q.W, "text/csv; charset=utf-8", "audit-lines.csv")
	if _, err := q.W.Write([]byte("\ufeff")); err != nil {
		panic(http.ErrAbortHandler)
	}
	if err := sheets.Audit(q.W, all); err != nil {
		panic(http.ErrAbortHandler) // a part is there already: it must not look whole
	}
	return nil
}

// chain is the whole chain as audit verify takes it. A fault after the first byte breaks the connection,
// so that a cut chain never looks like a whole one.
func (p pages) chain(q *frame.Request) error {
	control := http.NewResponseController(q.W)
	_ = control.SetReadDeadline(q.Now.Add(saveIn)) // a writer without deadlines, as in tests, has nothing to extend
	_ = control.SetWriteDeadline(q.Now.Add(saveIn))
	started := &startedWriter{w: q.W}
	out := bufio.NewWriterSize(started, 64<<10)
	err := p.service.ExportAudit(q.R.Context(), out, 0, 0)
	if err == nil {
		err = out.Flush()
	}
	if err != nil && started.any {
		panic(http.ErrAbortHandler)
	}
	return err
}

// startedWriter names the file before the first byte, and remembers that there was one.
type startedWriter struct {
	w   http.ResponseWriter
	any bool
}

// Write writes on.
func (s *startedWriter) Write(p []byte) (int, error) {
	if !s.any {
		s.any = true
		view.Download(s.w, "application/x-ndjson", "audit.jsonl")
	}
	return s.w.Write(p)
}
