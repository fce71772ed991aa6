package openapitest

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// schema is what the description says of a value (JSON Schema 2020-12, as far as it is used
// there).
type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Format               string             `json:"format"`
	Enum                 []string           `json:"enum"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties *schema            `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	MaxItems             *int               `json:"maxItems"`
	Minimum              *float64           `json:"minimum"`
	OneOf                []*schema          `json:"oneOf"`
}

const toSchemas = "#/components/schemas/"

// fits says what is wrong with a value that encoding/json decoded; nil is nothing. at is where
// it stands.
func (d *Document) fits(s *schema, v any, at string) error {
	if s.Ref != "" {
		to, ok := d.doc.Components.Schemas[strings.TrimPrefix(s.Ref, toSchemas)]
		if !ok {
			return fmt.Errorf("%s: there is no schema %s", at, s.Ref)
		}
		s = to
	}
	if len(s.OneOf) > 0 {
		return d.fitsOne(s.OneOf, v, at)
	}
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			return fmt.Errorf("%s is an object, and %s is described", at, s.Type)
		}
		return d.fitsObject(s, v, at)
	case []any:
		if s.Type != "array" || s.MaxItems != nil && len(v) > *s.MaxItems {
			return fmt.Errorf("%s is an array of %d, and %s is described", at, len(v), s.Type)
		}
		for i, one := range v {
			if err := d.fits(s.Items, one, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	}
	return s.fitsScalar(v, at)
}

// fitsOne asks that exactly one schema fits.
func (d *Document) fitsOne(all []*schema, v any, at string) error {
	fit, last := 0, error(nil)
	for _, s := range all {
		if err := d.fits(s, v, at); err != nil {
			last = err
			continue
		}
		fit++
	}
	if fit != 1 {
		return fmt.Errorf("%s fits %d of %d schemas, one is described: %v", at, fit, len(all), last)
	}
	return nil
}

func (d *Document) fitsObject(s *schema, v map[string]any, at string) error {
	for _, name := range s.Required {
		if _, there := v[name]; !there {
			return fmt.Errorf("%s lacks %s, which is required", at, name)
		}
	}
	for name, one := range v {
		property := s.Properties[name]
		if property == nil {
			property = s.AdditionalProperties
		}
		switch {
		case property == nil && len(s.Properties) == 0: // any object
			continue
		case property == nil:
			return fmt.Errorf("%s has %s, which is not described", at, name)
		}
		if err := d.fits(property, one, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// fitsScalar holds what is neither an object nor an array against the schema.
func (s *schema) fitsScalar(v any, at string) error {
	is := "null"
	switch v := v.(type) {
	case string:
		if is = "string"; s.Format == "date-time" {
			if _, err := time.Parse(time.RFC3339Nano, v); err != nil {
				return fmt.Errorf("%s is no time: %w", at, err)
			}
		}
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			return fmt.Errorf("%s is %q, which is none of %s", at, v, strings.Join(s.Enum, ", "))
		}
	case bool:
		is = "boolean"
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return fmt.Errorf("%s is no number: %w", at, err)
		}
		if s.Minimum != nil && f < *s.Minimum {
			return fmt.Errorf("%s is %s, and %v is the least", at, v, *s.Minimum)
		}
		if is = "number"; s.Type == "integer" && f == math.Trunc(f) {
			is = "integer"
		}
	}
	if is != s.Type {
		return fmt.Errorf("%s is of type %s, and %s is described", at, is, s.Type)
	}
	return nil
}
