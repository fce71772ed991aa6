package delivery

import (
	"bytes"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/storage/alert"
)

// Plan is what holds now, made ready once for all devices. It is immutable. The zero value
// holds nothing.
type Plan struct {
	now        *channels.Now
	active     []planned
	generation uint64    // changes when active does
	byGroup    [][]int32 // indexes into active: what may concern the members of each group
	recent     []int32   // indexes into active: what is no older than recentGenerations

	nowSerials []uint64 // of the manifest of each group; 0: there is none
	serials    map[*channels.Listing]uint64
	keysSerial uint64   // changes with the key ring; 0: there is none
	known      []uint64 // all serials that sessions need to remember, ascending
}

// recentGenerations is how many changes a session may have missed and still look only at
// what has changed.
const recentGenerations = 16

// planned is one delivery. The serial stands for its alert, revision and content:
// sessions remember serials of what they were sent.
type planned struct {
	*channels.Delivery
	serial uint64
	born   uint64 // generation since which it is there, for these members
}

type revisionKey struct {
	id       alert.ID
	revision alert.Revision
	digest   string // two halves may have taken different messages under one key
}

// knownRevision is remembered until it has expired, so that a revision that comes
// back is not sent twice in one session.
type knownRevision struct {
	serial  uint64
	expires time.Time
}

// Planner makes the plans of one gateway, one after the other. It numbers what holds, and
// remembers the numbers of what could come back. It is for one goroutine at a time.
type Planner struct {
	clock  *Clock
	known  map[revisionKey]knownRevision
	serial uint64 // the last that was given
}

// NewPlanner forgets what has expired by the clock's time of day.
func NewPlanner(c *Clock) *Planner {
	return &Planner{clock: c, known: map[revisionKey]knownRevision{}}
}

// Next is the plan for what holds now, after old: what is the same keeps its number.
func (r *Planner) Next(old *Plan, now *channels.Now) *Plan {
	p := &Plan{now: now, generation: old.generation, keysSerial: old.keysSerial, known: old.known, recent: old.recent, byGroup: old.byGroup}
	r.numberListings(p, old)
	if old.now == nil || !bytes.Equal(old.now.Keys, now.Keys) {
		p.keysSerial = r.nextSerial(now.Keys)
	}
	same := old.now != nil && sameActive(old.now.Active, now.Active)
	if same && old.now.Places == now.Places {
		p.active = old.active
		return p
	}
	if !same {
		p.generation++
	}
	p.active = make([]planned, len(now.Active))
	born := old.births()
	for i := range now.Active {
		d := planned{Delivery: &now.Active[i], serial: r.serialOf(&now.Active[i]), born: p.generation}
		if before, ok := born[delivered{d.serial, d.To}]; ok {
			d.born = before
		}
		p.active[i] = d
	}
	p.index()
	p.known = r.forgetExpired(p.active)
	return p
}

// delivered is one body for the same members.
type delivered struct {
	serial uint64
	to     *roaring.Bitmap
}

func (p *Plan) births() map[delivered]uint64 {
	born := make(map[delivered]uint64, len(p.active))
	for i := range p.active {
		born[delivered{p.active[i].serial, p.active[i].To}] = p.active[i].born
	}
	return born
}

// index lists what may concern each group, and what is recent, loudest first.
func (p *Plan) index() {
	p.byGroup, p.recent = make([][]int32, p.now.Places.Len()), nil
	for i := range p.active {
		d := &p.active[i]
		if d.born+recentGenerations > p.generation {
			p.recent = append(p.recent, int32(i))
		}
		for _, group := range d.Groups {
			p.byGroup[group] = append(p.byGroup[group], int32(i))
		}
		if d.Groups == nil {
			for group := range p.byGroup {
				p.byGroup[group] = append(p.byGroup[group], int32(i))
			}
		}
	}
}

// lacking lists what a session may lack that lacked nothing at the generation. It never
// leaves out what the session does lack.
func (p *Plan) lacking(caughtUp uint64, group int) []int32 {
	if caughtUp > 0 && caughtUp+recentGenerations >= p.generation || group >= len(p.byGroup) {
		return p.recent
	}
	return p.byGroup[group]
}

// numberListings gives every manifest a serial: that of before where it says the same.
func (r *Planner) numberListings(p, old *Plan) {
	p.nowSerials = make([]uint64, p.now.Places.Len())
	p.serials = make(map[*channels.Listing]uint64)
	for group := range p.nowSerials {
		listing := p.now.Of(group)
		if listing == nil || len(listing.Pages) == 0 {
			continue
		}
		serial, ok := p.serials[listing]
		if !ok {
			serial, ok = old.serials[listing]
		}
		if !ok {
			if before := old.listing(group); before != nil && samePages(before, listing) {
				serial = old.nowSerials[group]
			} else {
				serial = r.nextSerial(listing.Pages[0])
			}
		}
		p.serials[listing], p.nowSerials[group] = serial, serial
	}
}

func samePages(a, b *channels.Listing) bool { return slices.EqualFunc(a.Pages, b.Pages, bytes.Equal) }

// group is which manifest a member is told; 0 before there is any.
func (p *Plan) group(member uint32) int {
	if p.now == nil {
		return 0
	}
	return p.now.Places.Of(member)
}

// listing is the manifest of a group; nil where there is none.
func (p *Plan) listing(group int) *channels.Listing {
	if p.now == nil {
		return nil
	}
	return p.now.Of(group)
}

// nowSerial is the serial of the member's manifest; 0 where there is none.
func (p *Plan) nowSerial(member uint32) uint64 {
	if group := p.group(member); group < len(p.nowSerials) {
		return p.nowSerials[group]
	}
	return 0
}

func (r *Planner) nextSerial(payload []byte) uint64 {
	if len(payload) == 0 {
		return 0
	}
	r.serial++
	return r.serial
}

func (r *Planner) serialOf(d *channels.Delivery) uint64 {
	key := revisionKey{d.Alert, d.Revision, d.Digest}
	k, ok := r.known[key]
	if !ok {
		r.serial++
		k.serial = r.serial
	}
	k.expires = d.Expires
	r.known[key] = k
	return k.serial
}

// forgetExpired keeps what is active or could come back, and lists it.
func (r *Planner) forgetExpired(active []planned) []uint64 {
	now := r.clock.wall()
	isActive := make(map[uint64]bool, len(active))
	for _, d := range active {
		isActive[d.serial] = true
	}
	var serials []uint64
	for key, k := range r.known {
		if !isActive[k.serial] && now.After(k.expires) {
			delete(r.known, key)
			continue
		}
		serials = append(serials, k.serial)
	}
	slices.Sort(serials)
	return serials
}

// sameActive reports whether both mean the same to every device. Bitmaps are
// compared by identity: they are never modified, so equal ones that differ in
// identity only cost a look at each session.
func sameActive(a, b []channels.Delivery) bool {
	return slices.EqualFunc(a, b, func(x, y channels.Delivery) bool {
		return x.Alert == y.Alert && x.Revision == y.Revision && x.To == y.To && bytes.Equal(x.Body, y.Body)
	})
}
