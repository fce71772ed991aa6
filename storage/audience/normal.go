package audience

import (
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
