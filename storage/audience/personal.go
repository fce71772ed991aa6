package audience

import "slices"

// Personal reports whether the selection asks for what is known of people: a tag or a
// language. Ids, kinds and places are what everybody sees.
func (s Selection) Personal() bool { return s.root.any(OpTag, OpHas, OpLanguage) }

// NamesMembers reports whether the selection names members by their ids.
func (s Selection) NamesMembers() bool { return s.root.any(OpID) }

// any reports whether the node or one below it is one of the ops.
func (n Node) any(ops ...Op) bool {
	for _, o := range ops {
		if n.Op == o {
			return true
		}
	}
	for _, kid := range n.Kids {
		if kid.any(ops...) {
			return true
		}
	}
	return false
}

// Plain reports whether the selection is a conjunction in which no term can stand for one
// member: kinds, tags, languages, all, and everything below a block or a larger place. There is
// no not in it, and no or but between tags, which WithSpellings writes, and between such places.
// Whoever counts it by tags or languages counts no flat and adds nobody else to the count.
func (s Selection) Plain() bool {
	if s.root.Op == OpAnd {
		return !slices.ContainsFunc(s.root.Kids, func(kid Node) bool { return !kid.plain() })
	}
	return s.root.plain()
}

// plain is Plain for one part of a conjunction.
func (n Node) plain() bool {
	switch n.Op {
	case OpAll, OpKind, OpLanguage, OpTag, OpHas:
		return true
	case OpPlaceUnder:
		return !slices.ContainsFunc(n.Values, func(p string) bool { return Path(p).Depth() > BlockDepth })
	case OpOr:
		tags, places := true, true
		for _, kid := range n.Kids {
			tags = tags && (kid.Op == OpTag || kid.Op == OpHas)
			places = places && kid.Op == OpPlaceUnder && kid.plain()
		}
		return tags || places
	}
	return false
}

// Below reports whether the selection asks for places below the given ones, whatever else it
// asks for: then it selects nobody outside of them.
func (s Selection) Below(places ...string) bool {
	if s.root.Op == OpAnd {
		return slices.ContainsFunc(s.root.Kids, func(kid Node) bool { return kid.below(places) })
	}
	return s.root.below(places)
}

func (n Node) below(places []string) bool {
	switch n.Op {
	case OpPlaceUnder, OpPlace:
		return !slices.ContainsFunc(n.Values, func(p string) bool {
			return !slices.ContainsFunc(places, func(top string) bool { return Path(p).Under(Path(top)) })
		})
	case OpOr:
		return !slices.ContainsFunc(n.Kids, func(kid Node) bool { return !kid.below(places) })
	}
	return false
}
