// Package held looks at changes of devices and members before they are proposed: who is limited to places has those
// that are there, and come to be there, and brings no more there than everybody else can bear. It imports no other room but authority and wire.
package held

import (
	"cmp"
	"fmt"

	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/member"
)

// Enrols keeps who is limited to places to devices that are there, and come to be there: a device is where its member
// is, also one that is to have another member. What is asked to be given a new secret and is not enrolled is new, so
// that the log refuses it where somebody else enrols it meanwhile.
func Enrols(t *storage.Txn, known func(id string) bool, by authority.Caller, in []wire.Enrol) error {
	if !inplaces.Holds(by, authority.ChangeDevices) {
		return nil
	}
	for i, e := range in {
		is, live, err := placeOf(t, e.ID)
		if err != nil {
			return err
		}
		if live {
			if err := inplaces.Hold(by, authority.ChangeDevices, e.ID, is); err != nil {
				return err
			}
		} else {
			in[i].Rotate = false
		}
		becomes, id := e.Place, cmp.Or(e.Member, e.ID)
		if known(id) {
			if becomes, err = placeOfMember(t, id); err != nil {
				return err
			}
		} else if becomes == "" {
			continue // it is refused for that
		}
		if err := inplaces.Hold(by, authority.ChangeDevices, e.ID, becomes); err != nil {
			return err
		}
	}
	return nil
}

// Rows looks at rows before visit does: who is limited to places adds no member elsewhere, and changes none that is
// there. The first such row is in held then; the others are visited all the same. Those that come to an estate are in added.
func Rows(by authority.Caller, live func(id string) (*audience.Member, bool), visit func(int, audience.Member) error, held *error, added Added) func(int, audience.Member) error {
	if !inplaces.Holds(by, authority.ChangeAudience) {
		return visit
	}
	return func(line int, m audience.Member) error {
		is, known := live(m.ID)
		if known && *held == nil {
			*held = inplaces.Hold(by, authority.ChangeAudience, m.ID, string(is.Place))
		}
		if estate := estateOf(m.Place); !known || estateOf(is.Place) != estate {
			added[estate]++
		}
		if *held == nil {
			*held = inplaces.Hold(by, authority.ChangeAudience, m.ID, string(m.Place))
		}
		return visit(line, m)
	}
}

// Device is Enrols of a device that is to be revoked.
func Device(t *storage.Txn, by authority.Caller, id string) error {
	place, live, err := placeOf(t, id)
	if err == nil && !live {
		err = wire.Problemf(wire.KindNotFound, "no device %.100q is enrolled", id).Because(why.NoDevice, id)
	}
	if err != nil {
		return err
	}
	return inplaces.Hold(by, authority.ChangeDevices, id, place)
}

// placeOf is where a device is; false where none is enrolled, or it was revoked.
func placeOf(t *storage.Txn, device string) (place string, live bool, err error) {
	d, known, err := storage.Devices.Get(t, device)
	if err != nil || !known || d.Revoked {
		return "", false, err
	}
	place, err = placeOfMember(t, d.Member)
	return place, err == nil, err
}

func placeOfMember(t *storage.Txn, id string) (string, error) {
	rec, _, err := member.Get(t, id)
	if err != nil {
		return "", fmt.Errorf("reading a member: %w", err)
	}
	return string(rec.Member.Place), nil
}

// Repeated finds a device that is listed twice: only its last secret would be good.
func Repeated(in []wire.Enrol) (id string, twice bool) {
	seen := make(map[string]bool, len(in))
	for _, e := range in {
		if seen[e.ID] {
			return e.ID, true
		}
		seen[e.ID] = true
	}
	return "", false
}
