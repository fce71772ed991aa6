package audience

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Two people who write the same word write different bytes: an input method gives full
// width, a web page a zero-width space, macOS letters with their accents apart. What
// selections compare is brought to one form where it comes in, at import and in what
// people type; the state machine compares bytes.

// NormalKey is the form of what selections compare: NFKC, without characters that nobody
// sees and without space around.
func NormalKey(s string) string {
	if isPlain(s) {
		return strings.TrimSpace(s)
	}
	s = norm.NFKC.String(strings.Map(visible, s))
	return strings.TrimSpace(s)
}

// NormalText is the form of what people read: NFC, without zero-width spaces and marks of
// byte order. Joiners stay: some scripts are wrong without them.
func NormalText(s string) string {
	if isPlain(s) {
		return s
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if r == '\u200b' || r == '\u2060' || r == '\ufeff' {
			return -1
		}
		return r
	}, s))
}

// isPlain reports printable ASCII: most of what there is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// visible drops format characters (zero-width, byte order, direction, soft hyphen) and
// variation selectors.
func visible(r rune) rune {
	if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
		return -1
	}
	return r
}

// NormalizeKeys brings what selections compare to one form, sorts the tags and drops repeated
// ones, and reports how many values are others now. Places stay as they are: what is
// known of a place is under its path.
func (m *Member) NormalizeKeys() (changed int) {
	key := func(s *string) {
		if n := NormalKey(*s); n != *s {
			*s, changed = n, changed+1
		}
	}
	kind := string(m.Kind)
	if key(&kind); kind != string(m.Kind) {
		m.Kind = Kind(kind)
	}
	m.Tags, m.Languages = slices.Clone(m.Tags), slices.Clone(m.Languages)
	for i := range m.Tags {
		key(&m.Tags[i].Name)
		key(&m.Tags[i].Value)
	}
	for i := range m.Languages {
		key(&m.Languages[i])
	}
	m.Normalize()
	return changed
}
