package imports

import (
	"strings"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
)

// District is one of Hong Kong's 18 districts.
type District struct {
	Code    string // the Home Affairs Department's letter; I and O are not used
	Slug    string // first segment of the district's paths
	English string
	Chinese string
}

// SchemeHKDistrict is the valueName of geocodes that name a district by its letter.
const SchemeHKDistrict = "HK-DC"

var hongKong = [...]District{
	{"A", "central-and-western", "Central and Western", "中西區"},
	{"B", "wan-chai", "Wan Chai", "灣仔區"},
	{"C", "eastern", "Eastern", "東區"},
	{"D", "southern", "Southern", "南區"},
	{"E", "yau-tsim-mong", "Yau Tsim Mong", "油尖旺區"},
	{"F", "sham-shui-po", "Sham Shui Po", "深水埗區"},
	{"G", "kowloon-city", "Kowloon City", "九龍城區"},
	{"H", "wong-tai-sin", "Wong Tai Sin", "黃大仙區"},
	{"J", "kwun-tong", "Kwun Tong", "觀塘區"},
	{"K", "tsuen-wan", "Tsuen Wan", "荃灣區"},
	{"L", "tuen-mun", "Tuen Mun", "屯門區"},
	{"M", "yuen-long", "Yuen Long", "元朗區"},
	{"N", "north", "North", "北區"},
	{"P", "tai-po", "Tai Po", "大埔區"},
	{"Q", "sai-kung", "Sai Kung", "西貢區"},
	{"R", "sha-tin", "Sha Tin", "沙田區"},
	{"S", "kwai-tsing", "Kwai Tsing", "葵青區"},
	{"T", "islands", "Islands", "離島區"},
}

// The box that every Hong Kong position lies in, in degrees × 1e7.
var hongKongBox = geometry.Box{
	Min: geometry.Vertex{X: 1138 * geometry.UnitsPerDegree / 10, Y: 221 * geometry.UnitsPerDegree / 10},
	Max: geometry.Vertex{X: 1145 * geometry.UnitsPerDegree / 10, Y: 226 * geometry.UnitsPerDegree / 10},
}

// districtNames finds a district by code, and by name however it is written.
var districtCodes, districtNames = indexDistricts()

func indexDistricts() (codes, names map[string]*District) {
	codes, names = map[string]*District{}, map[string]*District{}
	for i := range hongKong {
		d := &hongKong[i]
		codes[d.Code] = d
		for _, name := range []string{d.Slug, strings.ToLower(d.English), d.Chinese, strings.TrimSuffix(d.Chinese, "區")} {
			names[name] = d
		}
	}
	return codes, names
}

// findDistrict reads a code, or the name in English or Chinese or as in a path.
func findDistrict(s string) (d *District, byCode bool) {
	if d := districtCodes[s]; d != nil {
		return d, true
	}
	name := strings.TrimSuffix(strings.ToLower(strings.Join(strings.Fields(s), " ")), " district")
	return districtNames[name], false
}

// HongKongPlaces returns the 18 districts as places, with their names and the
// geocode that names them. The slice is the caller's own.
func HongKongPlaces() []audience.Place {
	places := make([]audience.Place, len(hongKong))
	for i, d := range hongKong {
		places[i] = audience.Place{
			Path:     audience.Path(d.Slug),
			Names:    []audience.Text{{Language: "en", Text: d.English}, {Language: "zh-HK", Text: d.Chinese}},
			Geocodes: []alert.Named{{Name: SchemeHKDistrict, Value: d.Code}},
		}
	}
	return places
}
