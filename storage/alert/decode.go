package alert

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/ianaindex"
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

var errBadBytes = errors.New("bytes do not fit the encoding")

// toUTF8 returns the message as UTF-8 without byte order mark and without XML
// declaration. A byte order mark wins over the declaration, as XML 1.0 appendix F
// has it; without both the message is UTF-8.
func toUTF8(raw []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(raw, bomUTF8):
		raw = raw[len(bomUTF8):]
	case bytes.HasPrefix(raw, bomUTF16LE):
		return fromUTF16(raw[2:], binary.LittleEndian)
	case bytes.HasPrefix(raw, bomUTF16BE):
		return fromUTF16(raw[2:], binary.BigEndian)
	default:
		declared, err := declaredEncoding(raw)
		if err != nil {
			return nil, err
		}
		if raw, err = fromCharset(raw, declared); err != nil {
			return nil, err
		}
	}
	return withoutDeclaration(raw)
}

// withoutDeclaration checks the UTF-8 text and cuts its XML declaration off.
func withoutDeclaration(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%w UTF-8", errBadBytes)
	}
	if !bytes.HasPrefix(text, []byte("<?xml")) {
		return text, nil
	}
	found := xmlDeclaration.FindIndex(text[:min(len(text), maxDeclaration)])
	if found == nil {
		if len(text) > 5 && !isXMLSpace(rune(text[5])) {
			return text, nil // some other instruction, such as xml-stylesheet
		}
		return nil, errors.New("the XML declaration is malformed")
	}
	return text[found[1]:], nil
}

// declaredEncoding is the lower-case encoding of the XML declaration; "" when none.
func declaredEncoding(raw []byte) (string, error) {
	found := xmlDeclaration.FindSubmatch(raw[:min(len(raw), maxDeclaration)])
	if len(found) < 2 || found[1] == nil {
		return "", nil
	}
	name := strings.ToLower(strings.Trim(string(found[1]), `"'`))
	if strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32") {
		return "", fmt.Errorf("the message says it is %s but has no byte order mark", name)
	}
	return name, nil
}

// fromCharset decodes raw from the IANA character set name.
func fromCharset(raw []byte, name string) ([]byte, error) {
	if name == "" || name == "utf-8" || name == "utf8" || name == "us-ascii" {
		return raw, nil
	}
	charset, err := ianaindex.IANA.Encoding(name)
	if err != nil || charset == nil {
		return nil, fmt.Errorf("the encoding %q is not known", name)
	}
	text, err := charset.NewDecoder().Bytes(raw)
	if err != nil {
		return nil, fmt.Errorf("decoding %s: %w", name, err)
	}
	if bytes.ContainsRune(text, utf8.RuneError) {
		return nil, fmt.Errorf("%w %s", errBadBytes, name)
	}
	return text, nil
}

// fromUTF16 decodes raw, which comes after its byte order mark.
func fromUTF16(raw []byte, order binary.ByteOrder) ([]byte, error) {
	if len(raw)%2 != 0 {
		return nil, fmt.Errorf("%w UTF-16", errBadBytes)
	}
	text := make([]byte, 0, len(raw)+len(raw)/2)
	for ; len(raw) > 0; raw = raw[2:] {
		r := rune(order.Uint16(raw))
		if utf16.IsSurrogate(r) {
			if len(raw) < 4 {
				return nil, fmt.Errorf("%w UTF-16", errBadBytes)
			}
			raw = raw[2:]
			if r = utf16.DecodeRune(r, rune(order.Uint16(raw))); r == utf8.RuneError {
				return nil, fmt.Errorf("%w UTF-16", errBadBytes)
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return withoutDeclaration(text)
}
