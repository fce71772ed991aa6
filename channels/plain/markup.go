package plain

import (
	"regexp"
	"slices"
	"strings"
)

// formatting are the HTML tags that senders format texts with, and what each leaves
// behind. It is a closed list on purpose: whatever else stands in angle brackets, such
// as "water <one metre", "<script of your block>" or "<!-- 2 -->", a person wrote, and
// people get to read it.
var formatting = map[string]string{
	"b": "", "i": "", "u": "", "s": "", "em": "", "strong": "", "small": "", "big": "", "font": "", "span": "",
	"sub": "", "sup": "", "mark": "", "tt": "", "a": "", "img": "",
	"p": "\n", "div": "\n", "center": "\n", "blockquote": "\n", "ul": "\n", "ol": "\n", "li": "\n",
	"dl": "\n", "dt": "\n", "dd": "\n", "table": "\n", "thead": "\n", "tbody": "\n", "tr": "\n", "td": " ", "th": " ",
	"h1": "\n", "h2": "\n", "h3": "\n", "h4": "\n", "h5": "\n", "h6": "\n",
	"br": "\n", "hr": "\n",
}

// tag is a whole tag whose attributes, if any, all have values. Group 1 is the slash of
// an end tag, 2 the name, 3 the attributes.
var tag = regexp.MustCompile(`<(/?)([A-Za-z][A-Za-z0-9]{0,9})((?:\s+[A-Za-z][A-Za-z0-9:_-]*\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))*)\s*/?>`)

// attribute is the target of a link, the source of a picture or the text in its place.
var attribute = regexp.MustCompile(`(?i)\s(href|src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))`)

// piece is one tag of a text that is markup.
type piece struct {
	start, end int
	leaves     string
}

// withoutMarkup takes the formatting tags out: <br>, <hr> and <img src=…> by themselves,
// the others only where an end tag belongs to a start tag, so that "go to block <b>"
// stays whole. The address of a link stays behind its text, and the text in place of a
// picture. names are the tags taken out.
func withoutMarkup(s string) (text string, names []string) {
	var pieces []piece
	open := map[string][]piece{}
	for _, at := range tag.FindAllStringSubmatchIndex(s, -1) {
		name := strings.ToLower(s[at[4]:at[5]])
		leaves, known := formatting[name]
		one := piece{start: at[0], end: at[1], leaves: leaves}
		switch {
		case !known:
			continue
		case name == "br" || name == "hr":
			pieces = append(pieces, one)
		case name == "img":
			if value(s[at[0]:at[1]], "src") == "" {
				continue
			}
			one.leaves = value(s[at[0]:at[1]], "alt")
			pieces = append(pieces, one)
		case at[3] == at[2]:
			open[name] = append(open[name], one)
			continue
		case len(open[name]) == 0:
			continue
		default:
			last := len(open[name]) - 1
			first := open[name][last]
			open[name] = open[name][:last]
			if name == "a" {
				one.leaves = address(s[first.start:first.end], s[first.end:one.start])
			}
			pieces = append(pieces, first, one)
		}
		if name = "<" + name + ">"; !slices.Contains(names, name) && len(names) < mostNamed {
			names = append(names, name)
		}
	}
	slices.SortFunc(pieces, func(a, b piece) int { return a.start - b.start })
	var out strings.Builder
	at := 0
	for _, p := range pieces {
		out.WriteString(s[at:p.start] + p.leaves)
		at = p.end
	}
	return out.String() + s[at:], names
}

// address is what stays of a link whose text does not say where it leads.
func address(start, text string) string {
	to := value(start, "href")
	if to == "" || strings.Contains(text, to) {
		return ""
	}
	return " (" + to + ")"
}

// value is that of an attribute in a tag; "" when it is not there.
func value(tag, name string) string {
	for _, found := range attribute.FindAllStringSubmatch(tag, -1) {
		if strings.EqualFold(found[1], name) {
			return strings.TrimSpace(found[2] + found[3] + found[4])
		}
	}
	return ""
}
