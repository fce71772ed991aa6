package afteraction

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/members"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/member"
)

// The most that the lists have.
const (
	slowestMost = 10
	darkMost    = 100
)

// byGroup adds when each kind was reached, in all and by block.
func (r *Reporter) byGroup(out *wire.Report, t *told) {
	index := r.o.Audience()
	out.Kinds, out.Groups = []wire.ReportKind{}, []wire.ReportGroup{}
	kinds := map[string]*roaring.Bitmap{}
	for _, kind := range index.Count(t.everybody, 0).ByKind {
		kinds[kind.Name] = roaring.And(t.everybody, ofKind(index, kind.Name))
		reached, curve := spread(kinds[kind.Name], t.first)
		out.Kinds = append(out.Kinds, wire.ReportKind{Kind: kind.Name, Reached: reached, Curve: curve})
	}
	for _, block := range index.Groups(members.PlaceDepth) {
		block.And(t.everybody)
		counts := index.Count(block, members.PlaceDepth)
		for _, kind := range counts.ByKind {
			reached, _ := spread(roaring.And(block, kinds[kind.Name]), t.first)
			out.Groups = append(out.Groups, wire.ReportGroup{Place: counts.ByPlace[0].Name, Kind: kind.Name, Reached: reached})
		}
	}
	if gone := roaring.AndNot(t.everybody, index.Ordinals()); !gone.IsEmpty() {
		reached, _ := spread(gone, t.first)
		out.Groups = append(out.Groups, wire.ReportGroup{Reached: reached})
	}
}

func ofKind(index *lookup.Index, kind string) *roaring.Bitmap {
	s, err := audience.Parse(`kind = "` + kind + `"`)
	if err != nil {
		return roaring.New()
	}
	found, err := index.Select(s)
	if err != nil {
		return roaring.New()
	}
	return found
}

// lists adds who was slowest, and who told nothing, of those in some places; of no places, of all. Only those who are
// listed are read.
func (r *Reporter) lists(out *wire.Report, t *told, in []string) error {
	unheard, slow := t.dark(), make([]uint32, 0, len(t.first))
	listed := roaring.New()
	for _, place := range in {
		listed.Or(r.o.Audience().Under(audience.Path(place)))
	}
	for m := range t.first {
		if len(in) == 0 || listed.Contains(m) {
			slow = append(slow, m)
		}
	}
	if len(in) > 0 {
		unheard.And(listed)
	}
	slices.SortFunc(slow, func(a, b uint32) int { return cmp.Or(t.first[b].at.Compare(t.first[a].at), cmp.Compare(a, b)) })
	dark := r.byPlace(unheard)
	return r.o.Store.View(func(txn *storage.Txn) error {
		for _, m := range slow[:min(len(slow), slowestMost)] {
			row, err := rowOf(txn, m)
			if err != nil {
				return err
			}
			row.At = t.first[m].at
			out.Slowest = append(out.Slowest, row)
		}
		for _, m := range dark {
			row, err := rowOf(txn, m)
			if err != nil {
				return err
			}
			out.Dark = append(out.Dark, row)
		}
		slices.SortStableFunc(out.Dark, func(a, b wire.ReportRow) int { return strings.Compare(a.Place, b.Place) })
		return nil
	})
}

// byPlace are the first of a set, block by block; who was removed comes last.
func (r *Reporter) byPlace(set *roaring.Bitmap) (out []uint32) {
	index := r.o.Audience()
	for _, block := range append(index.Groups(members.PlaceDepth), roaring.AndNot(set, index.Ordinals())) {
		block.And(set)
		for it := block.Iterator(); it.HasNext() && len(out) < darkMost; {
			out = append(out, it.Next())
		}
	}
	return out
}

func rowOf(t *storage.Txn, ordinal uint32) (wire.ReportRow, error) {
	who, ok, err := members.At(t, ordinal)
	if err == nil && !ok { // removed since; it was addressed all the same
		who.ID, err = member.ID(t, ordinal)
	}
	if err != nil {
		return wire.ReportRow{}, fmt.Errorf("reading member %d: %w", ordinal, err)
	}
	return wire.ReportRow{Member: who.ID, Kind: string(who.Kind), Place: string(who.Place)}, nil
}
