package alert

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds of a message that Parse reads. They leave real messages room: the
// largest one seen, 424 areas with polygons, has some 6,000 elements.
const (
	// MaxMessageBytes bounds a message as it arrives, in any encoding.
	MaxMessageBytes = 4 << 20
	// MaxElements bounds elements and attributes together, of all name spaces.
	MaxElements = 50_000
	// MaxDepth bounds the nesting of elements.
	MaxDepth = 32
	// MaxInfos bounds the info blocks of a message.
	MaxInfos = 200
	// MaxAreas bounds the area blocks of a message, over all infos.
	MaxAreas = 5_000
	// MaxResources bounds the resource blocks of a message, over all infos.
	MaxResources = 200
	// MaxReferences bounds the triplets of references.
	MaxReferences = 1_000
	// MaxListItems bounds addresses and incidents, each.
	MaxListItems = 10_000
	// MaxPoints bounds the points of all polygons of a message together. A live alert of a
	// weather service has some 106,000, one polygon of a signed one 41,009.
	MaxPoints = 250_000
)

// maxNamespaces bounds the name space declarations in scope at one place.
const maxNamespaces = 64

const (
	xmlNamespace = "http://www.w3.org/XML/1998/namespace"
	xsiNamespace = "http://www.w3.org/2001/XMLSchema-instance"
)

var errTooBig = errors.New("the message is beyond what a receiver has to accept")

type tokenKind int

const (
	tokenStart tokenKind = iota + 1
	tokenEnd
	tokenText
	tokenEOF
)

// token is a start tag, an end tag, character data or the end of the message.
type token struct {
	kind  tokenKind
	name  xml.Name   // of a start tag, name space resolved
	attrs []xml.Attr // without name space declarations, resolved
	text  []byte     // valid until the next call
}

// tokens reads XML with the checks that encoding/xml's raw tokens leave out:
// nesting, name spaces, one root, nothing but space around it, and our bounds.
type tokens struct {
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

func newTokens(text []byte) *tokens {
	dec := xml.NewDecoder(bytes.NewReader(text))
	return &tokens{dec: dec, bindings: []binding{{"xml", xmlNamespace}}}
}

// next returns the next token; comments and processing instructions are skipped.
func (t *tokens) next() (token, error) {
	for {
		raw, err := t.dec.RawToken()
		if errors.Is(err, io.EOF) && len(t.open) == 0 && t.rooted {
			return token{kind: tokenEOF}, nil
		}
		if err != nil {
			return token{}, notWellFormed(err)
		}
		switch raw := raw.(type) {
		case xml.StartElement:
			return t.start(raw)
		case xml.EndElement:
			return t.end(raw)
		case xml.CharData:
			if len(t.open) > 0 {
				return token{kind: tokenText, text: raw}, nil
			}
			if len(bytes.Trim(raw, " \t\r\n")) > 0 {
				return token{}, errors.New("there is text outside the root element")
			}
		case xml.ProcInst:
			if strings.EqualFold(raw.Target, "xml") {
				return token{}, errors.New("an XML declaration stands inside the message")
			}
		case xml.Directive:
			return token{}, errDoctype
		}
	}
}

// notWellFormed strips the decoder's own prefix from its message.
func notWellFormed(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the message ends too early")
	}
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return fmt.Errorf("line %d: %s", syntax.Line, syntax.Msg)
	}
	return err
}

// start opens an element.
func (t *tokens) start(raw xml.StartElement) (token, error) {
	if len(t.open) == 0 && t.rooted {
		return token{}, errors.New("there is a second root element")
	}
	t.rooted = true
	t.elements += 1 + len(raw.Attr)
	if t.elements > MaxElements || len(t.open) >= MaxDepth {
		return token{}, fmt.Errorf("%w: more than %d elements or nested deeper than %d", errTooBig, MaxElements, MaxDepth)
	}
	t.open = append(t.open, openTag{raw: raw.Name, bindings: len(t.bindings)})
	attrs, err := t.declare(raw.Attr)
	if err != nil {
		return token{}, err
	}
	name, err := t.resolve(raw.Name, true)
	if err != nil {
		return token{}, err
	}
	return token{kind: tokenStart, name: name, attrs: attrs}, nil
}

// end closes the innermost element.
func (t *tokens) end(raw xml.EndElement) (token, error) {
	if len(t.open) == 0 {
		return token{}, fmt.Errorf("</%s> closes nothing", clip(raw.Name.Local))
	}
	last := t.open[len(t.open)-1]
	if last.raw != raw.Name {
		return token{}, fmt.Errorf("<%s> is closed by </%s>", clip(last.raw.Local), clip(raw.Name.Local))
	}
	t.open = t.open[:len(t.open)-1]
	t.bindings = t.bindings[:last.bindings]
	return token{kind: tokenEnd}, nil
}

// declare binds the name spaces that the attributes declare and resolves the rest.
func (t *tokens) declare(raw []xml.Attr) ([]xml.Attr, error) {
	if err := repeated(raw); err != nil {
		return nil, err
	}
	rest := raw[:0]
	for _, a := range raw {
		switch {
		case a.Name.Space == "xmlns" && a.Value == "":
			return nil, fmt.Errorf("the name space prefix %q is unbound again", clip(a.Name.Local))
		case a.Name.Space == "xmlns":
			t.bindings = append(t.bindings, binding{a.Name.Local, a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			t.bindings = append(t.bindings, binding{"", a.Value})
		default:
			rest = append(rest, a)
		}
	}
	if len(t.bindings) > maxNamespaces {
		return nil, fmt.Errorf("%w: more than %d name spaces", errTooBig, maxNamespaces)
	}
	return rest, t.resolveAttributes(rest)
}

// resolveAttributes replaces prefixes by name spaces; two prefixes of one name
// space must not lead to one name (Namespaces in XML 1.0 §6.3).
func (t *tokens) resolveAttributes(attrs []xml.Attr) error {
	for i := range attrs {
		name, err := t.resolve(attrs[i].Name, false)
		if err != nil {
			return err
		}
		attrs[i].Name = name
	}
	return repeated(attrs)
}

// repeated refuses a name that occurs twice. maxTag keeps the list short.
func repeated(attrs []xml.Attr) error {
	for i, a := range attrs {
		for _, before := range attrs[:i] {
			if before.Name == a.Name {
				return fmt.Errorf("the attribute %q stands twice in one tag", clip(a.Name.Local))
			}
		}
	}
	return nil
}

// resolve replaces the prefix in name by its name space. Only elements take the
// default name space.
func (t *tokens) resolve(name xml.Name, element bool) (xml.Name, error) {
	if strings.Contains(name.Local, ":") {
		return name, fmt.Errorf("%q is not a name", clip(name.Local))
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
	return name, fmt.Errorf("the name space prefix %q is not declared", clip(name.Space))
}
