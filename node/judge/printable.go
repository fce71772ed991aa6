package judge

import (
	"strings"
	"unicode/utf8"
)

// Printable leaves out what XML cannot hold (XML 1.0 §2.2): a reason typed in haste
// must not keep a cancel from going out.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}
