package known

import (
	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/wire/why"
	"almenara/storage/audience"
)

// Index is whom selections mean; *lookup.Index is one.
type Index interface {
	Tree
	Select(audience.Selection) (*roaring.Bitmap, error)
}

// mostNamed is how many terms of a selection are named that select nobody: one is usually wrong.
const mostNamed = 5

// Nobody says of a selection that selects nobody which of its terms nobody fits: a place that the district does not
// have, as SelectsNobody says it, or a kind, a tag, a language or an id that no member has.
func Nobody(in Index, s audience.Selection) (out why.Sentences) {
	all, err := audience.Parse("all")
	if err != nil {
		return nil // it can always be read
	}
	for _, term := range termsIn(s.Root()) {
		if len(out) == mostNamed {
			break
		}
		one := all.WithTerms(func(audience.Node) []audience.Node { return []audience.Node{term} })
		if found, err := in.Select(one); err != nil || !found.IsEmpty() {
			continue
		}
		if len(term.Values) == 1 && isPlace(term) && !Has(in, audience.Path(term.Values[0])) {
			out = append(out, noPlace(term.Values[0]))
			continue
		}
		out = append(out, why.Sayf("no member fits %s", one).Because(why.NobodyFits, one.String()))
	}
	return out
}

// noPlace says that a place is none of the district's.
func noPlace(place string) why.Sentence {
	return why.Sayf("%s is no place of the district: a place is its whole path, district first", place).Because(why.NoSuchPlace, place)
}

func isPlace(n audience.Node) bool { return n.Op == audience.OpPlace || n.Op == audience.OpPlaceUnder }

// termsIn are the terms of a selection with one value each; "all" is none.
func termsIn(n audience.Node) (out []audience.Node) {
	switch n.Op {
	case audience.OpNone, audience.OpAll:
		return nil
	case audience.OpAnd, audience.OpOr, audience.OpNot:
		for _, kid := range n.Kids {
			out = append(out, termsIn(kid)...)
		}
		return out
	}
	if len(n.Values) == 0 { // has TAG
		return []audience.Node{n}
	}
	for _, value := range n.Values {
		one := n
		one.Values = []string{value}
		out = append(out, one)
	}
	return out
}
