package capxml

import (
	"slices"
	"unicode/utf8"

	"almenara/storage/alert"
	"almenara/storage/alert/tokens"
)

// newer are the rules of what is mended since version 3 of commands: software before
// refuses such a message, or reads something else.
var newer = []string{
	"time-form", "element-order", "web-not-absolute", "uri-not-absolute", "encoding-differs", "area-shared", "text-markup",
}

// ReadAlike reports whether software before version 3 of commands reads the bytes, of
// which Parse found so much, as this one does. Where it does not, what XML writes of the
// alert is read alike by both.
func ReadAlike(raw []byte, found alert.Findings) bool {
	if slices.ContainsFunc(found, func(f alert.Finding) bool { return slices.Contains(newer, f.Rule) }) || len(found) >= alert.MaxFindings {
		return false
	}
	declared, err := tokens.DeclaredEncoding(raw)
	return err == nil && (declared == "" || declared == "utf-8") && utf8.Valid(raw)
}
