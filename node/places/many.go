package places

import (
	"cmp"
	"context"
	"slices"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/records"
	"almenara/node/records/held"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

// PutPlaces implements service.PlaceTree. All that is said of a place is replaced; its codes are held against the
// others as those of a single change are.
func (p *Places) PutPlaces(ctx context.Context, by authority.Caller, places []wire.Place, sharedCodes bool) error {
	var in []audience.Place
	for _, p := range places {
		place, err := records.ReadPlace(p)
		if err != nil {
			return wire.Problemf(wire.KindRefused, "place %q: %v; nothing was changed", p.Path, err).Because(why.PlaceUnfit, p.Path, err)
		}
		if err := inplaces.Hold(by, authority.ChangeAudience, p.Path, string(place.Path)); err != nil {
			return err
		}
		in = append(in, place)
	}
	if inplaces.Holds(by, authority.ChangeAudience) { // or requests beside each other would not count each other
		p.one.Lock()
		defer p.one.Unlock()
	}
	if err := cmp.Or(held.PlacesFit(by, p.o.State.Index(), in), p.outlinesFit(in...)); err != nil {
		return err
	}
	if p.codesChange(in) {
		if err := p.o.Proposer.AwaitAgreed(ctx); err != nil { // or what was changed elsewhere would be told too late
			return err
		}
		if err := p.checkAllCodes(by, in, sharedCodes); err != nil {
			return err
		}
	}
	for _, some := range groupPlaces(in) {
		if _, err := p.o.Proposer.Change(ctx, by.Name, &command.PutPlaces{Places: some}); err != nil {
			return err
		}
	}
	return nil
}

// codesChange reports whether a place has other codes than it had.
func (p *Places) codesChange(in []audience.Place) bool {
	return slices.ContainsFunc(in, func(becomes audience.Place) bool {
		is, _ := p.o.State.Index().Place(becomes.Path)
		return !slices.Equal(is.Geocodes, becomes.Geocodes)
	})
}

// checkAllCodes is checkCodes for places that are put together.
func (p *Places) checkAllCodes(by authority.Caller, in []audience.Place, shared bool) error {
	paths := make(map[audience.Path]bool, len(in))
	for _, becomes := range in {
		paths[becomes.Path] = true
	}
	codes := p.codesBut(paths)
	for _, becomes := range in { // what one of them had before counts before what another one is given
		is, _ := p.o.State.Index().Place(becomes.Path)
		codes.add(becomes.Path, common(becomes.Geocodes, is.Geocodes))
	}
	var taken []alert.Named
	from := map[string]audience.Path{}
	for _, becomes := range in {
		is, _ := p.o.State.Index().Place(becomes.Path)
		if err := codes.check(by, is, becomes, shared); err != nil {
			return err
		}
		codes.add(becomes.Path, becomes.Geocodes)
		for _, code := range is.Geocodes {
			if !slices.Contains(becomes.Geocodes, code) {
				taken, from[codeText(code)] = append(taken, code), is.Path
			}
		}
	}
	return p.notCited(func(code string) audience.Path { return from[code] }, taken)
}

func common(a, b []alert.Named) []alert.Named {
	return slices.DeleteFunc(slices.Clone(a), func(code alert.Named) bool { return !slices.Contains(b, code) })
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
