package lookup

import (
	"maps"
	"slices"
	"strings"

	"almenara/storage/audience"
)

// Members that came in before imports brought what selections compare to one form keep
// their spelling until they are imported again: full width, zero-width spaces, accents
// apart. Targets are compared byte by byte, so that every node resolves them alike. So a
// selection that somebody types is written out with the spellings that there are.

// spellingOf is the form of a dimension that typed selections have. Kinds and languages
// always had one.
func spellingOf(k dimKey) dimKey {
	if k.what == dimHas || k.what == dimTag {
		k.name, k.value = strings.ToLower(audience.NormalKey(k.name)), audience.NormalKey(k.value)
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
func (x *Index) WithSpellings(s audience.Selection) audience.Selection {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.profiles.odd) == 0 {
		return s
	}
	return s.WithTerms(x.profiles.spelled)
}

// spelled is a term with the spellings of its values, and other terms for those of the
// tag's name.
func (p *profiles) spelled(n audience.Node) []audience.Node {
	if n.Op != audience.OpTag && n.Op != audience.OpHas {
		return []audience.Node{n}
	}
	byName := map[string][]string{n.Tag: slices.Clone(n.Values)}
	add := func(form dimKey) {
		for _, k := range p.odd[form] {
			byName[k.name] = append(byName[k.name], k.value)
		}
	}
	if n.Op == audience.OpHas {
		add(dimKey{what: dimHas, name: n.Tag})
	}
	for _, value := range n.Values {
		add(dimKey{dimTag, n.Tag, value})
	}
	var terms []audience.Node
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		term := audience.Node{Op: n.Op, Tag: name}
		if n.Op != audience.OpHas {
			term.Values = byName[name]
			slices.Sort(term.Values)
			term.Values = slices.Compact(term.Values)
		}
		terms = append(terms, term)
	}
	return terms
}
