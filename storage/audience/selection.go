package audience

import (
	"slices"
	"strings"
)

// Selection is a parsed selection: who is meant, in terms of places, kinds,
// languages and tags. The zero value selects nobody and is not an expression.
// A Selection is immutable and may be shared.
type Selection struct{ root Node }

// Op is what a node of the tree does: joins the nodes below it, or is a term.
type Op uint8

// The operations. The terms are those from OpAll on.
const (
	OpNone Op = iota // the zero Selection
	OpAnd
	OpOr
	OpNot
	OpAll
	OpPlaceUnder
	OpPlace
	OpKind
	OpLanguage
	OpID
	OpHas
	OpTag
)

// Node is one node of the tree of a selection. And and Or have two or more kids, none of
// their own op; Not has one, never a Not; the rest are terms. Nobody may change one that a
// Selection has.
type Node struct {
	Op     Op
	Kids   []Node
	Tag    string   // OpTag, OpHas: the tag's name
	Values []string // terms: any of them matches; sorted, without repetition
}

// fieldNames are the names that terms other than tags begin with.
var fieldNames = map[Op]string{
	OpPlaceUnder: "place under", OpPlace: "place", OpKind: "kind", OpLanguage: "language", OpID: "id",
}

// Root is the node at the top. That of the zero Selection has OpNone.
func (s Selection) Root() Node { return s.root }

// IsZero reports the zero Selection: no expression at all.
func (s Selection) IsZero() bool { return s.root.Op == OpNone }

// Equal reports whether both have the same canonical form.
func (s Selection) Equal(o Selection) bool { return s.String() == o.String() }

// String is the canonical form: Parse reads it back as an equal Selection. It is
// empty for the zero Selection.
func (s Selection) String() string {
	var b strings.Builder
	s.root.write(&b)
	return b.String()
}

// Written is the canonical form, or a *SyntaxError where no node could read that back: selections that are each short enough may
// be too long or too deep when they are joined.
func (s Selection) Written() (string, error) {
	if s.IsZero() {
		return "", nil
	}
	text := s.String()
	_, err := ParseCanonical(text)
	return text, err
}

// And returns the selection of those whom both select. A zero Selection is no
// limit: the other one is returned.
func (s Selection) And(o Selection) Selection {
	switch {
	case s.IsZero():
		return o
	case o.IsZero():
		return s
	}
	return Selection{combine(OpAnd, []Node{s.root, o.root})}
}

// Within is And that does not grow: where s asks for o already, it is s.
func (s Selection) Within(o Selection) Selection {
	asked := s.root.Kids
	if s.root.Op != OpAnd {
		asked = []Node{s.root}
	}
	if !o.IsZero() && slices.ContainsFunc(asked, func(kid Node) bool { return Selection{kid}.Equal(o) }) {
		return s
	}
	return s.And(o)
}

// WithTerms is the selection with other terms in the place of each of its terms: any of
// those that replace gives for it may match. It is s itself where the new one would be
// longer than MaxSelectionBytes: nobody is left out then whom s selects.
func (s Selection) WithTerms(replace func(Node) []Node) Selection {
	if s.IsZero() {
		return s
	}
	out := Selection{s.root.withTerms(replace)}
	if read, err := ParseCanonical(out.String()); err != nil || !read.Equal(out) {
		return s
	}
	return out
}

func (n Node) withTerms(replace func(Node) []Node) Node {
	switch n.Op {
	case OpAnd, OpOr:
		kids := make([]Node, len(n.Kids))
		for i, kid := range n.Kids {
			kids[i] = kid.withTerms(replace)
		}
		return combine(n.Op, kids)
	case OpNot:
		return negate(n.Kids[0].withTerms(replace))
	}
	return combine(OpOr, replace(n))
}

// combine joins nodes under And or Or, taking in kids of the same op.
func combine(o Op, parts []Node) Node {
	if len(parts) == 1 {
		return parts[0]
	}
	joined := Node{Op: o}
	for _, part := range parts {
		kids := []Node{part}
		if part.Op == o {
			kids = part.Kids
		}
		for _, kid := range kids {
			if o == OpOr && kid.Op == OpPlaceUnder && joined.hasPlace(kid.Values[0]) { // of eitherPlace, which would grow
				continue
			}
			joined.Kids = append(joined.Kids, kid)
		}
	}
	if len(joined.Kids) == 1 {
		return joined.Kids[0]
	}
	return joined
}

// hasPlace reports whether one of the kids is the place.
func (n Node) hasPlace(path string) bool {
	return slices.ContainsFunc(n.Kids, func(kid Node) bool { return kid.Op == OpPlaceUnder && kid.Values[0] == path })
}

// negate is the opposite of n; two negations cancel out.
func negate(n Node) Node {
	if n.Op == OpNot {
		return n.Kids[0]
	}
	return Node{Op: OpNot, Kids: []Node{n}}
}

// write appends the canonical form.
func (n Node) write(b *strings.Builder) {
	switch n.Op {
	case OpNone:
	case OpAnd:
		n.writeKids(b, " and ", OpOr)
	case OpOr:
		n.writeKids(b, " or ", OpNone)
	case OpNot:
		b.WriteString("not ")
		n.Kids[0].writeIn(b, n.Kids[0].Op == OpAnd || n.Kids[0].Op == OpOr)
	default:
		n.writeTerm(b)
	}
}

// writeKids joins the kids, with parentheses around those of op wrapped.
func (n Node) writeKids(b *strings.Builder, word string, wrapped Op) {
	for i, kid := range n.Kids {
		if i > 0 {
			b.WriteString(word)
		}
		kid.writeIn(b, kid.Op == wrapped)
	}
}

func (n Node) writeIn(b *strings.Builder, parentheses bool) {
	if !parentheses {
		n.write(b)
		return
	}
	b.WriteByte('(')
	n.write(b)
	b.WriteByte(')')
}

func (n Node) writeTerm(b *strings.Builder) {
	switch n.Op {
	case OpAll:
		b.WriteString("all")
		return
	case OpHas:
		b.WriteString("has " + n.Tag)
		return
	case OpPlaceUnder:
		b.WriteString("place under " + quote(n.Values[0]))
		return
	case OpTag:
		b.WriteString(n.Tag)
	default:
		b.WriteString(fieldNames[n.Op])
	}
	if len(n.Values) == 1 {
		b.WriteString(" = " + quote(n.Values[0]))
		return
	}
	quoted := make([]string, len(n.Values))
	for i, value := range n.Values {
		quoted[i] = quote(value)
	}
	b.WriteString(" in (" + strings.Join(quoted, ", ") + ")")
}

// sortedValues sorts values and drops repetitions.
func sortedValues(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}
