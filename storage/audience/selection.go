package audience

import (
	"slices"
	"strings"
)

// Selection is a parsed selection: who is meant, in terms of places, kinds,
// languages and tags. The zero value selects nobody and is not an expression.
// A Selection is immutable and may be shared.
type Selection struct{ root node }

// op is what a node of the tree does.
type op uint8

const (
	opNone op = iota // the zero Selection
	opAnd
	opOr
	opNot
	opAll
	opPlaceUnder
	opPlace
	opKind
	opLanguage
	opID
	opHas
	opTag
)

// node is one node of the syntax tree. And and Or have two or more kids, none of
// their own op; Not has one, never a Not; the rest are terms.
type node struct {
	op     op
	kids   []node
	tag    string   // opTag, opHas: the tag's name
	values []string // terms: any of them matches; sorted, without repetition
}

// fieldNames are the names that terms other than tags begin with.
var fieldNames = map[op]string{
	opPlaceUnder: "place under", opPlace: "place", opKind: "kind", opLanguage: "language", opID: "id",
}

// IsZero reports the zero Selection: no expression at all.
func (s Selection) IsZero() bool { return s.root.op == opNone }

// Equal reports whether both have the same canonical form.
func (s Selection) Equal(o Selection) bool { return s.String() == o.String() }

// String is the canonical form: Parse reads it back as an equal Selection. It is
// empty for the zero Selection.
func (s Selection) String() string {
	var b strings.Builder
	s.root.write(&b)
	return b.String()
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
	return Selection{combine(opAnd, []node{s.root, o.root})}
}

// Within is And that does not grow: where s asks for o already, it is s.
func (s Selection) Within(o Selection) Selection {
	asked := s.root.kids
	if s.root.op != opAnd {
		asked = []node{s.root}
	}
	if !o.IsZero() && slices.ContainsFunc(asked, func(kid node) bool { return Selection{kid}.Equal(o) }) {
		return s
	}
	return s.And(o)
}

// combine joins nodes under And or Or, taking in kids of the same op.
func combine(o op, parts []node) node {
	if len(parts) == 1 {
		return parts[0]
	}
	joined := node{op: o}
	for _, part := range parts {
		kids := []node{part}
		if part.op == o {
			kids = part.kids
		}
		for _, kid := range kids {
			if o == opOr && kid.op == opPlaceUnder && joined.hasPlace(kid.values[0]) { // of eitherPlace, which would grow
				continue
			}
			joined.kids = append(joined.kids, kid)
		}
	}
	if len(joined.kids) == 1 {
		return joined.kids[0]
	}
	return joined
}

// hasPlace reports whether one of the kids is the place.
func (n node) hasPlace(path string) bool {
	return slices.ContainsFunc(n.kids, func(kid node) bool { return kid.op == opPlaceUnder && kid.values[0] == path })
}

// negate is the opposite of n; two negations cancel out.
func negate(n node) node {
	if n.op == opNot {
		return n.kids[0]
	}
	return node{op: opNot, kids: []node{n}}
}

// write appends the canonical form.
func (n node) write(b *strings.Builder) {
	switch n.op {
	case opNone:
	case opAnd:
		n.writeKids(b, " and ", opOr)
	case opOr:
		n.writeKids(b, " or ", opNone)
	case opNot:
		b.WriteString("not ")
		n.kids[0].writeIn(b, n.kids[0].op == opAnd || n.kids[0].op == opOr)
	default:
		n.writeTerm(b)
	}
}

// writeKids joins the kids, with parentheses around those of op wrapped.
func (n node) writeKids(b *strings.Builder, word string, wrapped op) {
	for i, kid := range n.kids {
		if i > 0 {
			b.WriteString(word)
		}
		kid.writeIn(b, kid.op == wrapped)
	}
}

func (n node) writeIn(b *strings.Builder, parentheses bool) {
	if !parentheses {
		n.write(b)
		return
	}
	b.WriteByte('(')
	n.write(b)
	b.WriteByte(')')
}

func (n node) writeTerm(b *strings.Builder) {
	switch n.op {
	case opAll:
		b.WriteString("all")
		return
	case opHas:
		b.WriteString("has " + n.tag)
		return
	case opPlaceUnder:
		b.WriteString("place under " + quote(n.values[0]))
		return
	case opTag:
		b.WriteString(n.tag)
	default:
		b.WriteString(fieldNames[n.op])
	}
	if len(n.values) == 1 {
		b.WriteString(" = " + quote(n.values[0]))
		return
	}
	quoted := make([]string, len(n.values))
	for i, value := range n.values {
		quoted[i] = quote(value)
	}
	b.WriteString(" in (" + strings.Join(quoted, ", ") + ")")
}

// sortedValues sorts values and drops repetitions.
func sortedValues(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}
