// Package plain makes text that every device can show of what senders put into CAP texts.
package plain

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// Read makes text that a screen can show and a speaker can read of what senders put
// into CAP texts. No visible character is lost: only the formatting tags of markup.go
// go, line breaks of every kind become "\n", entities that were escaped twice become
// their characters, and characters that nobody sees become what was meant or a space.
// Devices never read the result as HTML, so "<" may stay.
//
// taken says for the sender what was taken out or read as something else; it is nil for most texts.
func Read(s string) (text string, taken []Taken) {
	if strings.ContainsRune(s, '<') {
		var tags []string
		if s, tags = withoutMarkup(s); len(tags) > 0 {
			taken = append(taken, Taken{Markup, strings.Join(tags, " ")})
		}
	}
	if strings.ContainsRune(s, '&') {
		s = withoutEntities(s)
	}
	s, changed := withoutControls(s)
	return tidyLines(s), append(taken, changed...)
}

// Text is Read for who has told the sender already.
func Text(s string) string {
	text, _ := Read(s)
	return text
}

// entity is a character reference of HTML with its semicolon.
var entity = regexp.MustCompile(`&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)

// withoutEntities decodes the character references that are left after XML's own: the
// text was escaped twice. What HTML does not know stays as it is.
func withoutEntities(s string) string {
	return entity.ReplaceAllStringFunc(s, func(reference string) string {
		character := html.UnescapeString(reference)
		half := strings.HasSuffix(character, ";") && character != ";" // "&notin1;" begins with "&not"
		if half || strings.ContainsRune(character, unicode.ReplacementChar) {
			return reference
		}
		return character
	})
}

// lineEnds are all the ways to end a line (Unicode 5.8 and UAX 14).
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// unpaired are where, in one paragraph, directions are begun that are not ended there, or ended that are not begun
// (UAX 9, BD9 and BD11): they turn round what a device writes behind the text, such as until when it holds.
func unpaired(line []rune) map[int]bool {
	var out map[int]bool
	var open []int
	for i, r := range line {
		begins, isolate := r == 0x202A || r == 0x202B, r >= 0x2066 && r <= 0x2068
		switch {
		case begins || isolate:
			open = append(open, i)
		case r == 0x202C || r == 0x2069:
			last := len(open) - 1
			if last >= 0 && (line[open[last]] >= 0x2066) == (r == 0x2069) {
				open = open[:last]
				continue
			}
			fallthrough
		case r == 0x202D || r == 0x202E: // they show "call 999" as "999 llac"
			if out == nil {
				out = map[int]bool{}
			}
			out[i] = true
		}
	}
	for _, i := range open {
		if out == nil {
			out = map[int]bool{}
		}
		out[i] = true
	}
	return out
}

// straight leaves out what turns the direction of the text round. note hears of each.
func straight(s string, note func(rune)) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 }) {
		return s
	}
	lines := strings.Split(s, "\n")
	for n, text := range lines {
		line := []rune(text)
		out := unpaired(line)
		kept := make([]rune, 0, len(line))
		for i, r := range line {
			if out[i] {
				note(r)
			} else {
				kept = append(kept, r)
			}
		}
		lines[n] = string(kept)
	}
	return strings.Join(lines, "\n")
}

// withoutControls replaces the characters that nobody sees and that devices may
// stumble over. Joiners, marks of direction and soft hyphens are parts of words in
// many scripts, and stay, and so does what begins and ends a direction within a line.
func withoutControls(s string) (text string, changed []Taken) {
	var controls, windows, overrides, marks []string
	note := func(list *[]string, r rune) {
		if name := fmt.Sprintf("U+%04X", r); !slices.Contains(*list, name) && len(*list) < mostNamed {
			*list = append(*list, name)
		}
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r >= 0x80 && r <= 0x9F:
			if meant := charmap.Windows1252.DecodeByte(byte(r)); meant != unicode.ReplacementChar {
				note(&windows, r)
				return meant
			}
			note(&controls, r)
			return ' '
		case unicode.IsControl(r):
			note(&controls, r)
			return ' '
		case r == 0xFEFF:
			note(&marks, r)
			return -1
		}
		return r
	}, straight(lineEnds.Replace(s), func(r rune) { note(&overrides, r) }))
	for _, one := range []struct {
		what Change
		list []string
	}{
		{Controls, controls},
		{Windows, windows},
		{Overrides, overrides},
		{Marks, marks},
	} {
		if len(one.list) > 0 {
			changed = append(changed, Taken{one.what, strings.Join(one.list, " ")})
		}
	}
	return text, changed
}

// mostNamed bounds how many tags or characters one warning names.
const mostNamed = 8

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

// Link lets only addresses through that a device may safely offer to open.
func Link(s string) string {
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
