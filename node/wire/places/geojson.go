package places

import (
	"encoding/json"
	"strconv"
	"strings"

	"almenara/storage/coded"
)

// mostCorners bounds what is read of one outline; what a place may have is decided elsewhere.
const mostCorners = 20_000

// Outlines reads a GeoJSON Polygon or MultiPolygon (RFC 7946), or features and collections of them, as CAP
// polygons. Whatever else is in it is passed over, but for holes: an outline has none.
func Outlines(raw []byte) (out []string, err error) {
	left := mostCorners
	if err := outlines(raw, 0, &left, &out); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, coded.New("geojson-none", "the GeoJSON holds no polygon")
	}
	return out, nil
}

// shape is what GeoJSON objects have of what is read.
type shape struct {
	Type        string            `json:"type"`
	Coordinates json.RawMessage   `json:"coordinates"`
	Geometry    json.RawMessage   `json:"geometry"`
	Geometries  []json.RawMessage `json:"geometries"`
	Features    []json.RawMessage `json:"features"`
}

// deepest is how deep collections may be in each other.
const deepest = 8

func outlines(raw []byte, depth int, left *int, out *[]string) error {
	var s shape
	if err := json.Unmarshal(raw, &s); err != nil {
		return coded.Errorf("geojson-wrong", "it is no GeoJSON: %w", err)
	}
	if depth > deepest {
		return coded.New("geojson-deep", "the GeoJSON is too deep")
	}
	switch s.Type {
	case "Polygon":
		return polygon(s.Coordinates, left, out)
	case "MultiPolygon":
		var all []json.RawMessage
		if err := json.Unmarshal(s.Coordinates, &all); err != nil {
			return coded.Errorf("geojson-multi", "the coordinates of a MultiPolygon: %w", err)
		}
		for _, one := range all {
			if err := polygon(one, left, out); err != nil {
				return err
			}
		}
		return nil
	case "Feature":
		if len(s.Geometry) == 0 || string(s.Geometry) == "null" {
			return nil
		}
		return outlines(s.Geometry, depth+1, left, out)
	case "FeatureCollection", "GeometryCollection":
		for _, one := range append(s.Features, s.Geometries...) {
			if err := outlines(one, depth+1, left, out); err != nil {
				return err
			}
		}
		return nil
	case "Point", "MultiPoint", "LineString", "MultiLineString":
		return nil
	}
	return coded.Errorf("geojson-type", "%.40q is no type of GeoJSON", s.Type)
}

func polygon(raw json.RawMessage, left *int, out *[]string) error {
	var rings [][][]float64
	if err := json.Unmarshal(raw, &rings); err != nil {
		return coded.Errorf("geojson-polygon", "the coordinates of a Polygon: %w", err)
	}
	if len(rings) != 1 {
		return coded.Errorf("geojson-rings", "a polygon has %d rings: an outline is one ring, without holes", len(rings))
	}
	if *left -= len(rings[0]); *left < 0 {
		return coded.Errorf("geojson-corners", "the outline has more than %d corners", mostCorners)
	}
	corners := make([]string, len(rings[0]))
	for i, at := range rings[0] {
		if len(at) < 2 {
			return coded.New("geojson-corner", "a corner has no longitude or no latitude")
		}
		corners[i] = strconv.FormatFloat(at[1], 'f', -1, 64) + "," + strconv.FormatFloat(at[0], 'f', -1, 64)
	}
	*out = append(*out, strings.Join(corners, " "))
	return nil
}
