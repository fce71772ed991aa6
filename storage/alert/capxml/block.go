package capxml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/alert/schema"
	"almenara/storage/alert/tokens"
	"almenara/storage/coded"
)

var errNoRoot = coded.New("xml-no-root", "there is no root element")

// notCAP is a root element that is not a CAP 1.2 alert.
type notCAP struct{ space, local string }

// Error names the older version when it is one.
func (e *notCAP) Error() string {
	if version := olderNamespaces[e.space]; version != "" {
		return fmt.Sprintf("the message is %s; only CAP 1.2 is accepted", version)
	}
	return fmt.Sprintf("the root element is %q in the name space %q, not a CAP 1.2 alert", alert.Clip(e.local), alert.Clip(e.space))
}

// ruleOf names the rule that a document-wide error breaks.
func ruleOf(err error) string {
	other := new(notCAP)
	switch {
	case errors.Is(err, tokens.ErrDoctype):
		return "doctype"
	case errors.Is(err, alert.ErrTooBig):
		return "too-large"
	case errors.As(err, &other):
		return "not-cap-1.2"
	default:
		return "not-well-formed"
	}
}

// sequence watches order and number of the children of one block.
type sequence struct {
	block *schema.Block
	seen  [24]bool
	last  int
}

// place counts a child in and reports it if it is one too many, which leaves open which
// one was meant, or out of order, which changes nothing: live warnings of two countries
// begin with sent before sender.
func (s *sequence) place(i int, found *alert.Findings) {
	child := &s.block.Children[i]
	if s.seen[i] && !child.Many {
		found.Add(alert.Reject, "element-repeated", "%s occurs more than once in one %s", child.Name, s.block.Name)
	}
	if i < s.last {
		found.Add(alert.Warn, "element-order", "%s comes after %s, against the order of the CAP schema",
			child.Name, s.block.Children[s.last].Name)
	}
	s.seen[i], s.last = true, max(i, s.last)
}

// missing reports the required children that did not come.
func (s *sequence) missing(found *alert.Findings) {
	for i, child := range s.block.Children {
		if child.Required && !s.seen[i] {
			found.Add(alert.Reject, child.Name+"-missing", "%s is missing in %s", child.Name, s.block.Name).As("element-missing", child.Name, s.block.Name)
		}
	}
}

// block reads the children of the element that has just begun, up to its end.
func (p *parser) block(b *schema.Block, child func(name string) error) error {
	s := sequence{block: b}
	for {
		t, err := p.in.Next()
		if err != nil {
			return err
		}
		switch t.Kind {
		case tokens.TokenEnd:
			s.missing(&p.found)
			return nil
		case tokens.TokenStart:
			err = p.child(t, &s, child)
		default:
			p.stray(t.Text, b)
		}
		if err != nil {
			return err
		}
	}
}

// child reads one child element, or skips it when it is not CAP's.
func (p *parser) child(t tokens.Token, s *sequence, read func(name string) error) error {
	if t.Name.Space == signatureNamespace && t.Name.Local == "Signature" && s.block == &schema.AlertBlock {
		p.alert.Signed = true
		return p.skip()
	}
	if t.Name.Space != Namespace {
		p.found.Add(alert.Warn, "element-foreign", "%q of the name space %q in %s is ignored",
			alert.Clip(t.Name.Local), alert.Clip(t.Name.Space), s.block.Name)
		return p.skip()
	}
	i := s.block.Index(t.Name.Local)
	if i < 0 {
		p.notChild(t.Name.Local, s.block)
		return p.skip()
	}
	s.place(i, &p.found)
	p.attributes(t)
	return read(t.Name.Local)
}

// notChild reports an element that b does not have. A name that CAP does not know is
// ignored, as real senders add some. One that belongs elsewhere, say a polygon beside
// its area, refuses the message: what it says would be lost.
func (p *parser) notChild(name string, b *schema.Block) {
	for _, other := range schema.AllBlocks {
		if other.Index(name) >= 0 || name == schema.AlertBlock.Name {
			p.found.Add(alert.Reject, "element-misplaced", "%s stands in %s, where CAP 1.2 has none", name, b.Name)
			return
		}
	}
	p.found.Add(alert.Warn, "element-unknown", "CAP 1.2 has no %q; it is ignored", alert.Clip(name))
}

// stray reports text where only elements may stand.
func (p *parser) stray(text []byte, b *schema.Block) {
	if s := strings.TrimSpace(string(text)); s != "" {
		p.found.Add(alert.Warn, "text-stray", "%q stands between the elements of %s", alert.Clip(s), b.Name)
	}
}

// attributes reports attributes: CAP 1.2 has none.
func (p *parser) attributes(t tokens.Token) {
	for _, a := range t.Attrs {
		if a.Name.Space != tokens.XSINamespace && a.Name.Space != tokens.XMLNamespace {
			p.found.Add(alert.Warn, "attribute-unknown", "CAP 1.2 has no attribute %q on %s; it is ignored",
				alert.Clip(a.Name.Local), t.Name.Local)
		}
	}
}

// skip reads past the element that has just begun.
func (p *parser) skip() error {
	for depth := 1; depth > 0; {
		t, err := p.in.Next()
		if err != nil {
			return err
		}
		switch t.Kind {
		case tokens.TokenStart:
			depth++
		case tokens.TokenEnd:
			depth--
		}
	}
	return nil
}

// markupAllowed are the texts for people, in which senders forget to escape HTML.
var markupAllowed = map[string]bool{"note": true, "headline": true, "description": true,
	"instruction": true, "contact": true, "areaDesc": true, "resourceDesc": true}

// text reads the text of the element that has just begun, without the white space
// around it. Elements inside it are a fault; texts for people keep their words.
func (p *parser) text(name string) (string, error) {
	var text strings.Builder
	var open []string // elements inside it
	for depth := 1; ; {
		t, err := p.in.Next()
		if err != nil {
			return "", err
		}
		switch t.Kind {
		case tokens.TokenStart:
			depth++
			level := alert.Reject
			if markupAllowed[name] {
				level = alert.Warn
			}
			p.found.Add(level, "text-markup", "%s contains the element %q", name, alert.Clip(t.Name.Local))
			open = append(open, t.Name.Local)
			text.WriteString(markupLeaves("<", t.Name.Local))
		case tokens.TokenEnd:
			if depth--; depth == 0 {
				return p.trim(name, text.String()), nil
			}
			text.WriteString(markupLeaves("</", open[depth-1]))
			open = open[:depth-1]
		default:
			text.Write(t.Text)
		}
	}
}

// inline are the elements of HTML that stand within a line, and breaking those that end
// one.
var (
	inline   = strings.Fields("a b i u s em strong small big font span sub sup mark tt")
	breaking = strings.Fields("br hr p div center blockquote ul ol li dl dt dd table thead tbody tr td th h1 h2 h3 h4 h5 h6")
)

// markupLeaves is what a tag inside a text leaves of itself: a line break where words
// would run together otherwise, and its name where HTML has no such element, for then a
// person wrote it.
func markupLeaves(tag, name string) string {
	switch lower := strings.ToLower(name); {
	case slices.Contains(inline, lower):
		return ""
	case slices.Contains(breaking, lower):
		return "\n"
	}
	return tag + name + ">"
}

// listed are the elements with a code list. The schema takes white space around a
// code for a part of it; printers of XML on the way put some there.
var listed = map[string]bool{"status": true, "msgType": true, "scope": true, "category": true,
	"responseType": true, "urgency": true, "severity": true, "certainty": true}

// trim takes the white space around a text off.
func (p *parser) trim(name, text string) string {
	trimmed := strings.TrimSpace(text)
	if listed[name] && len(trimmed) != len(text) {
		p.found.Add(alert.Warn, "code-outer-space", "there is white space around the %s %q", name, alert.Clip(trimmed))
	}
	if len(trimmed) < len(text)/2 {
		return strings.Clone(trimmed) // else a word would keep a page of white space
	}
	return trimmed
}

// signatureNamespace is XML Signature, the only foreign name space that the CAP 1.2
// schema has a place for.
const signatureNamespace = "http://www.w3.org/2000/09/xmldsig#"

// olderNamespaces are the versions that look like CAP 1.2 and are not.
var olderNamespaces = map[string]string{
	"urn:oasis:names:tc:emergency:cap:1.1": "CAP 1.1",
	"http://www.incident.com/cap/1.0":      "CAP 1.0",
}
