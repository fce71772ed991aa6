// Package members answers who is in a set of members: how many of which kind and in which
// block, and a page of them. It reads this node's copy of what was agreed, without a
// majority.
//
//	selection ─> lookup.Index ─> set of members ─> Counts, and a page of Members
//
// It changes nothing and knows no alerts. It never imports cluster, channels, api or another
// part of node but known, records, for the units of positions, and wire.
package members

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/known"
	"almenara/node/records"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/member"
)

// PlaceDepth is how deep counts go in the place tree: district/estate/block.
const PlaceDepth = 3

const (
	pageMost  = 1000 // members, devices or receipts of one answer
	pageUsual = 20
)

// PageSize is how many members, devices, alerts or receipts an answer holds for which so many
// were asked for; 0 and less are 20, and no answer holds more than 1,000.
func PageSize(limit int) int {
	if limit <= 0 {
		return pageUsual
	}
	return min(limit, pageMost)
}

// Members answers for the members of this node's district. Its methods may be called from
// any goroutine.
type Members struct {
	index func() *lookup.Index
	store *storage.Store
}

// New makes Members over the index of the audience, which is another one when all of the
// state was replaced, and the records in the store.
func New(index func() *lookup.Index, store *storage.Store) *Members {
	return &Members{index: index, store: store}
}

// Select counts who is selected by an expression and lists a page of them by ordinal, after
// the member with the id after; limit 0 lists none. It is part of api.Audience.
func (d *Members) Select(_ context.Context, expression, after string, limit int) (wire.Selected, error) {
	s, err := audience.Parse(expression)
	if err != nil {
		return wire.Selected{}, wire.Problemf(wire.KindMalformed, "the selection cannot be read: %v", err).Because(why.SelectionWrong, err)
	}
	s = d.index().WithSpellings(s)
	found, err := d.index().Select(s)
	if err != nil {
		return wire.Selected{}, wire.Problemf(wire.KindMalformed, "the selection cannot be answered: %v", err).Because(why.SelectionWrong, err)
	}
	out := wire.Selected{Expression: s.String(), Counts: d.Counts(found)}
	if found.IsEmpty() {
		out.Warnings = known.Nobody(d.index(), s)
	}
	if limit == 0 {
		return out, nil
	}
	out.Members, out.Next, err = d.page(found, after, PageSize(limit))
	return out, err
}

// Of are the members of a selection.
func (d *Members) Of(selection audience.Selection) (*roaring.Bitmap, error) {
	return d.index().Select(selection)
}

// Counts says how many members a set has, by kind and by block; who was removed since it was
// made is in no line.
func (d *Members) Counts(set *roaring.Bitmap) wire.Counts {
	c, all := d.index().Count(set, PlaceDepth), set.GetCardinality()
	return wire.Counts{Total: all, Removed: all - c.Total, ByKind: countLines(c.ByKind), ByPlace: countLines(c.ByPlace)}
}

func countLines(in []lookup.Count) []wire.Count {
	out := make([]wire.Count, len(in))
	for i, c := range in {
		out[i] = wire.Count{Name: c.Name, Count: c.N}
	}
	return out
}

// page reads one page of a set, by ordinal; after is the id of the last member of the page
// before.
func (d *Members) page(set *roaring.Bitmap, after string, limit int) (out []wire.Member, next string, err error) {
	it := set.Iterator()
	if after != "" {
		last, ok := d.index().Ordinal(after)
		if !ok {
			return nil, "", wire.Problemf(wire.KindNotFound, "no member %s to go on after", after).Because(why.PageGone)
		}
		it.AdvanceIfNeeded(last + 1)
	}
	err = d.store.View(func(t *storage.Txn) error {
		for len(out) < limit && it.HasNext() {
			m, ok, err := At(t, it.Next())
			if err != nil {
				return err
			}
			if ok {
				out = append(out, wireMember(m))
			}
		}
		return nil
	})
	if len(out) > 0 && it.HasNext() {
		next = out[len(out)-1].ID
	}
	return out, next, err
}

// At reads the live member with an ordinal; false where it was removed or never was.
func At(t *storage.Txn, ordinal uint32) (audience.Member, bool, error) {
	id, err := member.ID(t, ordinal)
	if err != nil || id == "" {
		return audience.Member{}, false, err
	}
	rec, ok, err := member.Get(t, id)
	return rec.Member, ok && !rec.Removed, err
}

func wireMember(m audience.Member) wire.Member {
	out := wire.Member{ID: m.ID, Name: m.Name, Kind: string(m.Kind), Place: string(m.Place), Languages: m.Languages}
	for _, t := range m.Tags {
		if out.Tags == nil {
			out.Tags = map[string]string{}
		}
		if old, ok := out.Tags[t.Name]; ok {
			t.Value = old + ", " + t.Value
		}
		out.Tags[t.Name] = t.Value
	}
	for _, e := range m.Endpoints {
		out.Endpoints = append(out.Endpoints, e.Channel+":"+e.Address)
	}
	out.Lat, out.Lon = records.Degrees(m.Location)
	return out
}
