package lookup

import (
	"encoding/binary"

	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
)

// position says where a member is judged to be.
type position uint8

const (
	absent    position = iota // no such member
	unlocated                 // only geocodes reach it
	itsOwn                    // its own Location
	atPlace                   // the Location of its place
	inShape                   // the Shape of its place
)

// record is what the index keeps of one member: enough to take it out of every
// dimension again.
type record struct {
	text    string         // id and addresses, see packTexts
	profile uint32         // in Index.profiles
	anchor  uint32         // with inShape the place, in tree, whose Shape it is in
	slot    uint32         // with itsOwn and atPlace where it stands in its cell of the grid
	at      geometry.Point // with itsOwn and atPlace
	how     position
}

// pageSize is the number of records allocated together. Ordinals are dense, so
// pages are full but for the last.
const pageSize = 1 << 12

// page is a piece of the array of records. Places stand apart from the rest, so
// that counting by place reads 4 bytes a member.
type page struct {
	records [pageSize]record
	places  [pageSize]uint32 // in tree; 0 for an absent member
}

// records is an array over all ordinals, in pages.
type records struct{ pages []*page }

// find returns the record of a present member, or nil.
func (r *records) find(ord uint32) *record {
	p := r.page(ord)
	if p == nil || p.records[ord%pageSize].how == absent {
		return nil
	}
	return &p.records[ord%pageSize]
}

// page returns the page that the ordinal is on, or nil.
func (r *records) page(ord uint32) *page {
	if n := int(ord / pageSize); n < len(r.pages) {
		return r.pages[n]
	}
	return nil
}

// place returns the place of a member, in tree; 0 for an absent one.
func (r *records) place(ord uint32) uint32 {
	if p := r.page(ord); p != nil {
		return p.places[ord%pageSize]
	}
	return 0
}

// set keeps a record and its place; the zero record makes the member absent.
func (r *records) set(ord uint32, rec record, place uint32) *record {
	n := int(ord / pageSize)
	for len(r.pages) <= n {
		r.pages = append(r.pages, nil)
	}
	if r.pages[n] == nil {
		r.pages[n] = new(page)
	}
	r.pages[n].places[ord%pageSize] = place
	r.pages[n].records[ord%pageSize] = rec
	return &r.pages[n].records[ord%pageSize]
}

// packTexts joins the id and the addresses that differ from it into one string:
// one allocation per member instead of one per text.
func packTexts(m *audience.Member) string {
	var room [512]byte
	b := audience.AppendStrings(room[:0], m.ID)
	for i, endpoint := range m.Endpoints {
		if endpoint.Address != m.ID && !addressBefore(m.Endpoints[:i], endpoint.Address) {
			b = audience.AppendStrings(b, endpoint.Address)
		}
	}
	return string(b)
}

func addressBefore(endpoints []audience.Endpoint, address string) bool {
	for _, endpoint := range endpoints {
		if endpoint.Address == address {
			return true
		}
	}
	return false
}

// id is the member's id.
func (r *record) id() string {
	first, _ := cutText(r.text)
	return first
}

// addresses calls visit with each address that differs from the id.
func (r *record) addresses(visit func(address string)) {
	_, rest := cutText(r.text)
	for rest != "" {
		var address string
		address, rest = cutText(rest)
		visit(address)
	}
}

// hasAddress reports whether one of the addresses equals text.
func (r *record) hasAddress(text string) bool {
	_, rest := cutText(r.text)
	for rest != "" {
		var address string
		if address, rest = cutText(rest); address == text {
			return true
		}
	}
	return false
}

// cutText cuts the first length-prefixed text off packed, which packTexts wrote.
func cutText(packed string) (text, rest string) {
	var head [binary.MaxVarintLen64]byte
	n, size := binary.Uvarint(head[:copy(head[:], packed)])
	return packed[size : size+int(n)], packed[size+int(n):]
}
