package geometry

import (
	"encoding/binary"

	"almenara/storage/coded"
)

// Pack writes a polygon as the differences between its points, in varints: about
// six bytes a point in place of twenty.
func Pack(p Polygon) []byte {
	out := make([]byte, 0, 6*len(p))
	var before Point
	for _, at := range p {
		out = binary.AppendVarint(out, int64(at.Lat)-int64(before.Lat))
		out = binary.AppendVarint(out, int64(at.Lon)-int64(before.Lon))
		before = at
	}
	return out
}

// Unpack reads what Pack wrote. It never panics on foreign bytes.
func Unpack(packed []byte) (Polygon, error) {
	var out Polygon
	var lat, lon int64
	for len(packed) > 0 {
		for _, value := range []*int64{&lat, &lon} {
			step, n := binary.Varint(packed)
			if n <= 0 {
				return nil, coded.New("outline-cut", "an outline is cut off")
			}
			*value, packed = *value+step, packed[n:]
		}
		if int64(int32(lat)) != lat || int64(int32(lon)) != lon {
			return nil, coded.New("outline-globe", "an outline leaves the globe")
		}
		out = append(out, Point{Lat: int32(lat), Lon: int32(lon)})
	}
	return out, nil
}
