package read

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/members"
	"almenara/node/wire"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// groupTable counts rungs by block and kind.
type groupTable struct {
	index *lookup.Index
	known *roaring.Bitmap // all members
	kinds map[string]*roaring.Bitmap
	lines map[groupKey]*wire.Rungs
}

type groupKey struct{ place, kind string }

func newGroupTable(index *lookup.Index) *groupTable {
	return &groupTable{index: index, known: index.Ordinals(), kinds: map[string]*roaring.Bitmap{}, lines: map[groupKey]*wire.Rungs{}}
}

// add counts the members under the rung that field picks. Who was removed has a line without
// place and kind.
func (g *groupTable) add(set *roaring.Bitmap, field func(*wire.Rungs) *uint64) {
	if gone := set.GetCardinality() - set.AndCardinality(g.known); gone > 0 {
		*field(g.line(groupKey{})) = gone
	}
	for _, kind := range g.index.Count(set, 0).ByKind {
		some := roaring.And(set, g.ofKind(kind.Name))
		for _, place := range g.index.Count(some, members.PlaceDepth).ByPlace {
			*field(g.line(groupKey{place.Name, kind.Name})) = place.N
		}
	}
}

func (g *groupTable) line(key groupKey) *wire.Rungs {
	if g.lines[key] == nil {
		g.lines[key] = &wire.Rungs{}
	}
	return g.lines[key]
}

// ofKind is all members of a kind.
func (g *groupTable) ofKind(kind string) *roaring.Bitmap {
	if known, ok := g.kinds[kind]; ok {
		return known
	}
	all := roaring.New()
	if s, err := audience.Parse(`kind = "` + kind + `"`); err == nil {
		if found, err := g.index.Select(s); err == nil {
			all = found
		}
	}
	g.kinds[kind] = all
	return all
}

// rows lists the table by place, then kind.
func (g *groupTable) rows() []wire.GroupRow {
	rows := make([]wire.GroupRow, 0, len(g.lines))
	for key, rungs := range g.lines {
		rows = append(rows, wire.GroupRow{Place: key.place, Kind: key.kind, Rungs: *rungs})
	}
	slices.SortFunc(rows, func(a, b wire.GroupRow) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Kind, b.Kind))
	})
	return rows
}
