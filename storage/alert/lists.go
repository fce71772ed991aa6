package alert

import (
	"fmt"
	"maps"
	"strings"
	"unicode"
)

// list splits addresses and incidents as CAP 1.2 §3.2.1 says: white space separates,
// double quotes hold a name with white space together. A quote without its partner
// is dropped with a warning.
func (p *parser) list(name, text string) ([]string, error) {
	var items []string
	stray := false
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if len(items) == MaxListItems {
			return nil, fmt.Errorf("%w: more than %d %s", errTooBig, MaxListItems, name)
		}
		var item string
		item, text = firstItem(text)
		if strings.Contains(item, `"`) {
			stray = true
			item = strings.ReplaceAll(item, `"`, "")
		}
		items = appendText(items, item)
	}
	if stray {
		p.found.add(Warn, name+"-quotes", "%s has a double quote without a partner", name)
	}
	return items, nil
}

// firstItem cuts the first item off a list that does not begin with white space.
func firstItem(text string) (item, rest string) {
	if quoted, ok := strings.CutPrefix(text, `"`); ok {
		if item, rest, ok = strings.Cut(quoted, `"`); ok {
			return item, rest
		}
	}
	if end := strings.IndexFunc(text, unicode.IsSpace); end >= 0 {
		return text[:end], text[end:]
	}
	return text, ""
}

// joinList is the inverse of parser.list.
func joinList(items []string) string {
	quoted := make([]string, 0, len(items))
	for _, item := range items {
		if strings.ContainsFunc(item, unicode.IsSpace) {
			item = `"` + item + `"`
		}
		quoted = append(quoted, item)
	}
	return strings.Join(quoted, " ")
}

// references reads the triplets of references (CAP 1.2 §3.2.1).
func (p *parser) references(text string) error {
	count := 0
	for triplet := range strings.FieldsSeq(text) {
		if count++; count > MaxReferences {
			return fmt.Errorf("%w: more than %d references", errTooBig, MaxReferences)
		}
		key, err := ParseKey(strings.Clone(triplet)) // by itself: it is kept longer than the text
		if err != nil {
			p.found.add(Reject, "references-format", "references: %v", err)
			continue
		}
		if !strings.HasSuffix(triplet, key.Sent.String()) {
			p.found.oddTime("references", triplet, key.Sent)
		}
		p.alert.References = append(p.alert.References, key)
	}
	return nil
}

// joinKeys is the inverse of parser.references.
func joinKeys(keys []Key) string {
	words := make([]string, 0, len(keys))
	for _, k := range keys {
		words = append(words, k.String())
	}
	return strings.Join(words, " ")
}

// appendText appends s unless it is empty.
func appendText(list []string, s string) []string {
	if s = strings.TrimSpace(s); s == "" {
		return list
	}
	return append(list, s)
}

// withoutSpace removes all white space.
func withoutSpace(s string) string {
	if !strings.ContainsFunc(s, unicode.IsSpace) {
		return s
	}
	return strings.Join(strings.Fields(s), "")
}

// collapse makes every run of white space one space and trims the ends.
func collapse(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && unicode.IsSpace(r) }) &&
		!strings.Contains(s, "  ") {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	for word := range strings.FieldsSeq(s) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// sameSet reports whether both lists have the same members.
func sameSet(a, b []string) bool {
	return maps.Equal(setOf(a), setOf(b))
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}
