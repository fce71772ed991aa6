// Package typed is texts as anybody writes them with a phone, made such that people can read them. It imports nothing of
// ours.
package typed

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cut is a text as it is kept: one that people can read, of at most so many bytes. What changes how other text
// is shown, or shows nothing, is left out.
func Cut(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.TrimSpace(text)
	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
