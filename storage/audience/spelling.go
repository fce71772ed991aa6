package audience

import (
	"slices"
	"strings"
)

// Members that came in before imports brought what selections compare to one form keep
// their spelling until they are imported again: full width, zero-width spaces, accents
// apart. Targets are compared byte by byte, so that every node resolves them alike. So a
// selection that somebody types is written out with the spellings that there are.

// spellingOf is the form of a dimension that typed selections have. Kinds and languages
// always had one.
func spellingOf(k dimKey) dimKey {
	if k.what == dimHas || k.what == dimTag {
		k.name, k.value = strings.ToLower(normalKey(k.name)), normalKey(k.value)
	}
	return k
}

// spell notes a new dimension whose spelling is another than its form; forget undoes it.
func (p *profiles) spell(k dimKey) {
	if form := spellingOf(k); form != k {
		p.odd[form] = append(p.odd[form], k)
	}
}

func (p *profiles) forget(k dimKey) {
	form := spellingOf(k)
	if form == k {
		return
	}
	if p.odd[form] = slices.DeleteFunc(p.odd[form], func(o dimKey) bool { return o == k }); len(p.odd[form]) == 0 {
		delete(p.odd, form)
	}
}

// WithSpellings is the selection that means the same members and also those whose tags have
// the same form in another spelling. It is s itself where there are none, and where it
// would be longer than MaxSelectionBytes: nobody is left out then whom s selects.
func (x *Index) WithSpellings(s Selection) Selection {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.profiles.odd) == 0 || s.IsZero() {
		return s
	}
	out := Selection{x.spelled(s.root)}
	if read, err := parseCanonical(out.String()); err != nil || !read.Equal(out) {
		return s
	}
	return out
}

func (x *Index) spelled(n node) node {
	switch n.op {
	case opAnd, opOr:
		kids := make([]node, len(n.kids))
		for i, kid := range n.kids {
			kids[i] = x.spelled(kid)
		}
		return combine(n.op, kids)
	case opNot:
		return negate(x.spelled(n.kids[0]))
	case opTag, opHas:
		return x.spelledTerm(n)
	}
	return n
}

// spelledTerm is a term with the spellings of its values, or with other terms for those of
// the tag's name.
func (x *Index) spelledTerm(n node) node {
	byName := map[string][]string{n.tag: slices.Clone(n.values)}
	add := func(form dimKey) {
		for _, k := range x.profiles.odd[form] {
			byName[k.name] = append(byName[k.name], k.value)
		}
	}
	if n.op == opHas {
		add(dimKey{what: dimHas, name: n.tag})
	}
	for _, value := range n.values {
		add(dimKey{dimTag, n.tag, value})
	}
	var terms []node
	for name, values := range byName {
		term := node{op: n.op, tag: name}
		if n.op != opHas {
			term.values = sortedValues(values)
		}
		terms = append(terms, term)
	}
	slices.SortFunc(terms, func(a, b node) int { return strings.Compare(a.tag, b.tag) })
	return combine(opOr, terms)
}
