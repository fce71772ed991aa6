package enrol

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Waiting is a device that waits for a person.
type Waiting struct {
	Number  string // names it
	Code    string // what the device shows, if nobody is between it and this node
	Kind    string // as which it asks
	Address string
	Invited bool // it brought a ticket
	Wants   For  // what the ticket says
	Since   time.Time
	Until   time.Time
}

// Waiting lists the devices that wait here, the newest first.
func (e *Enrolment) Waiting() []Waiting {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(e.o.Clock())
	var out []Waiting
	for _, r := range e.requests {
		if r.state == Waits && r.verifier != "" {
			out = append(out, Waiting{r.number, r.code, r.kind, r.address, r.invited, r.wants, r.since, r.until})
		}
	}
	slices.SortFunc(out, func(a, b Waiting) int {
		return cmp.Or(b.Since.Compare(a.Since), strings.Compare(a.Number, b.Number))
	})
	return out
}

// Approval is a person's word for one device.
type Approval struct {
	Number string
	Code   string // that the person saw on the device
	For
}

// Approve enrols the device of a request as what the approval says: its record is agreed on when this
// returns without an error. After one the device waits on, and may be approved again: one that was
// enrolled all the same is not enrolled twice.
func (e *Enrolment) Approve(ctx context.Context, by authority.Caller, a Approval) (wire.Enrolled, error) {
	r, err := e.begin(a)
	if err != nil {
		return wire.Enrolled{}, err
	}
	done, err := e.o.Devices.EnrolDevices(ctx, by, []wire.Enrol{{
		ID: a.ID, Member: a.Member, Kind: a.Kind, Place: a.Place, Rotate: a.Replaces, Verifier: r.verifier,
		NewKind: a.Kind == r.kind, // no slip, also where it is the first of the district
	}})
	e.mu.Lock()
	defer e.mu.Unlock()
	r.deciding = false
	if err != nil {
		return wire.Enrolled{}, err
	}
	r.state, r.enrolled, r.until = Approved, done[0], e.o.Clock().Add(askLife)
	return done[0], nil
}

// begin takes the request out of other people's hands while it is enrolled.
func (e *Enrolment) begin(a Approval) (*request, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.waits(a.Number)
	if err != nil {
		return nil, err
	}
	if plainCode(a.Code) != plainCode(r.code) {
		return nil, wire.Problemf(wire.KindRefused, "the code is not that of this device; nothing was enrolled: compare it with what the device shows").Because(why.EnrolCodeWrong)
	}
	if a.ID == "" {
		return nil, wire.Problemf(wire.KindRefused, "the device needs a name; nothing was enrolled").Because(why.DeviceNameMissing)
	}
	r.deciding = true
	return r, nil
}

// Refuse sends the device of a request away. Who is limited to places leaves those to others that were invited to
// another place; one that says no place is everybody's.
func (e *Enrolment) Refuse(by authority.Caller, number string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.waits(number)
	if err != nil {
		return err
	}
	if r.wants.Place != "" {
		if err := inplaces.Hold(by, authority.ChangeDevices, cmp.Or(r.wants.ID, r.code), r.wants.Place); err != nil {
			return err
		}
	}
	r.state = Refused
	return nil
}

// waits is the request that people know by a number. mu must be held.
func (e *Enrolment) waits(number string) (*request, error) {
	e.sweep(e.o.Clock())
	for _, r := range e.requests {
		if r.number != number || r.verifier == "" {
			continue
		}
		if r.state != Waits || r.deciding {
			return nil, wire.Problemf(wire.KindConflict, "somebody else decides, or has decided, about this device").Because(why.EnrolDecided)
		}
		return r, nil
	}
	return nil, wire.Problemf(wire.KindNotFound, "no such device waits at this node; it may have waited too long, and shows a new code then").Because(why.EnrolGone)
}

// plainCode is a code without what people put between its digits.
func plainCode(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}
