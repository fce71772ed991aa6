package demo

import (
	"almenara/storage/audience/geometry"
)

// box is the smallest rectangle around polygons.
type box struct{ low, high geometry.Point }

func around(polygons []geometry.Polygon) box {
	b := box{low: polygons[0][0], high: polygons[0][0]}
	for _, polygon := range polygons {
		for _, p := range polygon {
			b.low.Lat, b.low.Lon = min(b.low.Lat, p.Lat), min(b.low.Lon, p.Lon)
			b.high.Lat, b.high.Lon = max(b.high.Lat, p.Lat), max(b.high.Lon, p.Lon)
		}
	}
	return b
}

// at is the position x/n and y/n of the way through the box.
func (b box) at(x, y, n int64) geometry.Point {
	lat, lon := int64(b.high.Lat)-int64(b.low.Lat), int64(b.high.Lon)-int64(b.low.Lon)
	return geometry.Point{Lat: b.low.Lat + int32(lat*y/n), Lon: b.low.Lon + int32(lon*x/n)}
}

// inside finds count positions inside one of the polygons, looking closer and
// closer.
func inside(polygons []geometry.Polygon, count int) ([]geometry.Point, error) {
	for _, polygon := range polygons {
		b := around([]geometry.Polygon{polygon})
		for _, n := range []int64{8, 32, 128, 512} {
			var found []geometry.Point
			for y := int64(1); y < n; y++ {
				for x := int64(1); x < n; x++ {
					if p := b.at(x, y, n); polygon.Contains(p) {
						found = append(found, p)
					}
				}
			}
			if len(found) >= count {
				return spread(found, count), nil
			}
		}
	}
	return nil, errNowhere
}

// spread picks count positions that are not all neighbours.
func spread(found []geometry.Point, count int) []geometry.Point {
	out := make([]geometry.Point, count)
	for i := range out {
		out[i] = found[i*len(found)/count]
	}
	return out
}

// outside finds a position that no polygon holds, near them.
func outside(polygons []geometry.Polygon) ([]geometry.Point, error) {
	b := around(polygons)
	for _, step := range []int32{1_000_000, 10_000_000, 100_000_000} { // 0.1, 1 and 10 degrees
		for _, p := range []geometry.Point{
			{Lat: b.high.Lat + step, Lon: b.low.Lon}, {Lat: b.low.Lat - step, Lon: b.low.Lon},
			{Lat: b.low.Lat, Lon: b.low.Lon - step}, {Lat: b.low.Lat, Lon: b.high.Lon + step},
		} {
			if onEarth(p) && !held(polygons, p) {
				return []geometry.Point{p}, nil
			}
		}
	}
	return nil, errNowhere
}

func onEarth(p geometry.Point) bool {
	return p.Lat >= -900_000_000 && p.Lat <= 900_000_000 && p.Lon >= -1_800_000_000 && p.Lon <= 1_800_000_000
}

func held(polygons []geometry.Polygon, p geometry.Point) bool {
	for _, polygon := range polygons {
		if polygon.Contains(p) {
			return true
		}
	}
	return false
}
