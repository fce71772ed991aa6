package geometry

import (
	"math"
	"strconv"
	"strings"

	"almenara/storage/coded"
)

// MaxCircleKm is the largest radius that is read. A typhoon's gales reach 1,000 km.
const MaxCircleKm = 2_000

const (
	CircleVertices = 128

	// The smallest radius of curvature of WGS 84, on a meridian at the equator. A
	// sphere of this size takes any ellipsoidal distance for at least as long as it
	// is as an angle: nobody within the radius is lost, at the price of up to 1 %.
	smallestRadiusKm = 6335.4

	maxCircleLat = 85.0 // degrees; nearer to a pole, lines of latitude and longitude bend too much
)

// ParseCircle reads "lat,lon radius" with the radius in km (CAP 1.2 §3.2.4) and
// draws a polygon around it.
func ParseCircle(text string) (Polygon, error) {
	parts := strings.Fields(text)
	if len(parts) != 2 {
		return nil, coded.Errorf("circle-wrong", "%.40q: a point and a radius in km such as 22.3193,114.1694 1.5 are expected", text)
	}
	centre, err := ParsePair(parts[0])
	if err != nil {
		return nil, err
	}
	radius, err := strconv.ParseFloat(parts[1], 64)
	if err != nil || strings.Trim(parts[1], "0123456789.") != "" {
		return nil, coded.Errorf("radius-wrong", "%.40q is not a radius in km such as 1.5", parts[1])
	}
	if radius == 0 {
		return nil, coded.Errorf("radius-zero", "%w: the radius is 0", ErrNothing)
	}
	if radius < 0 || radius > MaxCircleKm {
		return nil, coded.Errorf("radius-range", "the radius is %.40s km: more than 0 and at most %d is expected", parts[1], MaxCircleKm)
	}
	return drawCircle(centre, radius)
}

// drawCircle returns a polygon of 128 sides around the circle: its sides touch a
// circle that is wider by what straight lines in latitude and longitude bend away
// from great circles, and by the rounding.
func drawCircle(centre Point, radiusKm float64) (Polygon, error) {
	lat, lon := radians(centre.Lat), radians(centre.Lon)
	angle := radiusKm / smallestRadiusKm
	reach := math.Abs(lat) + 1.01*angle
	if reach > maxCircleLat*math.Pi/180 {
		return nil, coded.New("circle-pole", "it comes too near to a pole")
	}
	side := 2 * math.Pi * angle / CircleVertices
	angle += side*side/4*math.Tan(reach) + 3*math.Pi/(180*UnitsPerDegree)
	angle = math.Atan(math.Tan(angle) / math.Cos(math.Pi/CircleVertices))
	var p Polygon
	for i := range CircleVertices {
		at, err := destination(lat, lon, angle, 2*math.Pi*float64(i)/CircleVertices)
		if err != nil {
			return nil, err
		}
		if len(p) == 0 || p[len(p)-1] != at {
			p = append(p, at)
		}
	}
	if last := len(p) - 1; p[0] == p[last] {
		p = p[:last]
	}
	return p, p.Check()
}

// destination goes the angle along a great circle in the direction of bearing.
func destination(lat, lon, angle, bearing float64) (Point, error) {
	sin := math.Sin(lat)*math.Cos(angle) + math.Cos(lat)*math.Sin(angle)*math.Cos(bearing)
	x := lon + math.Atan2(math.Sin(bearing)*math.Sin(angle)*math.Cos(lat), math.Cos(angle)-math.Sin(lat)*sin)
	if math.Abs(x) > math.Pi {
		return Point{}, coded.New("circle-meridian", "it crosses the 180th meridian; one polygon on each side is expected")
	}
	return Point{Lat: units(math.Asin(sin)), Lon: units(x)}, nil
}

func radians(units int32) float64 { return float64(units) / UnitsPerDegree * math.Pi / 180 }

func units(radians float64) int32 {
	return int32(math.Round(radians * 180 / math.Pi * UnitsPerDegree))
}
