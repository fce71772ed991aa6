package records

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/known"
	"almenara/node/records/held"
	"almenara/node/secret"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/member"
)

// EnrolDevices implements service.Devices. Members that do not exist are made first; the
// secrets are in the answer and nowhere else. All devices are in one entry of the log, so
// that all are enrolled or none. A device that is enrolled already is refused unless its
// secret is to be rotated: whatever hangs on the wall would be cut off.
func (dv *Devices) EnrolDevices(ctx context.Context, by authority.Caller, in []wire.Enrol) ([]wire.Enrolled, error) {
	if err := dv.proposer.disk.Refusal(); err != nil {
		return nil, err
	}
	if id, twice := held.Repeated(in); twice {
		return nil, wire.Problemf(wire.KindRefused, "device %s is listed twice; nothing was enrolled", id).Because(why.DeviceTwice, id)
	}
	if inplaces.Holds(by, authority.ChangeDevices) { // or requests beside each other would not count each other
		dv.one.Lock()
		defer dv.one.Unlock()
	}
	if err := dv.proposer.AwaitAgreed(ctx); err != nil { // or a member that is known elsewhere would be made anew
		return nil, err
	}
	for i := range in {
		in[i].Kind, in[i].Place = audience.NormalKey(in[i].Kind), audience.NormalKey(in[i].Place)
	}
	member := func(id string) bool { _, known := dv.state.Index().Ordinal(id); return known }
	if err := dv.proposer.store.View(func(t *storage.Txn) error { return held.Enrols(t, member, by, in) }); err != nil {
		return nil, err
	}
	if err := dv.enrolledAlready(in); err != nil {
		return nil, err
	}
	if err := dv.proposer.store.View(func(t *storage.Txn) error { return held.DevicesFit(t, by, dv.state.Index(), in) }); err != nil {
		return nil, err
	}
	e, err := dv.enrolment(in)
	if err != nil {
		return nil, err
	}
	if dv.proposer.cluster.Understands(ctx, newDevicesSince) == nil { // else only this node's copy decides
		e.mustBeNew(in)
	}
	if err := dv.enrol(ctx, by, e); err != nil {
		return nil, err
	}
	return e.answers, nil
}

// newDevicesSince is the version of commands since which the log refuses to enrol a device
// twice.
const newDevicesSince = 3

// enrolledAlready refuses devices that live, unless they are to be given new secrets, or have the
// verifier that is given: those are marked, so that the log takes them again.
func (dv *Devices) enrolledAlready(in []wire.Enrol) error {
	var known []string
	err := dv.proposer.store.View(func(t *storage.Txn) error {
		for i, e := range in {
			d, ok, err := storage.Devices.Get(t, e.ID)
			if err != nil {
				return err
			}
			switch {
			case !ok || d.Revoked || e.Rotate:
			case sameVerifier(d, e):
				in[i].Rotate = true
			default:
				known = append(known, e.ID)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading devices: %w", err)
	}
	if len(known) == 0 {
		return nil
	}
	p := wire.Problemf(wire.KindConflict, "%d of the devices are enrolled already, and a new secret would cut them off; "+
		"nothing was enrolled: leave them out, or say that their secrets are to be rotated (--rotate)", len(known)).Because(why.DevicesEnrolled, len(known))
	p.Details = known[:min(len(known), 10)]
	return p
}

// enrolment is what enrols devices, and what is answered then.
type enrolment struct {
	members [][]byte // that are new
	devices []storage.Device
	fresh   []string // of devices, those that nobody may have enrolled meanwhile
	answers []wire.Enrolled
}

// mustBeNew lets the log refuse the devices whose secrets are not to be rotated.
func (e *enrolment) mustBeNew(in []wire.Enrol) {
	for _, d := range in {
		if !d.Rotate {
			e.fresh = append(e.fresh, d.ID)
		}
	}
}

// enrolment makes the secrets and checks what the state machine would refuse.
func (dv *Devices) enrolment(in []wire.Enrol) (out enrolment, err error) {
	if out.members, err = dv.enrolMembers(in); err != nil {
		return out, err
	}
	servers, root, ca := dv.given()
	for _, e := range in {
		secret, hash, err := secretOf(e)
		if err != nil {
			return out, err
		}
		d := storage.Device{ID: e.ID, Member: e.Member, Kind: e.Kind, SecretHash: hash}
		if d.Member == "" {
			d.Member = e.ID
		}
		if d.Kind == "" {
			d.Kind = dv.kindOf(d.Member)
		}
		out.devices = append(out.devices, d)
		out.answers = append(out.answers, wire.Enrolled{
			ID: e.ID, Kind: d.Kind, Place: e.Place, Secret: secret, Servers: servers, RootKey: root, CA: ca,
		})
	}
	if _, err := (command.Command{Payload: &command.PutDevices{Devices: out.devices}}).Encode(); err != nil {
		return out, dv.proposer.Problem(err)
	}
	return out, nil
}

// secretOf makes the secret of a device and what it is verified with; of a device that has made its own
// only that is known.
func secretOf(e wire.Enrol) (text string, hash []byte, err error) {
	if e.Verifier == "" {
		text, hash = secret.New()
		return text, hash, nil
	}
	hash, err = base64.RawURLEncoding.Strict().DecodeString(e.Verifier)
	if err != nil || len(hash) != sha256.Size {
		return "", nil, wire.Problemf(wire.KindMalformed, "device %s: the verifier is not a SHA-256 in base64url; nothing was enrolled", e.ID).Because(why.FormWrong)
	}
	return "", hash, nil
}

// sameVerifier reports whether the device was enrolled with this verifier, perhaps by a request whose
// answer was lost: to enrol it again cuts nobody off.
func sameVerifier(d storage.Device, e wire.Enrol) bool {
	return e.Verifier != "" && base64.RawURLEncoding.EncodeToString(d.SecretHash) == e.Verifier
}

func (dv *Devices) enrol(ctx context.Context, by authority.Caller, e enrolment) error {
	if len(e.members) > 0 {
		if _, err := dv.proposer.Change(ctx, by.Name, &command.PutMembers{Members: e.members}); err != nil {
			return err
		}
	}
	_, err := dv.proposer.Change(ctx, by.Name, &command.PutDevices{Devices: e.devices, New: e.fresh})
	return err
}

// enrolMembers makes the members for devices whose kind and place are given and
// that have none yet.
func (dv *Devices) enrolMembers(in []wire.Enrol) ([][]byte, error) {
	var out [][]byte
	for _, e := range in {
		id := e.Member
		if id == "" {
			id = e.ID
		}
		if _, known := dv.state.Index().Ordinal(id); known {
			continue
		}
		if e.Kind == "" || e.Place == "" {
			return nil, wire.Problemf(wire.KindRefused, "device %s: there is no member %s; give kind and place to make one; nothing was enrolled", e.ID, id).Because(why.NoMemberForDevice, e.ID, id)
		}
		m := audience.Member{
			ID: id, Kind: audience.Kind(e.Kind), Place: audience.Path(e.Place),
			Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: e.ID}},
		}
		if err := m.Validate(); err != nil {
			return nil, wire.Problemf(wire.KindRefused, "device %s: %v; nothing was enrolled", e.ID, err).Because(why.DeviceUnfit, e.ID, err)
		}
		if err := known.Places(dv.state.Index(), e.Place); err != nil {
			return nil, wire.Problemf(wire.KindRefused, "device %s: %v", e.ID, err).Because(why.DeviceUnfit, e.ID, err)
		}
		if err := known.Kinds(dv.state.Index(), e.Kind); err != nil && !e.NewKind {
			return nil, wire.Problemf(wire.KindRefused, "device %s: %v; where a new kind is meant say so (--new-kind)", e.ID, err).Because(why.DeviceUnfit, e.ID, err)
		}
		out = append(out, audience.EncodeMember(&m))
	}
	return out, nil
}

// kindOf is the kind of a member; "" where it is not known.
func (dv *Devices) kindOf(id string) string {
	var kind string
	_ = dv.proposer.store.View(func(t *storage.Txn) error { // an unknown member is refused when the device is put
		rec, _, err := member.Get(t, id)
		kind = string(rec.Member.Kind)
		return err
	})
	return kind
}

// RevokeDevice implements service.Devices. Every node drops the device as soon as the
// revocation arrives there.
func (dv *Devices) RevokeDevice(ctx context.Context, by authority.Caller, id string) error {
	if inplaces.Holds(by, authority.ChangeDevices) {
		if err := dv.proposer.AwaitAgreed(ctx); err != nil { // or one that was enrolled elsewhere would be nowhere
			return err
		}
		if err := dv.proposer.store.View(func(t *storage.Txn) error { return held.Device(t, by, id) }); err != nil {
			return err
		}
	}
	_, err := dv.proposer.Change(ctx, by.Name, &command.RevokeDevice{ID: id})
	return err
}

// Devices answers the part of service.Devices that changes something. Its methods may be called
// from any goroutine.
type Devices struct {
	proposer *Proposer
	state    *agreed.Reader
	given    func() (servers []string, root, ca string)
	one      sync.Mutex // of requests of who is limited to places
}

// NewDevices makes one; given is what every device is told at enrolment: where the nodes are,
// the district's root key, and the PEM of its authority.
func NewDevices(p *Proposer, state *agreed.Reader, given func() (servers []string, root, ca string)) *Devices {
	return &Devices{proposer: p, state: state, given: given}
}
