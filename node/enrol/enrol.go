// Package enrol lets devices in that make their own secret: a device asks, shows a code, and waits
// until a person who sees that code on the device approves it. What waits is in the memory of this
// node alone, bounded, and ends with it; only the approval becomes a record of the district, with a
// verifier of the secret, which the device keeps. handler.go is what devices ask.
//
// The code is made of the verifier, of the node's nonce and of the root key that the device was told.
// The device commits to the verifier before it is told the nonce, so nobody between the two, and nobody
// who asks beside them, can look for values that give a code which somebody else shows: of two that
// are different, one in 100,000,000 has the same.
//
// It never imports api, cluster, channels, storage or pages.
package enrol

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"sync"
	"time"

	"almenara/node/api/rates"
	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// The bounds of what waits.
const (
	TicketLife = 10 * time.Minute // of a ticket that is shown on a screen
	SheetLife  = 12 * time.Hour   // of those on paper: a working day
	askLife    = 15 * time.Minute // how long a request waits for a person, and an approval for its device
	showLife   = time.Minute      // between the two steps of a device

	MaxSheet     = 50  // tickets on one sheet
	maxTickets   = 500 // that may be used
	maxOfPerson  = 250 // of those, of one person
	maxText      = 512 // bytes of each text of a ticket
	maxUninvited = 32  // requests without a ticket, of all addresses
	maxOfAddress = 3   // of those, of one address
)

// Devices puts the record of a device; *records.Devices is one.
type Devices interface {
	EnrolDevices(ctx context.Context, by authority.Caller, in []wire.Enrol) ([]wire.Enrolled, error)
}

// Options say what an Enrolment needs; all must be set.
type Options struct {
	Devices Devices
	RootKey func() string // the district's, as devices are told it; "" where it cannot be told now
	Node    string        // its name, which the device shows
	Clock   func() time.Time
}

// Enrolment keeps the tickets and the requests. Its methods may be called from any goroutine.
type Enrolment struct {
	o      Options
	limits *rates.Limits
	mux    *http.ServeMux

	mu       sync.Mutex // guards what follows
	tickets  map[string]*Ticket
	requests map[string]*request // by the token of the device
}

// New makes one that knows nobody.
func New(o Options) *Enrolment {
	e := &Enrolment{o: o, limits: rates.New(), tickets: map[string]*Ticket{}, requests: map[string]*request{}}
	e.mux = e.routes()
	return e
}

// For is what a device is to be: all may be empty, and is said at the approval then.
type For struct {
	ID, Kind, Place string
	Member          string // it belongs to; "" is one of the same id
	Replaces        bool   // the device of this id, which is cut off
}

// Ticket lets one device wait, also while many wait that have none. It is no approval: whoever took a
// picture of it waits as everybody does.
type Ticket struct {
	For
	Text  string // what the device brings
	Until time.Time
	by    string
}

// NewTickets makes a ticket for each, which all hold for life. Refused (*wire.Problem) are more than
// MaxSheet, more than may be open at a time, of all or of one person, and places that are none of the caller's.
func (e *Enrolment) NewTickets(by authority.Caller, of []For, life time.Duration) ([]Ticket, error) {
	if len(of) == 0 || len(of) > MaxSheet {
		return nil, wire.Problemf(wire.KindRefused, "a sheet has from 1 to %d codes, not %d; none was made", MaxSheet, len(of)).Because(why.SheetCodes, MaxSheet, len(of))
	}
	for _, f := range of {
		if max(len(f.ID), len(f.Kind), len(f.Place), len(f.Member)) > maxText {
			return nil, wire.Problemf(wire.KindRefused, "a name, kind, place or member has at most %d bytes; no code was made", maxText).Because(why.BytesLong, maxText)
		}
	}
	for _, f := range of { // which member it is to belong to is looked up when it is enrolled
		if f.Place != "" {
			if err := inplaces.Hold(by, authority.ChangeDevices, cmp.Or(f.ID, f.Place), f.Place); err != nil {
				return nil, err
			}
		}
	}
	now := e.o.Clock()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now)
	if own := e.ticketsOf(by.Name); own+len(of) > maxOfPerson {
		return nil, wire.Problemf(wire.KindOverBudget, "%d codes of %s are open at this node, which keeps %d of one person at most; none was made", own, by.Name, maxOfPerson).Because(why.CodesOpen, own, maxOfPerson)
	}
	if len(e.tickets)+len(of) > maxTickets {
		return nil, wire.Problemf(wire.KindOverBudget, "%d codes are open at this node, and it keeps %d at most; none was made", len(e.tickets), maxTickets).Because(why.CodesOpen, len(e.tickets), maxTickets)
	}
	var out []Ticket
	for _, f := range of {
		t := &Ticket{For: f, Text: random(16), Until: now.Add(life), by: by.Name}
		e.tickets[t.Text] = t
		out = append(out, *t)
	}
	return out, nil
}

// ticketsOf counts the open tickets of one person. mu must be held.
func (e *Enrolment) ticketsOf(name string) (n int) {
	for _, t := range e.tickets {
		if t.by == name {
			n++
		}
	}
	return n
}

// The states of a request.
const (
	Waits    = "waiting"  // for a person
	Approved = "approved" // and not yet fetched, or fetched again
	Refused  = "refused"  // by a person
)

// request is one device that asks.
type request struct {
	number      string // names it for people; no secret
	kind        string
	address     string
	wants       For
	invited     bool
	commitment  string
	nonce, root string
	verifier    string // "" until the device has shown it
	code        string
	since       time.Time
	until       time.Time
	state       string
	deciding    bool // an approval is on its way
	enrolled    wire.Enrolled
}

// random is so many random bytes, base64url.
func random(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// digest is the SHA-256 of a text, base64url.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// codeOf is what device and node show: eight digits. See CONTRACT.md §2.1.
func codeOf(verifier, nonce, root string) string {
	sum := sha256.Sum256([]byte("almenara enrolment 1\n" + verifier + "\n" + nonce + "\n" + root))
	n := binary.BigEndian.Uint64(sum[:8]) >> 16 % 100_000_000 // six bytes, which JavaScript can count with
	return fmt.Sprintf("%04d %04d", n/10_000, n%10_000)
}

// sweep forgets what is over. mu must be held.
func (e *Enrolment) sweep(now time.Time) {
	for text, t := range e.tickets {
		if !now.Before(t.Until) {
			delete(e.tickets, text)
		}
	}
	for token, r := range e.requests {
		if !now.Before(r.until) && !r.deciding {
			delete(e.requests, token)
		}
	}
}
