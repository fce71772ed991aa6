package openapitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Sample is one example of the description.
type Sample struct {
	Operation string // its id
	Status    string // of the answer that it is; "" is a request
	Media     string
	Raw       json.RawMessage
}

// Samples gives every example of a request and of an answer, once each has been held against
// its schema. A body without one is an error.
func (d *Document) Samples() (all []Sample, err error) {
	for _, path := range slices.Sorted(maps.Keys(d.doc.Paths)) {
		for _, op := range d.doc.Paths[path] {
			if op.RequestBody != nil {
				if all, err = d.samples(all, op.ID, "", op.RequestBody.Content); err != nil {
					return nil, err
				}
			}
			for status, said := range op.Responses {
				if all, err = d.samples(all, op.ID, status, said.Content); err != nil {
					return nil, err
				}
			}
		}
	}
	return all, nil
}

func (d *Document) samples(all []Sample, op, status string, content map[string]media) ([]Sample, error) {
	for typ, m := range content {
		raws := []json.RawMessage{m.Example}
		for _, one := range m.Examples {
			if name, ok := strings.CutPrefix(one.Ref, "#/components/examples/"); ok {
				one = d.doc.Components.Examples[name]
			}
			raws = append(raws, one.Value)
		}
		raws = slices.DeleteFunc(raws, func(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" })
		if len(raws) == 0 {
			return nil, fmt.Errorf("%s %s has no example of %s", op, status, typ)
		}
		for _, raw := range raws {
			value, err := decoded(raw)
			if err == nil {
				err = d.fits(m.Schema, value, "the example")
			}
			if err != nil {
				return nil, fmt.Errorf("%s %s %s: %w: %s", op, status, typ, err, raw)
			}
			all = append(all, Sample{Operation: op, Status: status, Media: typ, Raw: raw})
		}
	}
	return all, nil
}
