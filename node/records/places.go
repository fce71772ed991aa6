package records

import (
	"context"
	"slices"
	"sort"

	"almenara/cluster/agreed"
	"almenara/node/known"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/coded"
)

const degreeUnit = 1e7 // units of audience.Point per degree

func Degrees(p *geometry.Point) (lat, lon *float64) {
	if p == nil {
		return nil, nil
	}
	la, lo := float64(p.Lat)/degreeUnit, float64(p.Lon)/degreeUnit
	return &la, &lo
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
		return out, coded.New("lat-lon-apart", "lat and lon belong together")
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
	if err := out.Validate(); err != nil {
		return out, err
	}
	return out, drawn(out.Shape)
}

// mostCorners is how many corners one ring of an outline has: what one entry of the log takes.
const mostCorners = 8000

// drawn says why an outline cannot be kept, or would cost too much to be held against each alert.
func drawn(outline []geometry.Polygon) error {
	for i, ring := range outline {
		if len(ring) > mostCorners {
			return coded.Errorf("outline-corners", "outline %d has %d points, at most %d are allowed", i+1, len(ring), mostCorners)
		}
	}
	if geometry.Tangled(outline) {
		return coded.New("outline-tangled", "the outline has hundreds of edges that lie across each other; draw the border alone")
	}
	return nil
}

// ListPlaces implements service.Places: also blocks that nobody has named yet, for whoever warns one of them.
func (p *Places) ListPlaces(context.Context) ([]wire.Place, error) {
	index := p.state.Index()
	var out []wire.Place
	for _, path := range slices.Sorted(slices.Values(known.Paths(index, audience.BlockDepth))) {
		is, described := index.Place(path)
		if !described {
			is.Path = path
		}
		out = append(out, WritePlace(is))
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
type Places struct{ state *agreed.Reader }

// NewPlaces makes one.
func NewPlaces(state *agreed.Reader) *Places { return &Places{state} }
