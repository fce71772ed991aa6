package alert

import (
	"slices"
	"unicode/utf8"
)

// newer are the rules of what is mended since version 3 of commands: software before
// refuses such a message, or reads something else.
var newer = []string{
	"time-form", "element-order", "web-not-absolute", "uri-not-absolute", "encoding-differs", "area-shared", "text-markup",
}

// ReadAlike reports whether software before version 3 of commands reads the bytes, of
// which Parse found so much, as this one does. Where it does not, what XML writes of the
// alert is read alike by both.
func ReadAlike(raw []byte, found Findings) bool {
	if slices.ContainsFunc(found, func(f Finding) bool { return slices.Contains(newer, f.Rule) }) || len(found) >= maxFindings {
		return false
	}
	declared, err := declaredEncoding(raw)
	return err == nil && (declared == "" || declared == "utf-8") && utf8.Valid(raw)
}
