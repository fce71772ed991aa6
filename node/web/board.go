// Package web is what people see of a node in a browser: today the board, one page that
// says at a glance whether the box agrees with its district or speaks alone. It holds
// nothing that needs a log-in: no texts of alerts, no names, no places.
package web

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"

	"almenara/node/web/console/said"
	texts "almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

var (
	//go:embed board.html
	boardPage string
	//go:embed files
	folder embed.FS

	// Both are read when the first page is asked for: agents of devices are the same program.
	page  = sync.OnceValue(func() *template.Template { return template.Must(template.New("board").Parse(boardPage)) })
	files = sync.OnceValue(mustFiles)
)

// FilesPath is where the files of pages are served.
const FilesPath = "/static/"

func mustFiles() *Files {
	inside, err := fs.Sub(folder, "files")
	if err != nil {
		panic(err) // it is part of the program
	}
	f, err := NewFiles(FilesPath, inside)
	if err != nil {
		panic(err)
	}
	return f
}

// refresh is how often a browser loads the board again, in seconds.
const refresh = "5"

// view is what the page is filled with.
type view struct {
	Style  string // path of the style sheet
	Lang   string
	Other  language.Tag // the page's other language
	Words  words
	Level  string     // good, alone, bad or drill: the colour
	Drill  string     // of a drill copy: that it is one, in a sentence
	State  string     // two or three words
	Says   string     // what holds, in a sentence
	Detail said.Point // what the node says of it, where it is not ready
	Rows   []row
}

type row struct{ Label, Value string }

// Board serves the page for a node that tells its state by status. It asks at every
// request and keeps nothing; any number of requests at a time. The language is that of
// the parameter lang, else of Accept-Language (RFC 9110, 12.5.4); English when neither
// is one of the page's.
func Board(status func(context.Context) (wire.Status, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := status(r.Context())
		if err != nil {
			s = wire.Status{Why: why.Sayf("the node cannot say how it is").Because(why.NodeDoesNotSay)}
		}
		var out bytes.Buffer
		if err := page().Execute(&out, look(s, pick(r))); err != nil {
			http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Refresh", refresh)
		_, _ = w.Write(out.Bytes())
	})
}

func pick(r *http.Request) int {
	for _, wish := range []string{r.URL.Query().Get("lang"), r.Header.Get("Accept-Language")} {
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil {
			continue
		}
		for _, tag := range tags { // by itself: of all together an exact one would win over one before it
			if _, at, confidence := matcher.Match(tag); confidence > language.No {
				return at
			}
		}
	}
	return 0
}

// look sorts a status into what the page says.
func look(s wire.Status, lang int) view {
	w := spoken[lang]
	reader := said.Reader{Lang: texts.Pick(tags[lang].String()), Zone: time.UTC}
	v := view{
		Style: files().Path("board.css"), Lang: tags[lang].String(), Other: tags[1-lang], Words: w,
		Level: "good", State: w.Agrees, Says: w.AgreesSays,
	}
	switch {
	case s.Quarantined:
		v.Level, v.State, v.Says, v.Detail = "bad", w.Quarantined, w.QuarantinedSays, reader.Say(s.Why)
	case s.Alone:
		v.Level, v.State = "alone", w.Alone
		v.Says = strings.ReplaceAll(w.AloneSays, "{since}", s.AloneSince.UTC().Format(boardTime))
	case !s.Ready:
		v.Level, v.State, v.Says, v.Detail = "bad", w.NotReady, w.NotReadySays, reader.Say(s.Why)
	case answering(s) < len(s.Nodes):
		v.Level, v.State = "alone", w.Silent
		v.Says = strings.ReplaceAll(w.SilentSays, "{missing}", count(len(s.Nodes)-answering(s), len(s.Nodes)))
	}
	if s.Isolated { // whatever holds of it besides, it is not the district
		v.Level, v.Drill, v.State, v.Says = "drill", w.DrillSays, w.Drill, v.State+": "+v.Says
	}
	if s.Node != "" {
		v.Rows = rows(s, w)
	}
	return v
}

func rows(s wire.Status, w words) []row {
	age := w.Never
	if s.PolicyAge >= 0 {
		age = (time.Duration(s.PolicyAge) * time.Second).String()
	}
	out := []row{{w.Nodes, count(answering(s), len(s.Nodes))}}
	for _, n := range s.Nodes {
		out = append(out, row{short(n.ID), answers(n, s, w)})
	}
	return append(out, []row{
		{w.InForce, number(s.InForce)},
		{w.Devices, number(s.Devices)},
		{w.Waiting, number(s.PendingFacts)},
		{w.Policy, age},
		{w.Disk, w.Levels[s.Disk.Level]},
		{w.Clock, w.Clocks[s.Clock.Source]},
		{w.Warnings, number(len(s.Warnings))},
	}...)
}

// answering counts the nodes that answer, the one that shows the board among them.
func answering(s wire.Status) (n int) {
	for _, node := range s.Nodes {
		if node.Reachable || node.ID == s.Node {
			n++
		}
	}
	return n
}

// answers says of one node whether it answers, and since when it does not.
func answers(n wire.NodeInfo, s wire.Status, w words) string {
	switch {
	case n.ID == s.Node:
		return w.ThisNode
	case n.Reachable:
		return w.Answers
	case n.NeverSeen:
		return w.NeverSeen
	case n.LastAnswer.IsZero():
		return w.NoAnswer
	}
	return w.NoAnswer + " · " + n.LastAnswer.UTC().Format(boardTime)
}

// short is the beginning of a node's id: the board names no names.
func short(id string) string { return id[:min(8, len(id))] }

const boardTime = "2006-01-02 15:04:05 UTC"
