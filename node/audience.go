package node

import (
	"context"
	"fmt"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/command"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

const (
	pageMost   = 1000 // members, devices or receipts of one answer
	pageUsual  = 20
	degreeUnit = 1e7 // units of audience.Point per degree
)

func pageSize(limit int) int {
	if limit <= 0 {
		return pageUsual
	}
	return min(limit, pageMost)
}

// Select implements api.Audience. It reads this node's copy and needs no quorum.
func (n *Node) Select(_ context.Context, expression, after string, limit int) (wire.Selected, error) {
	s, err := audience.Parse(expression)
	if err != nil {
		return wire.Selected{}, wire.Problemf(wire.KindMalformed, "the selection cannot be read: %v", err)
	}
	found, err := n.state.Index().Select(s)
	if err != nil {
		return wire.Selected{}, wire.Problemf(wire.KindMalformed, "the selection cannot be answered: %v", err)
	}
	out := wire.Selected{Expression: s.String(), Counts: n.counts(found)}
	if limit == 0 {
		return out, nil
	}
	out.Members, out.Next, err = n.members(found, after, pageSize(limit))
	return out, err
}

// members reads one page of a set, by ordinal; after is the id of the last member
// of the page before.
func (n *Node) members(set *roaring.Bitmap, after string, limit int) (out []wire.Member, next string, err error) {
	it := set.Iterator()
	if after != "" {
		last, ok := n.state.Index().Ordinal(after)
		if !ok {
			return nil, "", wire.Problemf(wire.KindNotFound, "no member %s to go on after", after)
		}
		it.AdvanceIfNeeded(last + 1)
	}
	err = n.store.View(func(t *storage.Txn) error {
		for len(out) < limit && it.HasNext() {
			m, ok, err := memberAt(t, it.Next())
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

// memberAt reads the live member with an ordinal.
func memberAt(t *storage.Txn, ordinal uint32) (audience.Member, bool, error) {
	id, err := t.MemberID(ordinal)
	if err != nil || id == "" {
		return audience.Member{}, false, err
	}
	rec, ok, err := t.Member(id)
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
	out.Lat, out.Lon = degrees(m.Location)
	return out
}

func degrees(p *audience.Point) (lat, lon *float64) {
	if p == nil {
		return nil, nil
	}
	la, lo := float64(p.Lat)/degreeUnit, float64(p.Lon)/degreeUnit
	return &la, &lo
}

// PutPlaces implements api.Places.
func (n *Node) PutPlaces(ctx context.Context, by api.Caller, places []wire.Place) error {
	var in []audience.Place
	for _, p := range places {
		place, err := readPlace(p)
		if err != nil {
			return wire.Problemf(wire.KindRefused, "place %q: %v; nothing was changed", p.Path, err)
		}
		in = append(in, place)
	}
	for _, some := range groupPlaces(in) {
		if _, err := n.change(ctx, by.Name, &command.PutPlaces{Places: some}); err != nil {
			return err
		}
	}
	return nil
}

// groupPlaces cuts places into entries of the log. One place always fits: its
// points, names and geocodes are bounded.
func groupPlaces(in []audience.Place) (out [][]audience.Place) {
	var group []audience.Place
	size := 0
	for _, p := range in {
		bytes := placeBytes(p)
		if len(group) > 0 && (size+bytes > command.SoftBytes || len(group) == command.MaxPlaces) {
			out, group, size = append(out, group), nil, 0
		}
		group, size = append(group, p), size+bytes
	}
	return append(out, group)
}

// placeBytes is at least what a place takes in an entry.
func placeBytes(p audience.Place) int {
	const pointBytes, around = 20, 64 // two numbers of 5 bytes with their names; names and framing
	n := around + len(p.Path)
	for _, t := range p.Names {
		n += len(t.Language) + len(t.Text) + around
	}
	for _, g := range p.Geocodes {
		n += len(g.Name) + len(g.Value) + around
	}
	for _, polygon := range p.Shape {
		n += len(polygon)*pointBytes + around
	}
	return n
}

func readPlace(p wire.Place) (audience.Place, error) {
	path, err := audience.ParsePath(p.Path)
	if err != nil {
		return audience.Place{}, err
	}
	out := audience.Place{Path: path}
	for language, name := range p.Names {
		out.Names = append(out.Names, audience.Text{Language: language, Text: name})
	}
	sort.Slice(out.Names, func(i, j int) bool { return out.Names[i].Language < out.Names[j].Language })
	for _, g := range p.Geocodes {
		out.Geocodes = append(out.Geocodes, alert.Named{Name: g.ValueName, Value: g.Value})
	}
	if (p.Lat == nil) != (p.Lon == nil) {
		return out, fmt.Errorf("lat and lon belong together")
	}
	if p.Lat != nil {
		at, err := audience.NewPoint(*p.Lat, *p.Lon)
		if err != nil {
			return out, err
		}
		out.Location = &at
	}
	for _, text := range p.Shape {
		polygon, err := audience.ParsePolygon(text)
		if err != nil {
			return out, err
		}
		out.Shape = append(out.Shape, polygon)
	}
	return out, out.Validate()
}

// ListPlaces implements api.Places.
func (n *Node) ListPlaces(context.Context) ([]wire.Place, error) {
	var out []wire.Place
	for _, p := range n.state.Index().Places() {
		w := wire.Place{Path: string(p.Path)}
		for _, name := range p.Names {
			if w.Names == nil {
				w.Names = map[string]string{}
			}
			w.Names[name.Language] = name.Text
		}
		for _, g := range p.Geocodes {
			w.Geocodes = append(w.Geocodes, wire.Geocode{ValueName: g.Name, Value: g.Value})
		}
		w.Lat, w.Lon = degrees(p.Location)
		for _, polygon := range p.Shape {
			w.Shape = append(w.Shape, polygon.CAP())
		}
		out = append(out, w)
	}
	return out, nil
}
