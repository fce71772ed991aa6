package audience

import (
	"strings"

	"almenara/storage/coded"
)

// Limits of an expression. Scenarios and people stay far below; they bound what a
// hostile expression can cost.
const (
	MaxSelectionBytes = 4096 // of the expression, and of its canonical form
	MaxSelectionDepth = 64   // nested parentheses
)

// keywords cannot be tag names, nor values without quotes.
var keywords = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "under": true, "has": true, "all": true,
}

func isKeyword(s string) bool { return keywords[strings.ToLower(s)] }

// Parse reads a selection such as
//
//	place under tuen-mun/on-ting and (role = frontline or risk in (high, medium)) and not kind = speaker
//
// Terms are: all; place under P; place, kind, language, id or a tag's name with
// = v, != v or in (a, b); has tag. "!=" is the opposite of "=": whoever lacks the
// tag is selected too. A language selects by RFC 4647 basic filtering (zh finds
// zh-HK), and finds members without languages, who take all. not binds tightest,
// then and, then or. Keywords, places, kinds and tag names may be written in any
// case; values of tags are compared exactly, in the form that imports bring them to: neither
// full width nor invisible characters make a difference. A value is a bare word (letters of
// any script, digits, - _ . / : +) or a text in double quotes, where \" and \\
// stand for " and \.
//
// The error is a *SyntaxError. An empty expression is one: it never means
// everybody.
func Parse(expr string) (Selection, error) { return parse(expr, NormalKey) }

// ParseCanonical reads what a target carries, byte by byte: it is what every node must
// read alike, whatever forms its software brings typed values to.
func ParseCanonical(expr string) (Selection, error) {
	return parse(expr, func(s string) string { return s })
}

func parse(expr string, form func(string) string) (Selection, error) {
	if len(expr) > MaxSelectionBytes {
		return Selection{}, wrong(1, "selection-long", "the expression is %d bytes long, at most %d are allowed", len(expr), MaxSelectionBytes)
	}
	p := parser{lexer: lexer{rest: expr, column: 1}, form: form}
	if err := p.advance(); err != nil {
		return Selection{}, err
	}
	if p.token.kind == tokenEnd {
		return Selection{}, wrong(1, "selection-empty", `the expression is empty; write "all" to select everybody`)
	}
	root, err := p.or()
	if err == nil && p.token.kind != tokenEnd {
		err = p.expected(coded.New("want-end", `"and", "or" or the end`))
	}
	if err != nil {
		return Selection{}, err
	}
	s := Selection{root}
	if n := len(s.String()); n > MaxSelectionBytes {
		return Selection{}, wrong(1, "selection-long-written", "the expression is %d bytes long when written out, at most %d are allowed", n, MaxSelectionBytes)
	}
	return s, nil
}

// parser is a recursive descent with one token of look-ahead.
type parser struct {
	lexer lexer
	token token
	depth int
	form  func(string) string // of values and tag names
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

// expected is the error that what was expected is not what stands here.
func (p *parser) expected(what error) error {
	return wrong(p.token.column, "expected", "%v is expected, found %v", what, p.token.describe())
}

// keyword reports whether the token is the bare word.
func (p *parser) keyword(word string) bool {
	return p.token.kind == tokenWord && strings.EqualFold(p.token.text, word)
}

// take goes past a token of the kind.
func (p *parser) take(kind tokenKind, what error) error {
	if p.token.kind != kind {
		return p.expected(what)
	}
	return p.advance()
}

func (p *parser) or() (Node, error)  { return p.list("or", OpOr, p.and) }
func (p *parser) and() (Node, error) { return p.list("and", OpAnd, p.not) }

// list reads one or more parts joined by word.
func (p *parser) list(word string, joined Op, part func() (Node, error)) (Node, error) {
	first, err := part()
	if err != nil {
		return Node{}, err
	}
	parts := []Node{first}
	for p.keyword(word) {
		if err := p.advance(); err != nil {
			return Node{}, err
		}
		next, err := part()
		if err != nil {
			return Node{}, err
		}
		parts = append(parts, next)
	}
	return combine(joined, parts), nil
}

// not reads any number of "not" in a loop: only parentheses nest.
func (p *parser) not() (Node, error) {
	opposite := false
	for p.keyword("not") {
		opposite = !opposite
		if err := p.advance(); err != nil {
			return Node{}, err
		}
	}
	n, err := p.primary()
	if err != nil || !opposite {
		return n, err
	}
	return negate(n), nil
}

// primary reads a term or an expression in parentheses.
func (p *parser) primary() (Node, error) {
	switch {
	case p.token.kind == tokenOpen:
		return p.parenthesis()
	case p.keyword("all"):
		return Node{Op: OpAll}, p.advance()
	case p.keyword("has"):
		return p.has()
	case p.token.kind == tokenWord && !isKeyword(p.token.text):
		return p.term()
	}
	return Node{}, p.expected(coded.New("want-condition", `a condition such as "kind = screen" or "place under tuen-mun"`))
}

func (p *parser) parenthesis() (Node, error) {
	if p.depth++; p.depth > MaxSelectionDepth {
		return Node{}, wrong(p.token.column, "selection-deep", "parentheses are nested deeper than %d", MaxSelectionDepth)
	}
	if err := p.advance(); err != nil {
		return Node{}, err
	}
	n, err := p.or()
	if err != nil {
		return Node{}, err
	}
	p.depth--
	return n, p.take(tokenClose, coded.New("want-close", `"and", "or" or ")"`))
}

func (p *parser) has() (Node, error) {
	if err := p.advance(); err != nil {
		return Node{}, err
	}
	name, err := p.tagName()
	if err != nil {
		return Node{}, err
	}
	return Node{Op: OpHas, Tag: name}, p.advance()
}

// tagName is the current token as a tag's name.
func (p *parser) tagName() (string, error) {
	name := strings.ToLower(p.form(p.token.text))
	if p.token.kind != tokenWord || isKeyword(name) {
		return "", p.expected(coded.New("want-tag", "a tag's name"))
	}
	if err := checkTagName(name); err != nil {
		return "", &SyntaxError{p.token.column, err}
	}
	return name, nil
}

// fields are the words that begin a term and are no tag.
var fields = map[string]Op{"place": OpPlace, "kind": OpKind, "language": OpLanguage, "id": OpID}

// term reads a field or tag with its comparison.
func (p *parser) term() (Node, error) {
	n := Node{Op: fields[strings.ToLower(p.token.text)]}
	if n.Op == OpNone {
		name, err := p.tagName()
		if err != nil {
			return Node{}, err
		}
		n.Op, n.Tag = OpTag, name
	}
	if err := p.advance(); err != nil {
		return Node{}, err
	}
	return p.comparison(n)
}

// comparison reads what stands after a field or tag.
func (p *parser) comparison(n Node) (Node, error) {
	unequal := p.token.kind == tokenNotEqual
	switch {
	case n.Op == OpPlace && p.keyword("under"):
		n.Op = OpPlaceUnder
	case unequal, p.token.kind == tokenEqual:
	case p.keyword("in"):
		if err := p.advance(); err != nil {
			return Node{}, err
		}
		return p.values(n)
	case n.Op == OpPlace:
		return Node{}, p.expected(coded.New("want-under", `"under", "=", "!=" or "in"`))
	default:
		return Node{}, p.expected(coded.New("want-equal", `"=", "!=" or "in"`))
	}
	if err := p.advance(); err != nil {
		return Node{}, err
	}
	if err := p.value(&n); err != nil {
		return Node{}, err
	}
	if unequal {
		n = negate(n)
	}
	if n.Op == OpPlaceUnder {
		return eitherPlace(n), nil
	}
	return n, nil
}

// eitherPlace is the place as it was typed, or in its form.
func eitherPlace(n Node) Node {
	var places []Node
	for _, value := range n.Values {
		places = append(places, Node{Op: OpPlaceUnder, Values: []string{value}})
	}
	return combine(OpOr, places)
}

// values reads (a, b, …).
func (p *parser) values(n Node) (Node, error) {
	if err := p.take(tokenOpen, coded.New("want-open", `"("`)); err != nil {
		return Node{}, err
	}
	for {
		if err := p.value(&n); err != nil {
			return Node{}, err
		}
		if p.token.kind != tokenComma {
			break
		}
		if err := p.advance(); err != nil {
			return Node{}, err
		}
	}
	n.Values = sortedValues(n.Values)
	return n, p.take(tokenClose, coded.New("want-comma", `"," or ")"`))
}

// value reads one value and checks it against what the field may hold.
func (p *parser) value(n *Node) error {
	bare := p.token.kind == tokenWord
	if bare && isKeyword(p.token.text) {
		return p.expected(coded.New("want-quotes", `a value (write it in double quotes if it is meant)`))
	}
	if !bare && p.token.kind != tokenString {
		return p.expected(coded.New("want-value", "a value"))
	}
	value, err := checkValue(n.Op, p.form(p.token.text))
	if err == nil && (n.Op == OpPlace || n.Op == OpPlaceUnder) { // a place keeps the path under which it was made
		if typed, err := checkValue(n.Op, p.token.text); err == nil && typed != value {
			n.Values = append(n.Values, typed)
		}
	}
	if err != nil {
		return &SyntaxError{p.token.column, err}
	}
	n.Values = sortedValues(append(n.Values, value))
	return p.advance()
}

// checkValue returns the value as it is kept, or why no member can have it.
func checkValue(field Op, value string) (string, error) {
	switch field {
	case OpPlace, OpPlaceUnder:
		path, err := ParsePath(strings.ToLower(value))
		return string(path), err
	case OpKind:
		value = strings.ToLower(value)
		return value, checkKind(Kind(value))
	case OpLanguage:
		return value, checkLanguage(value)
	case OpID:
		return value, CheckID(value)
	default:
		return value, checkTagValue(value)
	}
}
