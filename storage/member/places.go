package member

import (
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
