package audience

import (
	"fmt"
	"math"
	"strings"
)

// NewPoint rounds a position in degrees to the units of Point. It is an error
// outside of latitude -90 to 90 and longitude -180 to 180.
func NewPoint(lat, lon float64) (Point, error) {
	if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) {
		return Point{}, fmt.Errorf("position %v,%v is not on earth: latitude -90 to 90 and longitude -180 to 180 are expected", lat, lon)
	}
	return Point{Lat: int32(math.Round(lat * unitsPerDegree)), Lon: int32(math.Round(lon * unitsPerDegree))}, nil
}

// ParsePolygon reads the outline of a place, written as CAP 1.2 §3.2.4 writes a
// polygon: "lat,lon lat,lon …", closed, at least four pairs, at most MaxShapePoints
// distinct ones.
func ParsePolygon(text string) (Polygon, error) { return parsePolygon(text, MaxShapePoints) }

// CAP writes the polygon as CAP does, closed.
func (p Polygon) CAP() string {
	var b strings.Builder
	for i := range p {
		b.WriteString(p[i].String() + " ")
	}
	if len(p) > 0 {
		b.WriteString(p[0].String())
	}
	return b.String()
}

// String writes the position as CAP does: "lat,lon" in degrees.
func (p Point) String() string {
	return formatDegrees(p.Lat) + "," + formatDegrees(p.Lon)
}
