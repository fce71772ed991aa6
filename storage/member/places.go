package member

import (
	"crypto/sha256"
	"fmt"

	"almenara/storage"
	"almenara/storage/audience"
)

// PlaceRecord is a place as it is kept.
type PlaceRecord struct {
	Place   audience.Place `cbor:"1,keyasint"`
	Removed bool           `cbor:"2,keyasint,omitempty"`
}

// Places are the records of places; a removed one stays.
var Places = storage.Table[audience.Path, PlaceRecord]{
	Prefix: []byte("plc/"), Of: func(p PlaceRecord) audience.Path { return p.Place.Path }, Gone: func(p PlaceRecord) bool { return p.Removed },
}

// PlaceState is what tells a place from what it was before; nil where it was removed, or never was. It is
// over each field by name and the same for every software, because replicas compare it: a field that is added
// to places later is no part of it before a new version of commands says so.
func (p PlaceRecord) PlaceState() []byte {
	if p.Removed || p.Place.Path == "" {
		return nil
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %d %d %d\n", p.Place.Path, len(p.Place.Names), len(p.Place.Geocodes), len(p.Place.Shape))
	for _, name := range p.Place.Names {
		fmt.Fprintf(sum, "%q %q\n", name.Language, name.Text)
	}
	for _, code := range p.Place.Geocodes {
		fmt.Fprintf(sum, "%q %q\n", code.Name, code.Value)
	}
	if at := p.Place.Location; at != nil {
		fmt.Fprintf(sum, "%d %d\n", at.Lat, at.Lon)
	}
	for _, polygon := range p.Place.Shape {
		fmt.Fprintf(sum, "%d:", len(polygon))
		for _, corner := range polygon {
			fmt.Fprintf(sum, " %d %d", corner.Lat, corner.Lon)
		}
	}
	return sum.Sum(nil)[:PlaceStateBytes]
}

// PlaceStateBytes is how long a PlaceState is.
const PlaceStateBytes = 16
