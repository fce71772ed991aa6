package alert

import (
	"strings"
	"unicode"

	"almenara/storage/coded"
)

// ReadList splits addresses and incidents as CAP 1.2 §3.2.1 says: white space separates,
// double quotes hold a name with white space together. A quote without its partner
// is dropped with a warning.
func ReadList(name, text string, found *Findings) ([]string, error) {
	var items []string
	stray := false
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if len(items) == MaxListItems {
			return nil, coded.Errorf("list-many", "%w: more than %d %s", ErrTooBig, MaxListItems, name)
		}
		var item string
		item, text = firstItem(text)
		if strings.Contains(item, `"`) {
			stray = true
			item = strings.ReplaceAll(item, `"`, "")
		}
		items = AppendText(items, item)
	}
	if stray {
		found.Add(Warn, name+"-quotes", "%s has a double quote without a partner", name).As("list-quotes", name)
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

// JoinList is the inverse of readList.
func JoinList(items []string) string {
	quoted := make([]string, 0, len(items))
	for _, item := range items {
		if strings.ContainsFunc(item, unicode.IsSpace) {
			item = `"` + item + `"`
		}
		quoted = append(quoted, item)
	}
	return strings.Join(quoted, " ")
}

// ReadReferences reads the triplets of references (CAP 1.2 §3.2.1).
func ReadReferences(text string, found *Findings) ([]Key, error) {
	var keys []Key
	count := 0
	for triplet := range strings.FieldsSeq(text) {
		if count++; count > MaxReferences {
			return nil, coded.Errorf("references-many", "%w: more than %d references", ErrTooBig, MaxReferences)
		}
		key, err := ParseKey(strings.Clone(triplet)) // by itself: it is kept longer than the text
		if err != nil {
			found.Add(Reject, "references-format", "references: %v", err).As("references-format", Place{}, Clip(triplet))
			continue
		}
		if !strings.HasSuffix(triplet, key.Sent.String()) {
			found.OddTime("references", triplet, key.Sent)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// JoinKeys is the inverse of readReferences.
func JoinKeys(keys []Key) string {
	words := make([]string, 0, len(keys))
	for _, k := range keys {
		words = append(words, k.String())
	}
	return strings.Join(words, " ")
}

// AppendText appends s unless it is empty.
func AppendText(list []string, s string) []string {
	if s = strings.TrimSpace(s); s == "" {
		return list
	}
	return append(list, s)
}

// WithoutSpace removes all white space.
func WithoutSpace(s string) string {
	if !strings.ContainsFunc(s, unicode.IsSpace) {
		return s
	}
	return strings.Join(strings.Fields(s), "")
}

// Collapse makes every run of white space one space and trims the ends.
func Collapse(s string) string {
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
