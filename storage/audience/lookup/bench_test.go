package lookup

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/imports"
)

const million = 1_000_000

// syntheticMember is one of a million residents of 18 districts with estates,
// blocks and floors, in random order, as an import of a register gives them.
func syntheticMember(w audiencetest.World, i int) audience.Member {
	d, estate, block := w.IntN(18), w.IntN(40), w.IntN(6)
	m := audience.Member{
		ID: fmt.Sprintf("SYN%07d", i), Name: "陳大文", Kind: audience.KindPerson,
		Place:     audience.Path(fmt.Sprintf("%s/estate-%d/block-%d", imports.HongKongPlaces()[d].Path, estate, block)),
		Languages: []string{audiencetest.Pick(w, "zh-HK", "zh-HK", "zh-HK", "en", "ur")},
		Location: &geometry.Point{
			Lat: 221_500_000 + int32(d/6)*1_300_000 + int32(w.IntN(1_300_000)),
			Lon: 1_138_500_000 + int32(d%6)*900_000 + int32(w.IntN(900_000)),
		},
		Endpoints: []audience.Endpoint{{Channel: "sms", Address: fmt.Sprintf("+852%08d", i)}, {Channel: "mqtt", Address: fmt.Sprintf("SYN%07d", i)}},
	}
	if w.IntN(50) == 0 {
		m.Kind = audiencetest.Pick(w, audience.KindScreen, audience.KindSpeaker, audience.KindPhone)
	}
	if w.IntN(3) == 0 {
		m.Tags = append(m.Tags, audience.Tag{Name: "need", Value: audiencetest.Pick(w, "hearing", "mobility", "vision")})
	}
	m.Tags = append(m.Tags, audience.Tag{Name: "risk", Value: audiencetest.Pick(w, "high", "medium", "low", "low", "low")})
	if w.IntN(20) == 0 {
		m.Tags = append(m.Tags, audience.Tag{Name: "role", Value: "frontline"})
	}
	return m
}

// city is the index of a million, made once.
var city = sync.OnceValue(func() *Index {
	x, w := New(), audiencetest.New(1)
	for _, p := range imports.HongKongPlaces() {
		x.PutPlace(p)
	}
	for i := range million {
		m := syntheticMember(w, i)
		x.Put(uint32(i), &m)
	}
	return x
})

// roundShape is a jagged outline of n points around the middle of the territory.
func roundShape(n int, lat, lon, radius float64) geometry.Polygon {
	var p geometry.Polygon
	for i := range n {
		angle := 2 * math.Pi * float64(i) / float64(n)
		r := radius * (0.8 + 0.2*math.Sin(7*angle))
		p = append(p, geometry.Point{Lat: int32(lat + r*math.Sin(angle)), Lon: int32(lon + r*math.Cos(angle))})
	}
	return p
}

func BenchmarkSelect(b *testing.B) {
	for _, expr := range []string{
		"all",
		"place under tuen-mun",
		"place under tuen-mun/estate-7 and kind = screen",
		"role = frontline or risk in (high, medium)",
		"place under tuen-mun and (role = frontline or risk in (high, medium)) and not kind = speaker",
		"has need and not language = zh",
		"risk != high",
		"not (kind in (screen, speaker) or place under islands)",
	} {
		s := audiencetest.MustParse(expr)
		b.Run(expr, func(b *testing.B) {
			x := city()
			for b.Loop() {
				_, _ = x.Select(s)
			}
		})
	}
}

func BenchmarkResolve(b *testing.B) {
	circle, err := geometry.ParseCircle("22.35,114.10 3")
	require.NoError(b, err)
	for name, t := range map[string]audience.Target{
		"polygon 500, half the city": {Area: true, Shapes: []geometry.Polygon{roundShape(500, 223_500_000, 1_141_200_000, 1_800_000)}},
		"polygon 1000, all the city": {Area: true, Shapes: []geometry.Polygon{roundShape(1000, 223_500_000, 1_141_200_000, 6_000_000)}},
		"circle 3 km":                {Area: true, Shapes: []geometry.Polygon{circle}},
		"geocode and selection":      {Area: true, Geocodes: []alert.Named{{Name: imports.SchemeHKDistrict, Value: "L"}}, Select: "kind = person and has need"},
		"address":                    {Select: "all", Private: true, Addresses: []string{"+85200000042", "SYN0000007"}},
	} {
		b.Run(name, func(b *testing.B) {
			x := city()
			var n uint64
			for b.Loop() {
				r, err := x.Resolve(t)
				if err != nil {
					b.Fatal(err)
				}
				n = r.Members.GetCardinality()
			}
			b.ReportMetric(float64(n), "members")
		})
	}
}

func BenchmarkCount(b *testing.B) {
	for depth := range 4 {
		b.Run(fmt.Sprintf("depth %d", depth), func(b *testing.B) {
			x := city()
			all := x.Ordinals()
			for b.Loop() {
				_ = x.Count(all, depth)
			}
		})
	}
}

func BenchmarkMatches(b *testing.B) {
	x := city()
	t := audience.Target{Area: true, Shapes: []geometry.Polygon{roundShape(500, 223_500_000, 1_141_200_000, 1_800_000)}, Select: "place under tuen-mun and risk = high"}
	for b.Loop() {
		_ = x.Matches(t, 4711)
	}
}

// BenchmarkBuild puts a million members into a new index and reports what one
// costs in memory.
func BenchmarkBuild(b *testing.B) {
	w := audiencetest.New(1)
	members := make([]audience.Member, million/10)
	for i := range members {
		members[i] = syntheticMember(w, i)
	}
	for b.Loop() {
		before := heap()
		x := New()
		for i := range million {
			m := members[i%len(members)]
			m.ID = fmt.Sprintf("SYN%07d", i)
			m.Endpoints = []audience.Endpoint{{Channel: "sms", Address: fmt.Sprintf("+852%08d", i)}, {Channel: "mqtt", Address: m.ID}}
			x.Put(uint32(i), &m)
		}
		b.ReportMetric(float64(heap()-before)/million, "B/member")
		runtime.KeepAlive(x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/member")
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
