package geometry

import (
	"fmt"
	"math"
	"strings"

	"almenara/storage/coded"
)

// NewPoint rounds a position in degrees to the units of Point. It is an error
// outside of latitude -90 to 90 and longitude -180 to 180.
func NewPoint(lat, lon float64) (Point, error) {
	if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) {
		return Point{}, coded.Errorf("position-off-earth", "position %v,%v is not on earth: latitude -90 to 90 and longitude -180 to 180 are expected", lat, lon)
	}
	return Point{Lat: int32(math.Round(lat * UnitsPerDegree)), Lon: int32(math.Round(lon * UnitsPerDegree))}, nil
}

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

// ParsePolygon reads "lat,lon lat,lon …" (CAP 1.2 §3.2.4): at least four pairs,
// the last one equal to the first, and at most so many distinct ones. A pair may be
// repeated; a ring may cross itself. The error is errNothing for one that encloses nothing.
func ParsePolygon(text string, most int) (Polygon, error) {
	pairs := strings.Fields(text)
	if len(pairs) < 4 {
		return nil, coded.Errorf("pairs-few", "at least 4 coordinate pairs are expected, found %d", len(pairs))
	}
	if len(pairs) > most+1 {
		return nil, coded.Errorf("points-many", "it has %d points, at most %d are allowed", len(pairs)-1, most)
	}
	var p Polygon
	for _, pair := range pairs {
		at, err := ParsePair(pair)
		if err != nil {
			return nil, err
		}
		if len(p) == 0 || p[len(p)-1] != at {
			p = append(p, at)
		}
	}
	last := len(p) - 1
	if last == 0 {
		return nil, coded.Errorf("points-same", "%w: all its points are one", ErrNothing)
	}
	if p[0] != p[last] {
		return nil, coded.Errorf("ring-open", "it is not closed: it begins at %.40s and ends at %.40s", pairs[0], pairs[len(pairs)-1])
	}
	p = p[:len(p)-1]
	return p, p.Check()
}

// ParsePair reads "lat,lon".
func ParsePair(text string) (Point, error) {
	lat, lon, ok := strings.Cut(text, ",")
	if !ok {
		return Point{}, coded.Errorf("pair-wrong", "%.40q: a pair such as 22.3193,114.1694 is expected", text)
	}
	y, err := parseDegrees(lat, MaxLat)
	if err != nil {
		return Point{}, coded.Errorf("latitude", "latitude %w", err)
	}
	x, err := parseDegrees(lon, MaxLon)
	if err != nil {
		return Point{}, coded.Errorf("longitude", "longitude %w", err)
	}
	return Point{Lat: y, Lon: x}, nil
}

// parseDegrees reads a decimal number of degrees into units of 1e-7 degree,
// rounding half away from zero; limit is the largest magnitude allowed.
func parseDegrees(s string, limit int64) (int32, error) {
	digits := strings.TrimLeft(s, "+-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(s)-len(digits) > 1 || whole == "" && fraction == "" || len(whole) > 6 || len(fraction) > 20 {
		return 0, coded.Errorf("degrees-wrong", "%.40q is not a number of degrees such as 22.3193", s)
	}
	var value int64
	for i := range len(whole) + 8 {
		digit := byte('0')
		if i < len(whole) {
			digit = whole[i]
		} else if at := i - len(whole); at < len(fraction) {
			digit = fraction[at]
		}
		value = value*10 + int64(digit-'0')
	}
	if strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, coded.Errorf("degrees-wrong", "%.40q is not a number of degrees such as 22.3193", s)
	}
	value = (value + 5) / 10
	if value > limit {
		return 0, coded.Errorf("degrees-range", "%s is out of range: -%d to %d is expected", s, limit/UnitsPerDegree, limit/UnitsPerDegree)
	}
	if s[0] == '-' {
		value = -value
	}
	return int32(value), nil
}

// formatDegrees writes units of 1e-7 degree as a decimal number.
func formatDegrees(units int32) string {
	v, sign := int64(units), ""
	if v < 0 {
		v, sign = -v, "-"
	}
	text := fmt.Sprintf("%s%d.%07d", sign, v/UnitsPerDegree, v%UnitsPerDegree)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
