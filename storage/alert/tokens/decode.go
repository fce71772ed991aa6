package tokens

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"

	"almenara/storage/alert"
	"almenara/storage/coded"
)

var (
	bomUTF8    = []byte{0xEF, 0xBB, 0xBF}
	bomUTF16LE = []byte{0xFF, 0xFE}
	bomUTF16BE = []byte{0xFE, 0xFF}
)

// xmlDeclaration is XML 1.0 §2.8 XMLDecl; group 1 is the quoted encoding.
var xmlDeclaration = regexp.MustCompile(`^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]+"|'1\.[0-9]+')` +
	`(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*("[A-Za-z][A-Za-z0-9._-]*"|'[A-Za-z][A-Za-z0-9._-]*'))?` +
	`(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>`)

// maxDeclaration bounds the XML declaration in bytes.
const maxDeclaration = 256

var ErrBadBytes = coded.New("bad-bytes", "bytes do not fit the encoding")

// ToUTF8 returns the message as UTF-8 without byte order mark and without XML
// declaration. A byte order mark wins over the declaration, as XML 1.0 appendix F
// has it; without both the message is UTF-8. doubt is a sentence for the sender when the
// message is not in the encoding that it names.
func ToUTF8(raw []byte) (text []byte, doubt string, err error) {
	switch {
	case bytes.HasPrefix(raw, bomUTF8):
		raw = raw[len(bomUTF8):]
	case bytes.HasPrefix(raw, bomUTF16LE):
		text, err = fromUTF16(raw[2:], binary.LittleEndian)
		return text, "", err
	case bytes.HasPrefix(raw, bomUTF16BE):
		text, err = fromUTF16(raw[2:], binary.BigEndian)
		return text, "", err
	case bytes.HasPrefix(raw, []byte("<\x00")):
		text, err = fromUTF16(raw, binary.LittleEndian)
		return text, "the message is UTF-16 without a byte order mark", err
	case bytes.HasPrefix(raw, []byte("\x00<")):
		text, err = fromUTF16(raw, binary.BigEndian)
		return text, "the message is UTF-16 without a byte order mark", err
	default:
		declared, err := DeclaredEncoding(raw)
		if err != nil {
			return nil, "", err
		}
		if raw, doubt, err = fromCharset(raw, declared); err != nil {
			return nil, "", err
		}
	}
	text, err = withoutDeclaration(raw)
	return text, doubt, err
}

// withoutDeclaration checks the UTF-8 text and cuts its XML declaration off.
func withoutDeclaration(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, coded.Errorf("bad-utf8", "%w UTF-8", ErrBadBytes)
	}
	if !bytes.HasPrefix(text, []byte("<?xml")) {
		return text, nil
	}
	found := xmlDeclaration.FindIndex(text[:min(len(text), maxDeclaration)])
	if found == nil {
		if len(text) > 5 && !isXMLSpace(rune(text[5])) {
			return text, nil // some other instruction, such as xml-stylesheet
		}
		return nil, coded.New("xml-declared", "the XML declaration is malformed")
	}
	return text[found[1]:], nil
}

// DeclaredEncoding is the lower-case encoding of the XML declaration; "" when none.
func DeclaredEncoding(raw []byte) (string, error) {
	found := xmlDeclaration.FindSubmatch(raw[:min(len(raw), maxDeclaration)])
	if len(found) < 2 || found[1] == nil {
		return "", nil
	}
	name := strings.ToLower(strings.Trim(string(found[1]), `"'`))
	if strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32") {
		return "", coded.Errorf("xml-mark", "the message says it is %s but has no byte order mark, and is not", name)
	}
	return name, nil
}

// fromCharset decodes raw from the character set name. Names mean what they mean to
// browsers (WHATWG Encoding): senders that say ISO-8859-1 send Windows-1252, with its
// dashes and apostrophes, and so on for the other sets that Windows widened.
func fromCharset(raw []byte, name string) (text []byte, doubt string, err error) {
	if name == "" || name == "utf-8" || name == "utf8" {
		return raw, "", nil
	}
	charset, err := htmlindex.Get(name)
	if err != nil {
		charset, err = ianaindex.IANA.Encoding(name)
	}
	if err != nil || charset == nil || charset == encoding.Replacement {
		return nil, "", coded.Errorf("encoding-unknown", "the encoding %q is not known", alert.Clip(name))
	}
	ascii := strings.HasSuffix(name, "ascii") && utf8.Valid(raw)
	if ascii && multibyte(raw) == 0 {
		return raw, "", nil
	}
	if ascii || isSingleByte(charset) && looksLikeUTF8(raw) {
		return raw, fmt.Sprintf("the message says that it is %s, but it is UTF-8, and is read as that", alert.Clip(name)), nil
	}
	if charset == charmap.Windows1252 {
		return fromWindows1252(raw), "", nil
	}
	text, err = charset.NewDecoder().Bytes(raw)
	if err != nil {
		return nil, "", coded.Errorf("decoding", "decoding %s: %w", name, err)
	}
	if bytes.ContainsRune(text, utf8.RuneError) {
		return nil, "", coded.Errorf("bad-bytes-of", "%w %s", ErrBadBytes, name)
	}
	return text, "", nil
}

// fromWindows1252 decodes raw; the five bytes that Windows-1252 leaves open become the
// control characters of ISO-8859-1, as in browsers.
func fromWindows1252(raw []byte) []byte {
	text := make([]byte, 0, len(raw)+len(raw)/8)
	for _, b := range raw {
		r := charmap.Windows1252.DecodeByte(b)
		if r == utf8.RuneError {
			r = rune(b)
		}
		text = utf8.AppendRune(text, r)
	}
	return text
}

// isSingleByte reports a set of 256 characters, in which every byte means something.
func isSingleByte(charset encoding.Encoding) bool {
	_, ok := charset.(*charmap.Charmap)
	return ok
}

// surelyUTF8 is how many characters of several bytes make UTF-8 certain: each has a
// chance of some one in ten to be an accident of two letters of a smaller set.
const surelyUTF8 = 4

// looksLikeUTF8 reports whether raw is UTF-8 throughout, and not by accident.
func looksLikeUTF8(raw []byte) bool {
	return utf8.Valid(raw) && multibyte(raw) >= surelyUTF8
}

// multibyte counts the characters beyond ASCII in UTF-8.
func multibyte(text []byte) int {
	n := 0
	for _, b := range text {
		if b >= 0xC0 {
			n++
		}
	}
	return n
}

// fromUTF16 decodes raw, which comes after its byte order mark.
func fromUTF16(raw []byte, order binary.ByteOrder) ([]byte, error) {
	if len(raw)%2 != 0 {
		return nil, coded.Errorf("bad-utf16", "%w UTF-16", ErrBadBytes)
	}
	text := make([]byte, 0, len(raw)+len(raw)/2)
	for ; len(raw) > 0; raw = raw[2:] {
		r := rune(order.Uint16(raw))
		if utf16.IsSurrogate(r) {
			if len(raw) < 4 {
				return nil, coded.Errorf("bad-utf16", "%w UTF-16", ErrBadBytes)
			}
			raw = raw[2:]
			if r = utf16.DecodeRune(r, rune(order.Uint16(raw))); r == utf8.RuneError {
				return nil, coded.Errorf("bad-utf16", "%w UTF-16", ErrBadBytes)
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return withoutDeclaration(text)
}
