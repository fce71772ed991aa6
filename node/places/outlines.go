package places

import (
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/coded"
)

// How many points outlines have together: every node has them in memory, and holds each against the areas of each alert.
// An official outline of a district of the city has 2,200, one of a block some dozens. What is for one estate is no more
// than whoever manages it alone may have everybody else bear.
const (
	mostInEstate   = 20_000
	mostInDistrict = 1_000_000
)

// outlinesFit refuses outlines of which there would be too many points, in an estate or in all.
func (p *Places) outlinesFit(in ...audience.Place) error {
	becomes, more := map[audience.Path]int{}, 0
	for _, place := range in {
		points := geometry.CountPoints(place.Shape)
		becomes[place.Path], more = points, more+points
	}
	if more == 0 {
		return nil
	}
	all, of := 0, map[audience.Path]int{}
	for _, is := range p.o.State.Index().Places() {
		if _, replaced := becomes[is.Path]; !replaced {
			points := geometry.CountPoints(is.Shape)
			all, of[is.Path.Cut(audience.EstateDepth)] = all+points, of[is.Path.Cut(audience.EstateDepth)]+points
		}
	}
	for path, points := range becomes {
		estate := path.Cut(audience.EstateDepth)
		all, of[estate] = all+points, of[estate]+points
		if points > 0 && of[estate] > mostInEstate {
			return unfitOutline(path, coded.Errorf("outlines-estate", "the outlines of %s and what is in it have more than %d points together; draw them with fewer", estate, mostInEstate))
		}
		if points > 0 && all > mostInDistrict {
			return unfitOutline(path, coded.Errorf("outlines-district", "the outlines of the district have more than %d points together; draw them with fewer", mostInDistrict))
		}
	}
	return nil
}

func unfitOutline(path audience.Path, err error) error {
	return wire.Problemf(wire.KindRefused, "place %q: %v; nothing was changed", path, err).Because(why.PlaceUnfit, string(path), err)
}
