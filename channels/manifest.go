package channels

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels/contract"
)

// entry is one line of a manifest: an alert that is in force or one that has ended.
type entry struct {
	inForce contract.InForce // where ended is nil
	ended   *contract.Ended
	size    int     // bytes of its JSON and a comma
	number  uint64  // equal for equal content, for no other
	groups  []int32 // who is told; nil: everybody
}

// expired reports whether the line says something that holds no more.
func (e *entry) expired(now time.Time) bool { return e.ended == nil && !now.Before(e.inForce.Expires) }

// signed is the manifest of one group as it was signed last.
type signed struct {
	listing *Listing
	at      time.Time
}

// entries makes the lines of the situation, in the order in which they are listed: what is
// in force, the gravest first, then ends of alerts of which a message is known here, then
// other ends, the newest first.
func (d *Dispatcher) entries() []entry {
	out := make([]entry, 0, len(d.prepared)+len(d.situation.Ended))
	for _, p := range d.prepared {
		e := entry{groups: d.groupsOfItem(&p.item), inForce: contract.InForce{
			ID: string(p.item.Alert), Revision: uint64(p.item.Revision), Digest: p.item.Digest, Expires: p.item.Expires.UTC(), Reminded: p.item.Reminded,
		}}
		out = d.appendEntry(out, e, e.inForce)
	}
	ends := slices.Clone(d.situation.Ended)
	slices.SortStableFunc(ends, func(a, b End) int {
		return cmp.Or(-compareBool(a.Known, b.Known), b.At.Compare(a.At), strings.Compare(a.ID, b.ID))
	})
	for i := range ends {
		e := entry{ended: &ends[i].Ended}
		if ends[i].To != nil {
			e.groups = d.groupsOf(ends[i].To)
		}
		out = d.appendEntry(out, e, ends[i].Ended)
	}
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// appendEntry appends the line, unless it concerns nobody. content is comparable.
func (d *Dispatcher) appendEntry(list []entry, e entry, content any) []entry {
	if e.groups != nil && len(e.groups) == 0 {
		return list
	}
	known, ok := d.numbers.get(content)
	if !ok {
		d.lastNumber++
		known = numbered{number: d.lastNumber, size: jsonSize(content) + 1}
	}
	d.numbers.used[content] = known
	e.number, e.size = known.number, known.size
	return append(list, e)
}

// numbered is what does not change while an entry's content does not.
type numbered struct {
	number uint64
	size   int
}

// groupsOfItem is who hears that the item is in force; nil is everybody.
func (d *Dispatcher) groupsOfItem(it *Item) []int32 {
	if it.Concerns == nil {
		return nil
	}
	groups := d.groupsOf(it.Concerns)
	for _, part := range it.Parts {
		if more := d.groupsOf(part.To); !containsAll(groups, more) {
			groups = slices.Concat(groups, more)
			slices.Sort(groups)
			groups = slices.Compact(groups)
		}
	}
	return groups
}

func containsAll(sorted, some []int32) bool {
	return !slices.ContainsFunc(some, func(g int32) bool {
		_, ok := slices.BinarySearch(sorted, g)
		return !ok
	})
}

// groupsOf is the groups of the members, worked out once for each bitmap.
func (d *Dispatcher) groupsOf(members *roaring.Bitmap) []int32 {
	groups, ok := d.touching.get(members)
	if !ok {
		groups = d.situation.Places.Touching(members)
		d.touching.used[members] = groups
	}
	return groups
}

// listings are the manifests of this moment for each group, and the one of everything
// where that is wanted. A group that is told what it was told less than ManifestEvery ago
// keeps that manifest, unless all are to be new. unsigned is about how many pages have yet to
// be signed, by signListings.
func (d *Dispatcher) listings(now time.Time, all bool) (lists [][]*entry, keys []string, unsigned int) {
	lists = make([][]*entry, d.situation.Places.Len(), d.situation.Places.Len()+1)
	var whole []*entry
	for i := range d.lines {
		e := &d.lines[i]
		if e.expired(now) {
			continue
		}
		whole = append(whole, e)
		for _, group := range e.groups {
			lists[group] = append(lists[group], e)
		}
		if e.groups == nil {
			for group := range lists {
				lists[group] = append(lists[group], e)
			}
		}
	}
	if d.options.Shared {
		lists = append(lists, whole)
	}
	keys = make([]string, len(lists))
	missing := map[string]bool{}
	for i, list := range lists {
		keys[i] = keyOf(list)
		if old, ok := d.signed[keys[i]]; ok && !all && !now.Before(old.at) && now.Sub(old.at) < ManifestEvery {
			continue
		}
		delete(d.signed, keys[i])
		if !missing[keys[i]] {
			missing[keys[i]] = true
			unsigned += 1 + sizeOf(list)/d.options.MaxPage
		}
	}
	return lists, keys, unsigned
}

// keyOf is equal for lists that say the same.
func keyOf(list []*entry) string {
	key := make([]byte, 0, 8*len(list))
	for _, e := range list {
		key = binary.LittleEndian.AppendUint64(key, e.number)
	}
	return string(key)
}

// sign signs what is not signed yet, in one version, and gives the manifests by group.
// The version is used up even when signing fails.
func (d *Dispatcher) signListings(lists [][]*entry, keys []string, now time.Time) ([]*Listing, error) {
	out := make([]*Listing, len(lists))
	used := make(map[string]signed, len(d.signed))
	version := uint64(0)
	for i, list := range lists {
		s, ok := d.signed[keys[i]]
		if !ok {
			if version == 0 {
				d.version = max(d.options.Version(d.version, now), d.version+1)
				version = d.version
			}
			pages, err := d.pages(list, version, now)
			if err != nil {
				return nil, err
			}
			s = signed{&Listing{Pages: pages}, now}
			d.signed[keys[i]] = s
		}
		used[keys[i]], out[i] = s, s.listing
	}
	d.signed = used
	return out, nil
}

// pages signs one list, in as many pages as it needs.
func (d *Dispatcher) pages(list []*entry, version uint64, now time.Time) ([][]byte, error) {
	head := contract.Manifest{
		Time: now.UTC(), Node: d.options.Node, Version: version, InForce: []contract.InForce{}, Ended: []contract.Ended{},
	}
	parts := [][]*entry{list}
	if d.options.Signer.SignedSize(jsonSize(head)+sizeOf(list)) > d.options.MaxPage {
		head.Page, head.Pages = contract.MaxPages, contract.MaxPages // of the size that they have at most
		parts = split(list, func(bytes int) bool {
			return d.options.Signer.SignedSize(jsonSize(head)+bytes) <= d.options.MaxPage
		})
	}
	pages := make([][]byte, 0, len(parts))
	for i, part := range parts {
		m := head
		m.Page, m.Pages = i+1, len(parts)
		if len(parts) == 1 {
			m.Page, m.Pages = 0, 0
		}
		for _, e := range part {
			if e.ended != nil {
				m.Ended = append(m.Ended, *e.ended)
			} else {
				m.InForce = append(m.InForce, e.inForce)
			}
		}
		page, err := d.options.Signer.Sign(m)
		if err != nil {
			return nil, fmt.Errorf("signing manifest %d: %w", m.Version, err)
		}
		pages = append(pages, page)
	}
	return pages, nil
}

func sizeOf(list []*entry) int {
	bytes := 0
	for _, e := range list {
		bytes += e.size
	}
	return bytes
}

// split cuts the list where a page is full. Every page has at least one entry.
func split(list []*entry, fits func(bytes int) bool) [][]*entry {
	var parts [][]*entry
	from, bytes := 0, 0
	for i, e := range list {
		if bytes += e.size; i > from && !fits(bytes) {
			parts, from, bytes = append(parts, list[from:i]), i, e.size
		}
	}
	return append(parts, list[from:])
}
