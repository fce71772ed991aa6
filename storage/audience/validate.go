package audience

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"almenara/storage/audience/geometry"
	"almenara/storage/coded"
)

// Limits of members and places. They bound a record to a few kilobytes.
const (
	MaxIDBytes       = 64
	MaxNameBytes     = 256 // also of a place's name, and of an address
	MaxTags          = 32
	MaxTagNameBytes  = 64
	MaxTagValueBytes = 256
	MaxLanguages     = 16
	MaxEndpoints     = 8
	MaxPathDepth     = 8
	MaxSegmentBytes  = 96 // 32 Han characters
	MaxPlaceGeocodes = 64
	MaxShapePoints   = 10_000 // of one outline; an official district outline has 2,200
	maxWordBytes     = 32
)

// Validate says in one sentence why the member cannot be kept, or returns nil.
func (m *Member) Validate() error {
	if err := CheckID(m.ID); err != nil {
		return err
	}
	if err := checkText(coded.Word("name"), m.Name, MaxNameBytes, "\n"); err != nil {
		return err
	}
	if err := checkKind(m.Kind); err != nil {
		return err
	}
	if _, err := ParsePath(string(m.Place)); err != nil {
		return err
	}
	if err := checkTags(m.Tags); err != nil {
		return err
	}
	if err := checkLanguages(m.Languages); err != nil {
		return err
	}
	if m.Location != nil {
		if err := m.Location.Check(); err != nil {
			return err
		}
	}
	return checkEndpoints(m.Endpoints)
}

// Normalize sorts the tags and drops repeated ones, as Validate wants them.
func (m *Member) Normalize() {
	slices.SortFunc(m.Tags, compareTags)
	m.Tags = slices.Compact(m.Tags)
}

func compareTags(a, b Tag) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
}

// Validate says in one sentence why the place cannot be kept, or returns nil.
func (p *Place) Validate() error {
	if _, err := ParsePath(string(p.Path)); err != nil {
		return err
	}
	if len(p.Names) > MaxLanguages {
		return coded.Errorf("names-many", "%d names, at most %d are allowed", len(p.Names), MaxLanguages)
	}
	for _, name := range p.Names {
		if err := errors.Join(checkLanguage(name.Language), checkText(coded.Word("name"), name.Text, MaxNameBytes, "")); err != nil {
			return err
		}
	}
	if len(p.Geocodes) > MaxPlaceGeocodes {
		return coded.Errorf("geocodes-many", "%d geocodes, at most %d are allowed", len(p.Geocodes), MaxPlaceGeocodes)
	}
	for _, code := range p.Geocodes {
		if code.Name == "" || code.Value == "" || len(code.Name)+len(code.Value) > MaxNameBytes {
			return coded.Errorf("geocode-unfit", "geocode %q = %q: a name and a value are expected, together at most %d bytes", code.Name, code.Value, MaxNameBytes)
		}
	}
	if p.Location != nil {
		if err := p.Location.Check(); err != nil {
			return err
		}
	}
	return checkShapes(p.Shape)
}

func checkShapes(shape []geometry.Polygon) error {
	points := 0
	for i, polygon := range shape {
		points += len(polygon)
		if err := polygon.Check(); err != nil {
			return coded.Errorf("outline-at", "outline %d: %w", i+1, err)
		}
	}
	if points > MaxShapePoints {
		return coded.Errorf("outline-points", "the outline has %d points, at most %d are allowed", points, MaxShapePoints)
	}
	return nil
}

// ParsePath reads a place's path: 1 to 8 lower-case segments of letters of any
// script, digits, '-' and '_', separated by '/'.
func ParsePath(s string) (Path, error) {
	segments := strings.Split(s, "/")
	if len(segments) > MaxPathDepth {
		return "", coded.Errorf("path-deep", "place %q is %d levels deep, at most %d are allowed", Clip(s), len(segments), MaxPathDepth)
	}
	for _, segment := range segments {
		if !validSegment(segment) {
			return "", coded.Errorf("path-unfit", "place %q: a path such as tuen-mun/on-ting/block-3 is expected, of lower-case letters, digits, - and _", Clip(s))
		}
	}
	return Path(s), nil
}

func validSegment(s string) bool {
	if s == "" || len(s) > MaxSegmentBytes || !utf8.ValidString(s) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && !isNameRune(r) || unicode.ToLower(r) != r
	}) < 0
}

// SegmentOf makes a path segment of a name: lower-case letters and digits of any
// script, everything between them one hyphen.
func SegmentOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(norm.NFC.String(name)), func(c rune) bool { return c != '_' && !isNameRune(c) })
	return strings.Join(words, "-")
}

// Depth is the number of segments.
func (p Path) Depth() int {
	if p == "" {
		return 0
	}
	return strings.Count(string(p), "/") + 1
}

// Parent is the path without its last segment; "" for the first level.
func (p Path) Parent() Path {
	return p[:max(strings.LastIndexByte(string(p), '/'), 0)]
}

// EstateDepth and BlockDepth are how many segments the path of an estate and of a block has: district, estate, block.
const (
	EstateDepth = 2
	BlockDepth  = 3
)

// Cut is the path's first n segments, or all of it when it has no more.
func (p Path) Cut(n int) Path {
	for i := range len(p) {
		if p[i] == '/' {
			if n--; n == 0 {
				return p[:i]
			}
		}
	}
	if n <= 0 {
		return ""
	}
	return p
}

// Under reports whether p is top or lies below it.
func (p Path) Under(top Path) bool {
	return strings.HasPrefix(string(p), string(top)) && (len(p) == len(top) || p[len(top)] == '/')
}

// CheckID says what is wrong with a member id, nil if nothing is.
func CheckID(id string) error {
	bad := strings.IndexFunc(id, func(r rune) bool { return !isASCIIAlnum(r) && !strings.ContainsRune("._-", r) })
	if id == "" {
		return coded.New("id-empty", "the id is empty: 1 to 64 letters A-Z a-z, digits, . _ - are expected")
	}
	if bad >= 0 || len(id) > MaxIDBytes {
		return coded.Errorf("id-unfit", "id %q: 1 to 64 letters A-Z a-z, digits, . _ - are expected", Clip(id))
	}
	return nil
}

func checkKind(k Kind) error {
	if !isLowerWord(string(k)) {
		return coded.Errorf("kind-unfit", "kind %q: a lower-case word such as screen, speaker, phone or person is expected", Clip(string(k)))
	}
	return nil
}

func checkTags(tags []Tag) error {
	if len(tags) > MaxTags {
		return coded.Errorf("tags-many", "%d tags, at most %d are allowed", len(tags), MaxTags)
	}
	for i, tag := range tags {
		if err := checkTagName(tag.Name); err != nil {
			return err
		}
		if err := checkTagValue(tag.Value); err != nil {
			return err
		}
		if i > 0 && compareTags(tags[i-1], tag) >= 0 {
			return coded.Errorf("tag-repeated", "tag %s=%s is repeated or not sorted", tag.Name, tag.Value)
		}
	}
	return nil
}

// checkTagName refuses what the selection grammar could not name.
func checkTagName(name string) error {
	valid := name != "" && len(name) <= MaxTagNameBytes && utf8.ValidString(name) &&
		strings.IndexFunc(name, func(r rune) bool {
			return !isNameRune(r) && !strings.ContainsRune("-_.", r) || unicode.ToLower(r) != r
		}) < 0
	if !valid {
		return coded.Errorf("tag-name-unfit", "tag name %q: a lower-case word of letters, digits, - _ . such as role is expected", Clip(name))
	}
	if keywords[name] || fields[name] != OpNone {
		return coded.Errorf("tag-name-taken", "tag name %q is a word of the selection grammar; another name is expected", name)
	}
	return nil
}

func checkTagValue(value string) error {
	return checkText(coded.Word("value"), value, MaxTagValueBytes, "")
}

func checkLanguages(languages []string) error {
	if len(languages) > MaxLanguages {
		return coded.Errorf("languages-many", "%d languages, at most %d are allowed", len(languages), MaxLanguages)
	}
	for i, language := range languages {
		if err := checkLanguage(language); err != nil {
			return err
		}
		if slices.ContainsFunc(languages[:i], func(l string) bool { return strings.EqualFold(l, language) }) {
			return coded.Errorf("language-repeated", "language %s is repeated", language)
		}
	}
	return nil
}

// checkLanguage holds s against the shape of RFC 5646: subtags of 1 to 8 letters
// or digits, joined by hyphens, the first of letters.
func checkLanguage(s string) error {
	first, _, _ := strings.Cut(s, "-")
	valid := len(s) <= 35 && len(first) >= 2 && strings.IndexFunc(first, func(r rune) bool { return !isASCIIAlnum(r) || r <= '9' }) < 0
	for part := range strings.SplitSeq(s, "-") {
		valid = valid && part != "" && len(part) <= 8 && strings.IndexFunc(part, func(r rune) bool { return !isASCIIAlnum(r) }) < 0
	}
	if !valid {
		return coded.Errorf("language-unfit", "language %q: a tag such as en or zh-HK is expected", Clip(s))
	}
	return nil
}

func checkEndpoints(endpoints []Endpoint) error {
	if len(endpoints) > MaxEndpoints {
		return coded.Errorf("endpoints-many", "%d endpoints, at most %d are allowed", len(endpoints), MaxEndpoints)
	}
	for i, endpoint := range endpoints {
		if !isLowerWord(endpoint.Channel) {
			return coded.Errorf("channel-unfit", "channel %q: a lower-case word such as mqtt or sms is expected", Clip(endpoint.Channel))
		}
		if endpoint.Address == "" {
			return coded.Errorf("channel-address", "channel %s has no address", endpoint.Channel)
		}
		if err := checkText(coded.Word("address"), endpoint.Address, MaxNameBytes, ""); err != nil {
			return err
		}
		if slices.Contains(endpoints[:i], endpoint) {
			return coded.Errorf("endpoint-repeated", "endpoint %s:%s is repeated", endpoint.Channel, endpoint.Address)
		}
	}
	return nil
}

// checkText refuses what is not printable UTF-8, but for the allowed characters.
func checkText(what coded.Word, s string, limit int, allowed string) error {
	if len(s) > limit {
		return coded.Errorf("text-long", "the %s is %d bytes long, at most %d are allowed", what, len(s), limit)
	}
	if !utf8.ValidString(s) {
		return coded.Errorf("text-utf8", "the %s %q is not UTF-8", what, Clip(s))
	}
	if strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(allowed, r) }) >= 0 {
		return coded.Errorf("text-control", "the %s %q holds a control character", what, Clip(s))
	}
	return nil
}

func isASCIIAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// isLowerWord reports a letter a-z followed by letters, digits and hyphens.
func isLowerWord(s string) bool {
	if s == "" || len(s) > maxWordBytes || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r != '-' && (!isASCIIAlnum(r) || r >= 'A' && r <= 'Z') }) < 0
}

// Clip shortens foreign text for an error message.
func Clip(s string) string {
	const limit = 40
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}
