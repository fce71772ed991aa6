package handbook

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	device "almenara/channels/contract"
	"almenara/node/web/console/words"
)

//go:embed en/*.md zh-Hant/*.md
var texts embed.FS

// chapter is a text that was read: its HTML, and its sections by their headings of the second level.
type chapter struct {
	body     template.HTML
	sections []section
}

type section struct{ id, title, text string }

// book is all chapters by language and name, read once.
var book = sync.OnceValue(func() map[string]map[string]chapter {
	out := map[string]map[string]chapter{}
	for _, l := range words.All() {
		out[l.Tag] = map[string]chapter{}
		for _, name := range chapters {
			source, err := sourceOf(l, name)
			if err == nil {
				out[l.Tag][name], err = read(source)
			}
			if err != nil {
				panic(fmt.Errorf("reading the handbook: %w", err)) // it is a part of the program
			}
		}
	}
	return out
})

func sourceOf(l *words.Language, name string) (string, error) {
	switch name {
	case who:
		return "", nil
	case contract: // there is one, in English
		return withoutFiles(device.Document), nil
	}
	raw, err := texts.ReadFile(l.Tag + "/" + name + ".md")
	if name == faults {
		return withSentences(string(raw), l), err
	}
	return string(raw), err
}

// fault is a heading that is the key of what the console says.
var fault = regexp.MustCompile(`(?m)^## ([a-z][a-z.-]+)$`)

// withSentences puts what the console says in the place of its key, so that people find what they have
// read.
func withSentences(source string, l *words.Language) string {
	return fault.ReplaceAllStringFunc(source, func(line string) string {
		key := strings.TrimPrefix(line, "## ")
		return "## " + Sentence(l, key) + " {#" + key + "}"
	})
}

// argument is a place where a sentence has something filled in.
var argument = regexp.MustCompile(`\{\d(?:\|[^|}]*\|([^|}]*))?\}`)

// Sentence is what the console says for a key, with dots for what is filled in.
func Sentence(l *words.Language, key string) string {
	return strings.ReplaceAll(strings.TrimSpace(argument.ReplaceAllStringFunc(l.T(key), func(found string) string {
		if many := argument.FindStringSubmatch(found)[1]; many != "" {
			return many
		}
		return "…"
	})), "….", "…")
}

// file is a link to a file of the repository, which a node does not serve.
var file = regexp.MustCompile(`\[([^\]]+)\]\(([^)#:]+)\)`)

func withoutFiles(source string) string { return file.ReplaceAllString(source, "$1") }

// markdown has no raw HTML: what is written in it is not shown.
var markdown = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithAttribute()))
})

func read(source string) (c chapter, err error) {
	raw := []byte(source)
	doc := markdown().Parser().Parse(text.NewReader(raw))
	if first, ok := doc.FirstChild().(*ast.Heading); ok && first.Level == 1 { // the page has its title
		doc.RemoveChild(doc, first)
	}
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && h.Level == 2 {
			id, _ := h.AttributeString("id")
			name, _ := id.([]byte)
			c.sections = append(c.sections, section{id: string(name), title: plain(n, raw)})
		} else if last := len(c.sections) - 1; last >= 0 {
			c.sections[last].text = strings.TrimSpace(c.sections[last].text + " " + plain(n, raw))
		}
	}
	nameColumns(doc)
	var out bytes.Buffer
	if err := markdown().Renderer().Render(&out, raw, doc); err != nil {
		return c, err
	}
	c.body = template.HTML(out.String()) //nolint:gosec // of our own texts, without raw HTML
	return c, nil
}

// nameColumns gives each column of a table a heading that can be read aloud, also where the text has none,
// and lets a table that is wider than the screen be scrolled by keys.
func nameColumns(doc ast.Node) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Kind() == tables.KindTable {
			n.SetAttributeString("tabindex", []byte("0"))
		}
		if n.Kind() == tables.KindTableCell && n.Parent().Kind() == tables.KindTableHeader && n.ChildCount() == 0 {
			n.AppendChild(n, ast.NewString([]byte("–")))
		}
		return ast.WalkContinue, nil
	})
}

// plain is the words of a node.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch {
		case !entering && n.Type() == ast.TypeBlock:
			b.WriteByte(' ')
		case !entering:
		case n.Kind() == ast.KindText:
			t := n.(*ast.Text)
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case n.Kind() == ast.KindFencedCodeBlock, n.Kind() == ast.KindCodeBlock:
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				b.Write(line.Value(source))
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}
