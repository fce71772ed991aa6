package demo

import (
	"errors"
	"fmt"

	"almenara/node/wire"
	"almenara/storage/audience/geometry"
)

// district is the place path of the made-up district.
const district = "harbour-view"

// estate is a made-up estate and how it is built.
type estate struct {
	slug, name, nameZH string
	blocks             []string
	outside            bool // lies outside of every alert's area: nobody there may be warned
}

// estates are laid inside the area of the message, but for the last one.
var estates = []estate{
	{slug: "sunrise-estate", name: "Sunrise Estate", nameZH: "朝暉邨", blocks: []string{"block-1", "block-2", "block-3", "block-4"}},
	{slug: "harbour-court", name: "Harbour Court", nameZH: "海港苑", blocks: []string{"tower-a", "tower-b", "tower-c"}},
	{slug: "hillside-school", name: "Hillside School", nameZH: "山景學校", blocks: []string{"main-building"}},
	{slug: "lakeside-estate", name: "Lakeside Estate", nameZH: "湖畔邨", blocks: []string{"block-1"}, outside: true},
}

// mix is what hangs in a block, in the order in which it is bought: two lift
// screens, a lobby speaker, and the phones of people who live or work there.
var mix = []struct{ kind, where string }{
	{"screen", "lift-a"}, {"phone", ""}, {"screen", "lift-b"}, {"speaker", "lobby"}, {"phone", ""},
	{"screen", "lobby"}, {"phone", ""},
}

// fixture is one device of the town.
type fixture struct {
	enrol   wire.Enrol
	outside bool
}

// town is the made-up district, laid where a message applies.
type town struct {
	places   []wire.Place
	fixtures []fixture
}

// errNowhere: no place could be found inside or outside of the area.
var errNowhere = errors.New("the message's area leaves no room for a district")

// layTown builds the district of n devices inside the area of the targets.
func layTown(n int, aims []aim) (*town, error) {
	t := &town{places: []wire.Place{{Path: district, Names: map[string]string{"en": "Harbour View (made up)", "zh-HK": "海景區（虛構）"}}}}
	var blocks []fixture // one for each block, to deal devices to
	for i, e := range estates {
		if err := t.settle(e, aims, i); err != nil {
			return nil, err
		}
		for _, b := range e.blocks {
			blocks = append(blocks, fixture{enrol: wire.Enrol{Place: district + "/" + e.slug + "/" + b}, outside: e.outside})
		}
	}
	for i := range n {
		t.fixtures = append(t.fixtures, deal(i, blocks[i%len(blocks)], i/len(blocks)))
	}
	return t, nil
}

// deal gives the i-th device a place in its block; round is how many the block has.
func deal(i int, block fixture, round int) fixture {
	m := mix[round%len(mix)]
	place := block.enrol.Place
	if m.where != "" {
		place += "/" + m.where
	}
	return fixture{
		enrol:   wire.Enrol{ID: fmt.Sprintf("%s-%04d", m.kind, i+1), Kind: m.kind, Place: place},
		outside: block.outside,
	}
}

// settle puts an estate and its blocks on the map.
func (t *town) settle(e estate, aims []aim, i int) error {
	at := aims[i%len(aims)]
	path := district + "/" + e.slug
	estatePlace := wire.Place{Path: path, Names: map[string]string{"en": e.name, "zh-HK": e.nameZH}}
	if !e.outside {
		for _, g := range at.target.Geocodes {
			estatePlace.Geocodes = append(estatePlace.Geocodes, wire.Geocode{ValueName: g.Name, Value: g.Value})
		}
	}
	t.places = append(t.places, estatePlace)
	spots, err := spotsFor(e, aims, at)
	if err != nil {
		return err
	}
	for b, slug := range e.blocks {
		p := wire.Place{Path: path + "/" + slug}
		if len(spots) > 0 {
			lat, lon := degrees(spots[b%len(spots)])
			p.Lat, p.Lon = &lat, &lon
		}
		t.places = append(t.places, p)
	}
	return nil
}

// spotsFor finds positions for an estate's blocks; none where the area has no shape.
func spotsFor(e estate, aims []aim, at aim) ([]geometry.Point, error) {
	var shapes []geometry.Polygon
	for _, a := range aims {
		shapes = append(shapes, a.target.Shapes...)
	}
	switch {
	case len(shapes) == 0:
		return nil, nil
	case e.outside:
		return outside(shapes)
	case len(at.target.Shapes) == 0:
		return nil, nil
	}
	return inside(at.target.Shapes, len(e.blocks))
}

func degrees(p geometry.Point) (lat, lon float64) { return float64(p.Lat) / 1e7, float64(p.Lon) / 1e7 }
