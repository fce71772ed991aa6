package imports

import (
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"almenara/storage/audience"
	"almenara/storage/coded"
)

// knownKinds are the kinds that an import takes without any member of that kind.
var knownKinds = []audience.Kind{"kiosk", audience.KindPerson, audience.KindPhone, audience.KindScreen, "sign", "siren", audience.KindSpeaker}

// registered refuses a language of the right shape that is none: English, xx, zh-ZZZ.
func registered(s string) error {
	if _, err := language.Raw.Parse(s); err != nil {
		return coded.Errorf("language-none", "language %q is none that is registered; a tag such as en, zh-HK or yue is expected", audience.Clip(s))
	}
	return nil
}

// build makes the member and gathers all that is wrong with it.
func (s *scanner) build(line int) audience.Member {
	r := &s.row
	if !s.fits() {
		return audience.Member{}
	}
	s.normalize()
	if !s.readable() {
		return audience.Member{}
	}
	m := s.format.build(r)
	m.Normalize()
	if len(r.problems) == 0 {
		r.fail(m.Validate())
		s.judge(&m)
	} else if err := audience.CheckID(m.ID); err != nil {
		r.fail(err)
	}
	if first := s.first(s.lines, m.ID, line); first != line {
		r.failf("id-twice", "id %s is already on line %d", audience.Clip(m.ID), first)
	}
	if first := s.first(s.phones, r.phone, line); first != line {
		r.notef("phone-shared", "the phone is also that of line %d", first)
	}
	return m
}

// fits holds the row against the header. Columns without a name may be there as long
// as nothing stands in them; a row that ends too early may have been cut off.
func (s *scanner) fits() bool {
	r := &s.row
	for len(r.cells) > s.width && audience.NormalKey(r.cells[len(r.cells)-1]) == "" {
		r.cells = r.cells[:len(r.cells)-1]
	}
	least := 0
	for _, i := range r.column {
		least = max(least, i+1)
	}
	if len(r.cells) < least || len(r.cells) > s.width {
		r.failf("row-columns", "the row has %d columns, %d are expected", len(r.cells), least)
		return false
	}
	if len(r.column) == len(r.cells) {
		return true
	}
	named := make([]bool, len(r.cells))
	for _, i := range r.column {
		named[i] = true
	}
	for i, cell := range r.cells {
		if !named[i] && audience.NormalKey(cell) != "" {
			r.failf("column-unnamed", "column %d has no name in the header, and holds %q", i+1, audience.Clip(cell))
		}
	}
	return len(r.problems) == 0
}

// normalize brings every cell to its form: the name to be read, all others to be compared.
func (s *scanner) normalize() {
	for name, i := range s.row.column {
		cell, form := s.row.cells[i], audience.NormalKey
		if name == "name" {
			form = audience.NormalText
		}
		n := form(cell)
		if name == "kind" || name == "place" {
			n = strings.ToLower(n)
		}
		if strings.TrimSpace(cell) != strings.TrimSpace(n) {
			s.report.Normalized++
		}
		s.row.cells[i] = n
	}
}

// judge asks what only the district knows, and whether there are such languages.
func (s *scanner) judge(m *audience.Member) {
	r := &s.row
	if len(r.problems) > 0 {
		return
	}
	for _, language := range m.Languages {
		r.fail(registered(language))
	}
	if s.rules.Kind != nil && !Usual(m.Kind) && !s.rules.Kind(m.Kind) {
		r.failf("kind-none", "kind %q is none that the district has; usual are %s", audience.Clip(string(m.Kind)), UsualKinds())
	}
	if s.rules.Place != nil && !s.rules.Place(m.Place) {
		r.failf("place-outside", "place %q is not in the district: no place of it begins with %q; put that place first if it is new", audience.Clip(string(m.Place)), m.Place.Cut(1))
	}
}

// Usual reports whether the kind is one that every district may have.
func Usual(k audience.Kind) bool { return slices.Contains(knownKinds, k) }

// UsualKinds lists those for a sentence.
func UsualKinds() string {
	var names []string
	for _, k := range knownKinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// first returns the line where the key stood first; this one when it is new.
func (s *scanner) first(seen map[uint64]int, key string, line int) int {
	if key == "" {
		return line
	}
	hash := maphash.String(s.seed, key)
	if before, ok := seen[hash]; ok {
		return before
	}
	seen[hash] = line
	return line
}

// readable refuses cells that could not be decoded, and those that a spreadsheet
// would run as a formula once the data is exported again (CSV injection).
func (s *scanner) readable() bool {
	r := &s.row
	for name, i := range r.column {
		cell := r.cells[i]
		if !utf8.ValidString(cell) || strings.ContainsRune(cell, utf8.RuneError) {
			r.failf("cell-unreadable", "%s %q holds characters that cannot be read", name, audience.Clip(strings.ToValidUTF8(cell, "\uFFFD")))
		}
		if strings.ContainsFunc(cell, func(c rune) bool { return unicode.IsControl(c) && !strings.ContainsRune("\n\r\t", c) }) {
			r.failf("cell-control", "%s %q holds a control character", name, audience.Clip(cell))
		}
		if name == "phone" || name == "lat" || name == "lon" {
			continue
		}
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			r.failf("cell-formula", "%s %q begins like a spreadsheet formula; text is expected", name, audience.Clip(cell))
		}
	}
	slices.SortFunc(r.problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return len(r.problems) == 0
}
