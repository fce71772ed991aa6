package capjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"almenara/storage/alert"
	"almenara/storage/alert/schema"
	"almenara/storage/alert/tokens"
	"almenara/storage/coded"
)

// shape is what may stand at one place of the JSON form. encoding/json itself takes
// fields in any spelling of case, repeated ones, and lists of any length.
type shape struct {
	fields map[string]*shape // an object
	item   *shape            // an array
	most   int               // items of the array over the whole message
	kind   string            // else "text", "a whole number" or "true or false"
}

var (
	shapeText   = &shape{kind: "text"}
	shapeTime   = &shape{kind: "text"} // a date and time
	shapeNumber = &shape{kind: "a whole number"}
	shapeBool   = &shape{kind: "true or false"}
	shapeTexts  = &shape{item: shapeText, most: tokens.MaxElements}
	shapePairs  = &shape{item: shapeOf(&schema.NamedBlock, nil), most: tokens.MaxElements}

	shapeAlert = shapeOf(&schema.AlertBlock, map[string]*shape{
		"sent": shapeTime, "code": shapeTexts, "info": {item: shapeInfo, most: alert.MaxInfos}, "signed": shapeBool,
	})
	shapeInfo = shapeOf(&schema.InfoBlock, map[string]*shape{
		"effective": shapeTime, "onset": shapeTime, "expires": shapeTime,
		"category": shapeTexts, "responseType": shapeTexts, "eventCode": shapePairs, "parameter": shapePairs,
		"resource": {item: shapeOf(&schema.ResourceBlock, map[string]*shape{"size": shapeNumber}), most: alert.MaxResources},
		"area": {item: shapeOf(&schema.AreaBlock, map[string]*shape{
			"polygon": shapeTexts, "circle": shapeTexts, "geocode": shapePairs,
		}), most: alert.MaxAreas},
	})
)

// shapeOf makes the object for a block: every child is a text but the named others.
func shapeOf(b *schema.Block, others map[string]*shape) *shape {
	fields := make(map[string]*shape)
	for _, child := range b.Children {
		fields[child.Name] = shapeText
	}
	for name, s := range others {
		fields[name] = s
	}
	return &shape{fields: fields}
}

// jsonScanner checks raw against a shape before anything is built from it.
type jsonScanner struct {
	dec   *json.Decoder
	found *alert.Findings // warnings
	items map[*shape]int
}

// scanJSON checks that raw is one object of the alert's form and nothing else.
func scanJSON(raw []byte, found *alert.Findings) error {
	s := jsonScanner{found: found, dec: json.NewDecoder(bytes.NewReader(raw)), items: make(map[*shape]int)}
	s.dec.UseNumber()
	if err := s.value(shapeAlert, "the alert", false); err != nil {
		return err
	}
	if _, err := s.dec.Token(); !errors.Is(err, io.EOF) {
		return coded.New("json-more", "reading JSON: something follows the alert")
	}
	return nil
}

// value checks one value; at is its path. null is allowed for a field, where it
// stands for absent.
func (s *jsonScanner) value(want *shape, at string, orNull bool) error {
	t, err := s.dec.Token()
	if err != nil {
		return readingJSON(err)
	}
	switch t {
	case json.Delim('{'):
		if want.fields == nil {
			return coded.Errorf("json-kind", "%s must be %s", at, want.what())
		}
		return s.object(want, at)
	case json.Delim('['):
		if want.item == nil {
			return coded.Errorf("json-kind", "%s must be %s", at, want.what())
		}
		return s.array(want, at)
	}
	if !want.fits(t) && !(t == nil && orNull) {
		return coded.Errorf("json-kind", "%s must be %s", at, want.what())
	}
	if text, ok := t.(string); ok && want == shapeTime {
		if d, odd, err := alert.ReadDateTime(text); err == nil && odd {
			s.found.OddTime(at, text, d)
		}
	}
	return nil
}

// fits reports whether a plain value is of the wanted kind.
func (want *shape) fits(t json.Token) bool {
	switch t := t.(type) {
	case string:
		return want == shapeText || want == shapeTime
	case json.Number:
		_, err := t.Int64()
		return want == shapeNumber && err == nil
	case bool:
		return want == shapeBool
	}
	return false
}

// what names the kind for people.
func (want *shape) what() coded.Word {
	switch {
	case want.fields != nil:
		return "an object"
	case want.item != nil:
		return "an array"
	default:
		return coded.Word(want.kind)
	}
}

// object checks the fields up to the closing brace.
func (s *jsonScanner) object(want *shape, at string) error {
	var seen []string
	for s.dec.More() {
		t, err := s.dec.Token()
		if err != nil {
			return readingJSON(err)
		}
		name, _ := t.(string)
		field := want.fields[name]
		if field == nil {
			return coded.Errorf("json-field", "%s has an unknown field %q", at, alert.Clip(name))
		}
		if slices.Contains(seen, name) {
			return coded.Errorf("json-twice", "%s has the field %q twice", at, name)
		}
		seen = append(seen, name)
		if err := s.value(field, at+"."+name, true); err != nil {
			return err
		}
	}
	return s.close()
}

// array checks the items up to the closing bracket.
func (s *jsonScanner) array(want *shape, at string) error {
	for n := 0; s.dec.More(); n++ {
		if s.items[want]++; s.items[want] > want.most {
			return coded.Errorf("items-many", "%w: more than %d items like %s", alert.ErrTooBig, want.most, at)
		}
		if err := s.value(want.item, fmt.Sprintf("%s[%d]", at, n), false); err != nil {
			return err
		}
	}
	return s.close()
}

// close reads the closing brace or bracket.
func (s *jsonScanner) close() error {
	_, err := s.dec.Token()
	return readingJSON(err)
}

// readingJSON wraps an error of the decoder.
func readingJSON(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return coded.New("json-early", "reading JSON: it ends too early")
	}
	return coded.Errorf("json-error", "reading JSON: %w", err)
}
