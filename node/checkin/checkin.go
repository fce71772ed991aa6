// Package checkin lets anybody's phone check in at a place by a printed code, and shows those phones the alerts that
// recall who was there. The visits are in the phone alone: it brings them with its request, they are compared with what
// is in force, and nothing of them is kept. A node keeps a number by place and hour.
//
//	person ─> PlaceCodes ─> sheet on the wall ─> phone ─> At ─> CheckIn ─> the phone's own storage
//	phone with visits ─> Recalls ─> Open ─> Answer ─> residents.Residents, which counts by place
//
// Codes are signed by the node that made them (code.go). Who says that they were somewhere is believed: a code that
// hangs in public can be read by anybody, and all that follows is that a public text is shown. It never imports api,
// pages, or another part of node but authority, ratelimit, residents and wire.
package checkin

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/node/known"
	"almenara/node/ratelimit"
	"almenara/node/residents"
	"almenara/node/residents/floods"
	"almenara/node/residents/refusals"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/noderecord"
)

// Answers take what visitors answer; *residents.Residents is one.
type Answers interface {
	OpenVisitor(v residents.Visitor) (residents.View, error)
	AnswerVisitor(ctx context.Context, v residents.Visitor, in residents.Answer) (residents.Taken, error)
}

// Options say what CheckIns need. None may be nil.
type Options struct {
	Signer   contract.Signer // this node's key
	Keys     func() ([]noderecord.PublicKey, error)
	Audience func() *lookup.Index
	// InForce is what devices are given now; nil: it is not known yet.
	InForce func() *channels.Situation
	Answers Answers
	Counts  *Counts
	Nodes   Nodes
	Base    string // the address under which residents' phones reach the node; "": no codes are made
	Clock   func() time.Time
}

// CheckIns takes visits, and answers service.CheckIns. Its methods may be called from any goroutine.
type CheckIns struct {
	o      Options
	opened *floods.Floods
	counts struct{ address, place, all *ratelimit.Limiter }

	mu     sync.Mutex // guards what follows
	places map[[placeBytes]byte]audience.Path
	made   uint64 // the generation of the audience of which places is
	index  *lookup.Index
}

// New makes one. Nothing runs.
func New(o Options) *CheckIns {
	c := &CheckIns{o: o, opened: floods.New()}
	c.counts.address = ratelimit.New(ratelimit.Options{PerSecond: 2, Burst: 300}) // that of a whole building
	c.counts.place = ratelimit.New(ratelimit.Options{PerSecond: 5, Burst: 500})
	c.counts.all = ratelimit.New(ratelimit.Options{PerSecond: 100, Burst: 3000, Names: 1})
	return c
}

// Place is the place of a code.
type Place struct {
	Path  string
	Names map[string]string // by language
	Here  bool              // the phone has checked in there within this hour
}

// Opens counts a page that is opened from an address, and refuses it where there were too many. At, CheckIn and Open
// count by themselves; Show and Recalls, which others ask too, do not. Its error is a *refusals.Refused.
func (c *CheckIns) Opens(address string) error {
	if !c.opened.Opens(address, c.o.Clock()) {
		return &refusals.Refused{Why: refusals.TooMany, RetryAfter: 15}
	}
	return nil
}

// At is the place of a code that somebody read. Errors are *refusals.Refused.
func (c *CheckIns) At(code, address string, has Visits) (Place, error) {
	if err := c.Opens(address); err != nil {
		return Place{}, err
	}
	return c.at(code, has)
}

func (c *CheckIns) at(code string, has Visits) (Place, error) {
	keys, err := c.o.Keys()
	if err != nil {
		return Place{}, refusals.Refuse(refusals.NotReady)
	}
	now := c.o.Clock()
	of, err := readCode(code, keys, now)
	if err != nil {
		return Place{}, err
	}
	path, known := c.pathOf(of)
	if !known {
		return Place{}, refusals.Refuse(refusals.NoPlace)
	}
	return Place{Path: string(path), Names: c.namesOf(path), Here: slices.Contains(has, Visit{of, hourOf(now)})}, nil
}

// CheckIn adds the place of a code to the visits that a phone has, which the caller gives back to it. A phone counts
// once an hour at a place, as far as its visits say; where too many come at once it is not counted, and its visit is
// as good. Errors are *refusals.Refused.
func (c *CheckIns) CheckIn(code, address string, has Visits) (Place, Visits, error) {
	if err := c.Opens(address); err != nil {
		return Place{}, has, err
	}
	at, err := c.at(code, has)
	if err != nil || at.Here {
		return at, has, err
	}
	now := c.o.Clock()
	at.Here = true
	if c.counts.address.Take(address, now) <= 0 && c.counts.place.Take(at.Path, now) <= 0 && c.counts.all.Take("", now) <= 0 {
		c.o.Counts.add(at.Path, hourOf(now))
	}
	return at, has.with(Visit{placeOf(at.Path), hourOf(now)}, now), nil
}

// Seen is a visit as the phone's owner reads it.
type Seen struct {
	Path  string // "" where the place is not known any more
	Names map[string]string
	Hour  time.Time
}

// Show says what visits are, the newest first.
func (c *CheckIns) Show(has Visits) (out []Seen) {
	for _, v := range slices.Backward(has) {
		path, _ := c.pathOf(v.Place)
		out = append(out, Seen{string(path), c.namesOf(path), time.Unix(int64(v.Hour)*3600, 0)})
	}
	return out
}

func (c *CheckIns) namesOf(path audience.Path) map[string]string {
	place, known := c.o.Audience().Place(path)
	if !known {
		return nil
	}
	out := map[string]string{}
	for _, n := range place.Names {
		out[n.Language] = n.Text
	}
	return out
}

// pathOf is the place that a code or a visit means, among those that are known.
func (c *CheckIns) pathOf(of [placeBytes]byte) (audience.Path, bool) {
	index := c.o.Audience()
	generation := index.Generation()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.places == nil || c.index != index || c.made != generation {
		c.places = map[[placeBytes]byte]audience.Path{}
		for _, path := range known.Paths(index, audience.MaxPathDepth) {
			c.places[placeOf(string(path))] = path
		}
		c.index, c.made = index, generation
	}
	path, ok := c.places[of]
	return path, ok
}

// Recall is an alert that is about a phone's own visit.
type Recall struct {
	Alert    alert.ID
	Place    string // of the alert's parameter
	Names    map[string]string
	Visited  time.Time       // the hour of the visit
	Headline []contract.Text // in the alert's languages
}

// Recalls are the alerts in force that recall who was where the phone was, each once. Nothing is kept.
func (c *CheckIns) Recalls(has Visits) (out []Recall) {
	situation := c.o.InForce()
	if situation == nil || len(has) == 0 {
		return nil
	}
	now, where := c.o.Clock(), c.paths(has)
	for _, it := range situation.InForce {
		if it.Message == nil || !now.Before(it.Expires) {
			continue
		}
		for _, v := range visited.In(it.Message.Infos) {
			if visit, ok := among(has, where, v); ok {
				out = append(out, Recall{it.Alert, v.Place, c.namesOf(audience.Path(v.Place)), visit.time(), headlines(it.Message, v.Place)})
				break
			}
		}
	}
	return out
}

// paths are where the visits were, of those places that are known.
func (c *CheckIns) paths(has Visits) map[[placeBytes]byte]audience.Path {
	out := map[[placeBytes]byte]audience.Path{}
	for _, v := range has {
		if path, known := c.pathOf(v.Place); known {
			out[v.Place] = path
		}
	}
	return out
}

// among is the newest visit that a recall is about; where says which places the visits were at.
func among(has Visits, where map[[placeBytes]byte]audience.Path, recalled visited.Visit) (Visit, bool) {
	own := placeOf(recalled.Place)
	for _, v := range slices.Backward(has) {
		if !v.time().Before(recalled.To) || !recalled.From.Before(v.time().Add(Stay)) {
			continue
		}
		path, known := where[v.Place]
		if v.Place == own || known && path.Under(audience.Path(recalled.Place)) {
			return v, true
		}
	}
	return Visit{}, false
}

// headlines are those of the blocks that recall visitors of a place.
func headlines(a *alert.Alert, place string) (out []contract.Text) {
	texts := channels.Texts(a)
	for n, t := range texts {
		about := slices.ContainsFunc(visited.In(a.Infos[n:n+1]), func(v visited.Visit) bool { return v.Place == place })
		if about {
			out = append(out, t)
		}
	}
	return out
}

// From is the phone that opens or answers a recall.
type From struct {
	Alert, Pass, Address string
	Has                  Visits
}

// visitor is the phone of a recall, where its visits are what the alert is about.
func (c *CheckIns) visitor(f From) (residents.Visitor, error) {
	for _, r := range c.Recalls(f.Has) {
		if string(r.Alert) == f.Alert {
			return residents.Visitor{Alert: r.Alert, Place: r.Place, Pass: f.Pass, Address: f.Address}, nil
		}
	}
	return residents.Visitor{}, refusals.Refuse(refusals.NoVisits)
}

// Open gives what somebody who was there is shown. Errors are *refusals.Refused.
func (c *CheckIns) Open(f From) (residents.View, error) {
	if err := c.Opens(f.Address); err != nil {
		return residents.View{}, err
	}
	v, err := c.visitor(f)
	if err != nil {
		return residents.View{}, err
	}
	return c.o.Answers.OpenVisitor(v)
}

// Answer takes what somebody who was there says: well, or unwell with words and how to reach them. Errors are
// *refusals.Refused.
func (c *CheckIns) Answer(ctx context.Context, f From, in residents.Answer) (residents.Taken, error) {
	if !c.opened.Asks(f.Address, c.o.Clock()) {
		return residents.Taken{}, &refusals.Refused{Why: refusals.TooMany, RetryAfter: 15}
	}
	v, err := c.visitor(f)
	if err != nil {
		return residents.Taken{}, err
	}
	in.Where, in.Text, in.Photo = strings.TrimSpace(in.Where), strings.TrimSpace(in.Text), nil
	return c.o.Answers.AnswerVisitor(ctx, v, in)
}
