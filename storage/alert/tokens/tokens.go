// Package tokens reads XML with the checks that encoding/xml's raw tokens leave out: encodings,
// declarations, nesting, name spaces, one root, and bounds. It knows no element of CAP.
package tokens

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/coded"
)

// The bounds of a message besides those of package alert. They leave real messages room: the
// largest one seen, 424 areas with polygons, has some 6,000 elements.
const (
	// MaxElements bounds elements and attributes together, of all name spaces.
	MaxElements = 50_000
	// MaxDepth bounds the nesting of elements.
	MaxDepth = 32
)

// MaxNamespaces bounds the name space declarations in scope at one place.
const MaxNamespaces = 64

const (
	XMLNamespace = "http://www.w3.org/XML/1998/namespace"
	XSINamespace = "http://www.w3.org/2001/XMLSchema-instance"
)

// Kind is what a token is.
type Kind int

// The kinds of tokens.
const (
	TokenStart Kind = iota + 1
	TokenEnd
	tokenText
	tokenEOF
)

// Token is a start tag, an end tag, character data or the end of the message.
type Token struct {
	Kind  Kind
	Name  xml.Name   // of a start tag, name space resolved
	Attrs []xml.Attr // without name space declarations, resolved
	Text  []byte     // valid until the next call
}

// tokens reads XML with the checks that encoding/xml's raw tokens leave out:
// nesting, name spaces, one root, nothing but space around it, and our bounds.
type Reader struct {
	dec      *xml.Decoder
	open     []openTag
	bindings []binding
	elements int
	rooted   bool // the root element has begun
}

type openTag struct {
	raw      xml.Name
	bindings int // number of bindings before the tag
}

type binding struct{ prefix, uri string }

// New reads the text, which has been through Scan.
func New(text []byte) *Reader {
	dec := xml.NewDecoder(bytes.NewReader(text))
	return &Reader{dec: dec, bindings: []binding{{"xml", XMLNamespace}}}
}

// Next returns the next token; comments and processing instructions are skipped.
func (t *Reader) Next() (Token, error) {
	for {
		raw, err := t.dec.RawToken()
		if errors.Is(err, io.EOF) && len(t.open) == 0 && t.rooted {
			return Token{Kind: tokenEOF}, nil
		}
		if err != nil {
			return Token{}, notWellFormed(err)
		}
		switch raw := raw.(type) {
		case xml.StartElement:
			return t.start(raw)
		case xml.EndElement:
			return t.end(raw)
		case xml.CharData:
			if len(t.open) > 0 {
				return Token{Kind: tokenText, Text: raw}, nil
			}
			if len(bytes.Trim(raw, " \t\r\n")) > 0 {
				return Token{}, coded.New("xml-text", "there is text outside the root element")
			}
		case xml.ProcInst:
			if strings.EqualFold(raw.Target, "xml") {
				return Token{}, coded.New("xml-declaration", "an XML declaration stands inside the message")
			}
		case xml.Directive:
			return Token{}, ErrDoctype
		}
	}
}

// notWellFormed strips the decoder's own prefix from its message.
func notWellFormed(err error) error {
	if errors.Is(err, io.EOF) {
		return coded.New("xml-early", "the message ends too early")
	}
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return coded.Errorf("xml-line", "line %d: %s", syntax.Line, syntax.Msg)
	}
	return err
}

// start opens an element.
func (t *Reader) start(raw xml.StartElement) (Token, error) {
	if len(t.open) == 0 && t.rooted {
		return Token{}, coded.New("xml-roots", "there is a second root element")
	}
	t.rooted = true
	t.elements += 1 + len(raw.Attr)
	if t.elements > MaxElements || len(t.open) >= MaxDepth {
		return Token{}, coded.Errorf("xml-large", "%w: more than %d elements or nested deeper than %d", alert.ErrTooBig, MaxElements, MaxDepth)
	}
	t.open = append(t.open, openTag{raw: raw.Name, bindings: len(t.bindings)})
	attrs, err := t.declare(raw.Attr)
	if err != nil {
		return Token{}, err
	}
	name, err := t.resolve(raw.Name, true)
	if err != nil {
		return Token{}, err
	}
	return Token{Kind: TokenStart, Name: name, Attrs: attrs}, nil
}

// end closes the innermost element.
func (t *Reader) end(raw xml.EndElement) (Token, error) {
	if len(t.open) == 0 {
		return Token{}, coded.Errorf("xml-closes", "</%s> closes nothing", alert.Clip(raw.Name.Local))
	}
	last := t.open[len(t.open)-1]
	if last.raw != raw.Name {
		return Token{}, coded.Errorf("xml-closed", "<%s> is closed by </%s>", alert.Clip(last.raw.Local), alert.Clip(raw.Name.Local))
	}
	t.open = t.open[:len(t.open)-1]
	t.bindings = t.bindings[:last.bindings]
	return Token{Kind: TokenEnd}, nil
}

// declare binds the name spaces that the attributes declare and resolves the rest.
func (t *Reader) declare(raw []xml.Attr) ([]xml.Attr, error) {
	if err := repeated(raw); err != nil {
		return nil, err
	}
	rest := raw[:0]
	for _, a := range raw {
		switch {
		case a.Name.Space == "xmlns" && a.Value == "":
			return nil, coded.Errorf("xml-unbound", "the name space prefix %q is unbound again", alert.Clip(a.Name.Local))
		case a.Name.Space == "xmlns":
			t.bindings = append(t.bindings, binding{a.Name.Local, a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			t.bindings = append(t.bindings, binding{"", a.Value})
		default:
			rest = append(rest, a)
		}
	}
	if len(t.bindings) > MaxNamespaces {
		return nil, coded.Errorf("xml-spaces", "%w: more than %d name spaces", alert.ErrTooBig, MaxNamespaces)
	}
	return rest, t.resolveAttributes(rest)
}

// resolveAttributes replaces prefixes by name spaces; two prefixes of one name
// space must not lead to one name (Namespaces in XML 1.0 §6.3).
func (t *Reader) resolveAttributes(attrs []xml.Attr) error {
	for i := range attrs {
		name, err := t.resolve(attrs[i].Name, false)
		if err != nil {
			return err
		}
		attrs[i].Name = name
	}
	return repeated(attrs)
}

// repeated refuses a name that occurs twice. MaxTag keeps the list short.
func repeated(attrs []xml.Attr) error {
	for i, a := range attrs {
		for _, before := range attrs[:i] {
			if before.Name == a.Name {
				return coded.Errorf("xml-attribute", "the attribute %q stands twice in one tag", alert.Clip(a.Name.Local))
			}
		}
	}
	return nil
}

// resolve replaces the prefix in name by its name space. Only elements take the
// default name space.
func (t *Reader) resolve(name xml.Name, element bool) (xml.Name, error) {
	if strings.Contains(name.Local, ":") {
		return name, coded.Errorf("xml-name", "%q is not a name", alert.Clip(name.Local))
	}
	if name.Space == "" && !element {
		return name, nil
	}
	for i := len(t.bindings) - 1; i >= 0; i-- {
		if t.bindings[i].prefix == name.Space {
			return xml.Name{Space: t.bindings[i].uri, Local: name.Local}, nil
		}
	}
	if name.Space == "" {
		return name, nil
	}
	return name, coded.Errorf("xml-prefix", "the name space prefix %q is not declared", alert.Clip(name.Space))
}
