package tokens

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"almenara/storage/alert"
	"almenara/storage/coded"
)

// MaxTag bounds one start or end tag in bytes. CAP has no attributes of its own;
// name space declarations of real messages stay below 1 KiB.
const MaxTag = 4096

// maxReference is how far to look for the end of a character reference.
const maxReference = 32

var ErrDoctype = coded.New("xml-doctype", "the message carries a DTD or other markup declaration")

// Scan looks over the whole UTF-8 text before the XML decoder sees it. It refuses
// what the decoder would accept, resolve or spend memory on: declarations of any
// kind, characters that XML 1.0 §2.2 forbids, long tags, attributes run together.
func Scan(text []byte) error {
	if err := scanCharacters(text); err != nil {
		return err
	}
	for {
		at := bytes.IndexByte(text, '<')
		if at < 0 {
			return scanReferences(text)
		}
		length, err := markupLength(text[at:])
		if err != nil {
			return err
		}
		end := at
		if c := text[at+1]; c != '!' && c != '?' { // in comments and CDATA & is no reference
			end += length
		}
		if err := scanReferences(text[:end]); err != nil {
			return err
		}
		text = text[at+length:]
	}
}

// scanCharacters finds the first character that may not stand in XML.
func scanCharacters(text []byte) error {
	for at := 0; at < len(text); {
		if c := text[at]; c >= ' ' && c < utf8.RuneSelf {
			at++
			continue
		}
		r, size := utf8.DecodeRune(text[at:])
		if !alert.IsXMLChar(r) || r == utf8.RuneError && size == 1 {
			return badCharacter(r)
		}
		at += size
	}
	return nil
}

func badCharacter(r rune) error {
	return coded.Errorf("xml-character", "the character %s may not stand in XML", fmt.Sprintf("U+%04X", r))
}

// scanReferences finds a reference to a character that may not stand in XML, which
// the decoder would turn into U+FFFD. Malformed ones are left to the decoder.
func scanReferences(text []byte) error {
	for {
		_, rest, found := bytes.Cut(text, []byte("&#"))
		if !found {
			return nil
		}
		digits, _, _ := bytes.Cut(rest[:min(len(rest), maxReference)], []byte(";"))
		base := 10
		if hex, ok := bytes.CutPrefix(digits, []byte("x")); ok {
			digits, base = hex, 16
		}
		code, err := strconv.ParseUint(string(digits), base, 31)
		if err == nil && !alert.IsXMLChar(rune(code)) {
			return badCharacter(rune(code))
		}
		text = rest
	}
}

// markupLength measures the markup that text starts with.
func markupLength(text []byte) (int, error) {
	switch {
	case bytes.HasPrefix(text, []byte("<!--")):
		return lengthUntil(text, 4, "-->")
	case bytes.HasPrefix(text, []byte("<![CDATA[")):
		return lengthUntil(text, 9, "]]>")
	case bytes.HasPrefix(text, []byte("<!")):
		return 0, ErrDoctype
	case bytes.HasPrefix(text, []byte("<?")):
		return lengthUntil(text, 2, "?>")
	default:
		return tagLength(text)
	}
}

// lengthUntil measures markup that ends with end.
func lengthUntil(text []byte, from int, end string) (int, error) {
	at := bytes.Index(text[from:], []byte(end))
	if at < 0 {
		return 0, coded.Errorf("xml-ends", "the message ends before %q", end)
	}
	return from + at + len(end), nil
}

// tagLength measures a start or end tag; > may stand in its attribute values.
func tagLength(text []byte) (int, error) {
	var quote byte
	for i, c := range text[:min(len(text), MaxTag)] {
		switch {
		case quote != 0 && c == quote:
			quote = 0
			if i+1 < len(text) && !bytes.ContainsRune([]byte(" \t\r\n/>"), rune(text[i+1])) {
				return 0, coded.New("xml-white", "white space is missing between attributes")
			}
		case quote != 0:
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1, nil
		}
	}
	if len(text) >= MaxTag {
		return 0, coded.Errorf("xml-tag", "a tag is longer than %d bytes", MaxTag)
	}
	return 0, coded.New("xml-within", "the message ends within a tag")
}

// isXMLSpace is the production S of XML 1.0 §2.3.
func isXMLSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r'
}
