package records

import (
	"context"
	"fmt"
	"sort"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
)

const degreeUnit = 1e7 // units of audience.Point per degree

func Degrees(p *geometry.Point) (lat, lon *float64) {
	if p == nil {
		return nil, nil
	}
	la, lo := float64(p.Lat)/degreeUnit, float64(p.Lon)/degreeUnit
	return &la, &lo
}

// PutPlaces implements service.Places.
func (p *Places) PutPlaces(ctx context.Context, by authority.Caller, places []wire.Place) error {
	var in []audience.Place
	for _, p := range places {
		place, err := ReadPlace(p)
		if err != nil {
			return wire.Problemf(wire.KindRefused, "place %q: %v; nothing was changed", p.Path, err).Because(why.PlaceUnfit, p.Path, err)
		}
		if err := inplaces.Hold(by, authority.ChangeAudience, p.Path, string(place.Path)); err != nil {
			return err
		}
		in = append(in, place)
	}
	for _, some := range groupPlaces(in) {
		if _, err := p.proposer.Change(ctx, by.Name, &command.PutPlaces{Places: some}); err != nil {
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

// ReadPlace reads a body as a place; its error is a sentence on why it cannot be kept.
func ReadPlace(p wire.Place) (audience.Place, error) {
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
		at, err := geometry.NewPoint(*p.Lat, *p.Lon)
		if err != nil {
			return out, err
		}
		out.Location = &at
	}
	for _, text := range p.Shape {
		polygon, err := geometry.ParsePolygon(text, audience.MaxShapePoints)
		if err != nil {
			return out, err
		}
		out.Shape = append(out.Shape, polygon)
	}
	return out, out.Validate()
}

// ListPlaces implements service.Places.
func (p *Places) ListPlaces(context.Context) ([]wire.Place, error) {
	var out []wire.Place
	for _, p := range p.state.Index().Places() {
		out = append(out, WritePlace(p))
	}
	return out, nil
}

// WritePlace is a place as a body.
func WritePlace(p audience.Place) wire.Place {
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
	w.Lat, w.Lon = Degrees(p.Location)
	for _, polygon := range p.Shape {
		w.Shape = append(w.Shape, polygon.CAP())
	}
	return w
}

// Places answers service.Places. Its methods may be called from any goroutine.
type Places struct {
	proposer *Proposer
	state    *agreed.Reader
}

// NewPlaces makes one.
func NewPlaces(p *Proposer, state *agreed.Reader) *Places { return &Places{proposer: p, state: state} }
