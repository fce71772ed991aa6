package check

import (
	"strconv"
	"strings"

	"almenara/storage/alert"
)

// The rules about areas that a selection makes good.
const (
	RuleNoArea  = "no-area"            // an info without an area
	RuleNoShape = "area-without-shape" // an area that is only a name
)

// areas checks the area blocks of one info (§3.2.4).
func (c *checker) areas(i *alert.Info) {
	if len(i.Areas) == 0 {
		c.warn(RuleNoArea, "there is no area")
	}
	for n := range i.Areas {
		c.at.Area = n + 1
		c.area(&i.Areas[n])
	}
	c.at.Area = 0
}

// area checks one area block.
func (c *checker) area(a *alert.Area) {
	if a.Description == "" {
		c.reject("areaDesc-empty", "areaDesc is empty")
	}
	if len(a.Polygons)+len(a.Circles)+len(a.Geocodes) == 0 {
		c.warn(RuleNoShape, "the area has no polygon, circle or geocode, only a name")
	}
	for _, p := range a.Polygons {
		c.polygon(p)
	}
	for _, circle := range a.Circles {
		c.circle(circle)
	}
	c.named("geocode", a.Geocodes)
	for _, g := range a.Geocodes {
		if n := len(g.Codes()); n > 1 {
			c.warn("geocode-several", "the geocode %q has several codes in one value; they are read as %d codes", alert.Clip(g.Name), n-1)
		}
	}
	c.height(a)
}

// polygon checks "lat,lon lat,lon …": four pairs at least, closed, on the globe.
func (c *checker) polygon(text string) {
	var first, last point
	count := 0
	for pair := range strings.FieldsSeq(text) {
		p, ok := parsePoint(pair)
		if !ok {
			c.reject("polygon-format", "%q in a polygon is not latitude,longitude", alert.Clip(pair))
			return
		}
		if !p.onGlobe() {
			c.reject("coordinate-range", "%q in a polygon is not on the globe", alert.Clip(pair))
			return
		}
		if last = p; count == 0 {
			first = p
		}
		if count++; c.points+count > alert.MaxPoints {
			c.reject("polygon-too-many", "the polygons have more than %d points together", alert.MaxPoints)
			return
		}
	}
	c.points += count
	switch {
	case count < 4:
		c.reject("polygon-too-few", "a polygon has %d points, four are needed", count)
	case first != last:
		c.reject("polygon-not-closed", "a polygon does not end where it begins")
	}
}

// circle checks "lat,lon radius", the radius in kilometres.
func (c *checker) circle(text string) {
	centre, radius, _ := strings.Cut(text, " ")
	p, ok := parsePoint(centre)
	km, okRadius := parseDecimal(strings.TrimSpace(radius))
	switch {
	case !ok || !okRadius:
		c.reject("circle-format", "the circle %q is not latitude,longitude and a radius in kilometres", alert.Clip(text))
	case !p.onGlobe():
		c.reject("coordinate-range", "the circle %q is not on the globe", alert.Clip(text))
	case km < 0:
		c.reject("circle-radius-negative", "the circle %q has a negative radius", alert.Clip(text))
	case km == 0:
		c.warn("circle-radius-zero", "the circle %q has the radius 0, and adds no place", alert.Clip(text))
	}
}

// height checks altitude and ceiling, in feet.
func (c *checker) height(a *alert.Area) {
	low, okLow := parseDecimal(a.Altitude)
	high, okHigh := parseDecimal(a.Ceiling)
	switch {
	case a.Altitude != "" && !okLow:
		c.reject("altitude-format", "altitude %q is not a number", alert.Clip(a.Altitude))
	case a.Ceiling != "" && !okHigh:
		c.reject("ceiling-format", "ceiling %q is not a number", alert.Clip(a.Ceiling))
	case okHigh && a.Altitude == "":
		c.reject("ceiling-without-altitude", "ceiling %s stands without altitude", alert.Clip(a.Ceiling))
	case okHigh && high < low:
		c.warn("ceiling-below-altitude", "ceiling %s is below altitude %s", alert.Clip(a.Ceiling), alert.Clip(a.Altitude))
	}
}

// point is a WGS 84 coordinate pair in degrees, as §3.3.1 writes it.
type point struct{ lat, lon float64 }

// parsePoint reads "lat,lon".
func parsePoint(s string) (point, bool) {
	lat, lon, _ := strings.Cut(s, ",")
	y, okLat := parseDecimal(lat)
	x, okLon := parseDecimal(lon)
	return point{y, x}, okLat && okLon
}

// onGlobe checks the ranges.
func (p point) onGlobe() bool {
	return p.lat >= -90 && p.lat <= 90 && p.lon >= -180 && p.lon <= 180
}

// parseDecimal reads XML Schema's decimal: sign, digits, point, no exponent.
func parseDecimal(s string) (float64, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || strings.Trim(digits, "0123456789.") != "" ||
		strings.Count(digits, ".") > 1 || strings.Trim(digits, ".") == "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}
