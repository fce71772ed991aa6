package lookup

import (
	"encoding/binary"
	"strings"

	"almenara/storage/audience"
	"almenara/storage/audience/lookup/sets"
)

// profile is one combination of kind, languages and tags. Members share profiles:
// a district has a few hundred. A profile knows the dimensions its members are in.
type profile struct {
	key     string
	kind    audience.Kind
	members int
	keys    []dimKey
	dims    []*sets.Set // of keys, in order
}

// dimension is what a dimKey is about.
type dimension uint8

const (
	dimKind dimension = iota
	dimLanguage
	dimAnyLanguage // members without languages, who take all
	dimHas
	dimTag
)

// dimKey names one dimension: the members of a kind, with a language, with a tag.
type dimKey struct {
	what        dimension
	name, value string
}

// profiles interns profiles and owns the dimensions.
type profiles struct {
	items []profile
	free  []uint32
	byKey map[string]uint32
	dims  map[dimKey]*sets.Set
	odd   map[dimKey][]dimKey // by form: the dimensions of that form that are spelled otherwise
}

func newProfiles() profiles {
	return profiles{byKey: map[string]uint32{}, dims: map[dimKey]*sets.Set{}, odd: map[dimKey][]dimKey{}}
}

// join makes ord a member of m's profile and of its dimensions.
func (p *profiles) join(ord uint32, m *audience.Member) uint32 {
	var room [512]byte
	key := profileKey(room[:0], m)
	at, ok := p.byKey[string(key)]
	if !ok {
		at = p.add(string(key), m)
	}
	p.items[at].members++
	for _, dim := range p.items[at].dims {
		dim.Add(ord)
	}
	return at
}

// leave undoes join.
func (p *profiles) leave(ord, at uint32) {
	item := &p.items[at]
	for _, dim := range item.dims {
		dim.Remove(ord)
	}
	if item.members--; item.members > 0 {
		return
	}
	for i, key := range item.keys {
		if item.dims[i].Empty() {
			delete(p.dims, key)
			p.forget(key)
		}
	}
	delete(p.byKey, item.key)
	*item = profile{}
	p.free = append(p.free, at)
}

// add makes a profile. Nothing of m is kept: its texts may be cut out of a record.
func (p *profiles) add(key string, m *audience.Member) uint32 {
	item := profile{key: key, kind: audience.Kind(strings.Clone(string(m.Kind))), keys: memberDims(m)}
	for i, k := range item.keys {
		k = dimKey{k.what, strings.Clone(k.name), strings.Clone(k.value)}
		item.keys[i] = k
		if p.dims[k] == nil {
			p.dims[k] = new(sets.Set)
			p.spell(k)
		}
		item.dims = append(item.dims, p.dims[k])
	}
	at := uint32(len(p.items))
	if n := len(p.free); n > 0 {
		at = p.free[n-1]
		p.free = p.free[:n-1]
		p.items[at] = item
	} else {
		p.items = append(p.items, item)
	}
	p.byKey[key] = at
	return at
}

// dim returns a dimension to read, never nil.
func (p *profiles) dim(what dimension, name, value string) *sets.Set {
	if s := p.dims[dimKey{what, name, value}]; s != nil {
		return s
	}
	return &sets.Set{}
}

// profileKey appends a text that is the same for equal kinds, languages and tags.
func profileKey(dst []byte, m *audience.Member) []byte {
	dst = audience.AppendStrings(dst, string(m.Kind))
	dst = binary.AppendUvarint(dst, uint64(len(m.Languages)))
	dst = audience.AppendStrings(dst, m.Languages...)
	for _, tag := range m.Tags {
		dst = audience.AppendStrings(dst, tag.Name, tag.Value)
	}
	return dst
}

// memberDims lists the dimensions that m is in. A language stands in every range
// that RFC 4647 basic filtering matches it with: zh-Hant-HK in zh, zh-hant and
// zh-hant-hk. Repetitions do no harm.
func memberDims(m *audience.Member) []dimKey {
	keys := []dimKey{{what: dimKind, name: string(m.Kind)}}
	if len(m.Languages) == 0 {
		keys = append(keys, dimKey{what: dimAnyLanguage})
	}
	for _, language := range m.Languages {
		language = strings.ToLower(language)
		for i := range len(language) {
			if language[i] == '-' {
				keys = append(keys, dimKey{what: dimLanguage, name: language[:i]})
			}
		}
		keys = append(keys, dimKey{what: dimLanguage, name: language})
	}
	for _, tag := range m.Tags {
		keys = append(keys, dimKey{what: dimHas, name: tag.Name}, dimKey{dimTag, tag.Name, tag.Value})
	}
	return keys
}
