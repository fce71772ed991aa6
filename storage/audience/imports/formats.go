package imports

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/coded"
)

// format is one table layout that an import understands.
type format struct {
	name     string
	required []string
	optional []string
	build    func(*row) audience.Member
}

// The formats, told apart by their headers. Columns may stand in any order.
var formats = []format{
	{
		name:     "members",
		required: []string{"id", "kind", "place"},
		optional: []string{"name", "tags", "languages", "lat", "lon", "endpoints"},
		build:    buildMember,
	},
	{
		name:     "residents",
		required: []string{"id", "district"},
		optional: []string{"name", "phone", "email", "language", "district_name", "building", "lat", "lon", "channels", "needs", "consent"},
		build:    buildResident,
	},
	{
		name:     "devices",
		required: []string{"device_id", "kind", "district"},
		optional: []string{"building", "lift", "language", "lat", "lon", "topic"},
		build:    buildDevice,
	},
}

func (f *format) columns() []string { return slices.Concat(f.required, f.optional) }

// row is one record under its header. Problems gather here; a row with any is not
// visited.
type row struct {
	column   map[string]int
	cells    []string
	problems []error
	notes    []error
	phone    string // digits of the phone, to find shared ones
}

// get returns a cell without surrounding space; "" when the column is absent.
func (r *row) get(name string) string { return strings.TrimSpace(r.exact(name)) }

// exact returns a cell as it stands.
func (r *row) exact(name string) string {
	if i, ok := r.column[name]; ok && i < len(r.cells) {
		return r.cells[i]
	}
	return ""
}

// fail notes a problem, if err is one.
func (r *row) fail(err error) {
	if err != nil {
		r.problems = append(r.problems, err)
	}
}

// failf notes a problem by its code (storage/coded), and notef what is only pointed out.
func (r *row) failf(code, text string, args ...any) {
	r.problems = append(r.problems, coded.Errorf(code, text, args...))
}

func (r *row) notef(code, text string, args ...any) {
	r.notes = append(r.notes, coded.Errorf(code, text, args...))
}

// list splits a cell at ';' and ','.
func (r *row) list(name string) []string {
	var items []string
	for _, item := range strings.FieldsFunc(r.exact(name), func(c rune) bool { return c == ';' || c == ',' }) {
		if item = strings.TrimSpace(item); item != "" && !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	return items
}

// buildMember reads our own columns: tags as name=value;name=value, languages as
// zh-HK;en, endpoints as mqtt:lift-0042;sms:+85291234567.
func buildMember(r *row) audience.Member {
	m := audience.Member{
		ID: r.get("id"), Name: r.exact("name"), Kind: audience.Kind(r.get("kind")), Place: audience.Path(r.get("place")),
		Languages: r.list("languages"), Location: r.location(nil),
	}
	for _, item := range r.list("tags") {
		name, value, _ := strings.Cut(item, "=")
		m.Tags = append(m.Tags, audience.Tag{Name: strings.ToLower(strings.TrimSpace(name)), Value: strings.TrimSpace(value)})
	}
	for _, item := range r.list("endpoints") {
		channel, address, ok := strings.Cut(item, ":")
		if !ok {
			r.failf("endpoint-form", "endpoint %q: channel:address such as sms:+85291234567 is expected", audience.Clip(item))
		}
		m.Endpoints = append(m.Endpoints, audience.Endpoint{Channel: channel, Address: address})
	}
	return m
}

// buildResident reads a register of people. A person's needs become tags need=…,
// the date of consent the tag consent=…. Only the addresses of the channels that
// the person chose are kept: phone for sms, email for email, and for mqtt and push
// the id, under which the person's own phone enrols.
func buildResident(r *row) audience.Member {
	m := audience.Member{
		ID: r.get("id"), Name: r.exact("name"), Kind: audience.KindPerson, Place: r.place(),
		Languages: r.list("language"), Location: r.location(&hongKongBox),
	}
	if name := r.get("district_name"); name != "" && m.Place != "" {
		if d, _ := findDistrict(name); d == nil || string(m.Place.Cut(1)) != d.Slug {
			r.notef("district-differs", "the district is read as %s, but district_name says %s", m.Place.Cut(1), audience.Clip(name))
		}
	}
	for _, need := range r.list("needs") {
		m.Tags = append(m.Tags, audience.Tag{Name: "need", Value: need})
	}
	if consent := r.get("consent"); consent != "" {
		if _, err := time.Parse(time.DateOnly, consent); err != nil {
			r.failf("consent-date", "consent %q: a date such as 2026-03-31 is expected", audience.Clip(consent))
		}
		m.Tags = append(m.Tags, audience.Tag{Name: "consent", Value: consent})
	}
	m.Endpoints = r.endpoints(m.ID)
	return m
}

// endpoints joins channels with the person's addresses.
func (r *row) endpoints(id string) []audience.Endpoint {
	phone, email := r.get("phone"), r.get("email")
	if phone != "" {
		r.phone = phoneDigits(phone)
		if r.phone == "" {
			r.failf("phone-digits", "phone %q: 7 to 15 digits such as +85291234567 are expected", audience.Clip(phone))
		}
	}
	if at := strings.Index(email, "@"); email != "" && (at < 1 || at == len(email)-1 || strings.Count(email, "@") > 1 || strings.ContainsFunc(email, unicode.IsSpace)) {
		r.failf("email-form", "email %q: an address such as name@example.org is expected", audience.Clip(email))
	}
	var endpoints []audience.Endpoint
	for _, channel := range r.list("channels") {
		address, known := map[string]string{"sms": phone, "email": email, "mqtt": id, "push": id}[channel]
		if !known {
			r.failf("channel-known", "channel %q: sms, email, push or mqtt is expected", audience.Clip(channel))
		}
		if address != "" {
			endpoints = append(endpoints, audience.Endpoint{Channel: channel, Address: address})
		}
	}
	return endpoints
}

// phoneDigits returns the digits of a phone number, "" when it is not one.
func phoneDigits(s string) string {
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.TrimPrefix(s, "+"))
	if len(digits) < 7 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return digits
}

// buildDevice reads a list of equipment. Each device is reached by MQTT under its
// id; the column topic belongs to older installations and is not kept.
func buildDevice(r *row) audience.Member {
	m := audience.Member{
		ID: r.get("device_id"), Kind: audience.Kind(r.get("kind")), Place: r.place(),
		Languages: r.list("language"), Location: r.location(&hongKongBox),
	}
	if m.Kind == "elevator-screen" {
		m.Kind, m.Tags = audience.KindScreen, []audience.Tag{{Name: "form", Value: "elevator"}}
	}
	if m.ID != "" {
		m.Endpoints = []audience.Endpoint{{Channel: "mqtt", Address: m.ID}}
	}
	return m
}

// place joins district, building and lift to a path, "" when it cannot.
func (r *row) place() audience.Path {
	text := r.get("district")
	d, byCode := findDistrict(text)
	switch {
	case text == "":
		r.failf("district-empty", "the district is empty: a code A to T or a district's name is expected")
		return ""
	case d == nil:
		r.failf("district-unknown", "district %q is not known: a code A to T or a district's name is expected", audience.Clip(text))
		return ""
	case !byCode:
		r.notef("district-read", "district %s is read as %s (%s)", audience.Clip(text), d.Code, d.English)
	}
	path := d.Slug
	for _, part := range []struct{ column, prefix string }{{"building", ""}, {"lift", "lift-"}} {
		if text := r.get(part.column); text != "" {
			segment := part.prefix + audience.SegmentOf(text)
			if _, err := audience.ParsePath(segment); err != nil {
				r.failf("place-part", "%s %q cannot become part of a place: letters or digits are expected, at most %d bytes", part.column, audience.Clip(text), audience.MaxSegmentBytes)
				return ""
			}
			path += "/" + segment
		}
	}
	return audience.Path(path)
}

// location reads lat and lon, both or neither; bounds, if any, must hold them.
func (r *row) location(bounds *geometry.Box) *geometry.Point {
	lat, lon := r.get("lat"), r.get("lon")
	if lat == "" && lon == "" {
		return nil
	}
	if lat == "" || lon == "" {
		r.failf("lat-lon", "lat and lon are expected together")
		return nil
	}
	at, err := geometry.ParsePair(lat + "," + lon)
	if err == nil && bounds != nil {
		if v := at.Vertex(); !bounds.Overlaps(geometry.Box{Min: v, Max: v}) {
			err = coded.New("outside-hong-kong", "lies outside Hong Kong: lat 22.1 to 22.6 and lon 113.8 to 114.5 are expected")
		}
	}
	if err != nil {
		r.failf("position-wrong", "position %s,%s: %v (are lat and lon swapped?)", audience.Clip(lat), audience.Clip(lon), err)
		return nil
	}
	return &at
}
