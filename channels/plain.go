package channels

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plain makes text that a screen can show and a speaker can read of what senders
// put into CAP texts: HTML tags go, line breaks and list items become lines,
// entities become characters, control characters go. What only looks like a tag
// ("wind < 50 km/h", "<unknown>") stays.
func plain(s string) string {
	if strings.ContainsAny(s, "<&") {
		s = stripTags(s)
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	return tidyLines(s)
}

// stripTags keeps the text between tags that HTML knows.
func stripTags(s string) string {
	var out strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(s))
	hidden := false
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return out.String()
		}
		raw := string(tokens.Raw()) // Token overwrites the buffer
		token := tokens.Token()
		switch kind {
		case html.TextToken:
			if !hidden {
				out.WriteString(token.Data)
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			if token.DataAtom == 0 {
				out.WriteString(raw)
				continue
			}
			if token.DataAtom == atom.Script || token.DataAtom == atom.Style {
				hidden = kind == html.StartTagToken
			}
			out.WriteString(lineBreak(token.DataAtom))
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

// lineBreak is what a tag leaves behind: blocks begin a line.
func lineBreak(tag atom.Atom) string {
	switch tag {
	case atom.Br, atom.P, atom.Div, atom.Li, atom.Ul, atom.Ol, atom.Tr, atom.Table,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return "\n"
	case atom.Td, atom.Th:
		return " "
	}
	return ""
}

// tidyLines trims every line and keeps at most one empty line in a row.
func tidyLines(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimSpace(line)
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// link lets only addresses through that a device may safely offer to open.
func link(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "mailto", "tel", "":
		return u.String()
	}
	return ""
}
