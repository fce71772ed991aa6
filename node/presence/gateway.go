package presence

import (
	"context"
	"fmt"

	"almenara/channels"
	"almenara/channels/mqtt"
	"almenara/cluster/apply"
	"almenara/node/secret"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

// credential checks a device's secret against the hash that the district agreed
// on. It needs no quorum. Nobody comes in while this node would not be believed.
func (p *Presence) credential(deviceID, shown string) (channels.Endpoint, error) {
	if !p.holds() {
		return channels.Endpoint{}, errNotBelieved
	}
	var d storage.Device
	var known bool
	err := p.store.View(func(t *storage.Txn) (err error) {
		d, known, err = storage.Devices.Get(t, deviceID)
		return err
	})
	if err != nil {
		return channels.Endpoint{}, fmt.Errorf("reading device %s: %w", deviceID, err)
	}
	if !known || d.Revoked || !secret.Is(shown, d.SecretHash) {
		return channels.Endpoint{}, mqtt.ErrCredential
	}
	p.admitted(d.ID, d.SecretHash)
	kind := audience.Kind(d.Kind)
	return channels.Endpoint{Device: d.ID, Member: d.Ordinal, Kind: d.Kind, Loud: kind.Public()}, nil
}

// Session implements mqtt.Hooks. A credential, or devices' belief in this node, that ended
// after it was checked and before the session was known is noticed here.
func (p *Presence) Session(from channels.Endpoint, up bool) {
	p.note(from, up)
	if !up {
		return
	}
	if !p.holds() {
		p.changed(apply.ChangedKeys)
	}
	record, ok, err := p.record(from.Device)
	if d, here := p.Of(from.Device); err != nil || !ok || here && !d.sameAs(record) {
		p.changed(apply.ChangedDevices)
	}
}

// Sent implements mqtt.Hooks.
func (p *Presence) Sent(id alert.ID, revision alert.Revision, members []uint32) {
	p.sent(id, revision, members)
}

// Authenticate implements mqtt.Auth.
func (p *Presence) Authenticate(_ context.Context, deviceID, secret string) (channels.Endpoint, error) {
	return p.credential(deviceID, secret)
}

// errNotBelieved is the answer to a device that comes all the same.
var errNotBelieved = fmt.Errorf("%w: this node's key is not in the key ring", mqtt.ErrUnavailable)

// dropRevoked ends the sessions of devices whose credential or member is not what
// it was when they connected: revoked, enrolled anew, moved to another member.
func (p *Presence) dropRevoked() {
	err := p.store.View(func(t *storage.Txn) error {
		for _, d := range p.All() {
			record, ok, err := storage.Devices.Get(t, d.Device)
			if err != nil {
				return err
			}
			if !ok || !d.sameAs(record) {
				p.drop(d.Device)
			}
		}
		return nil
	})
	if err != nil {
		p.log.Error("reading devices", "error", err)
	}
}

// sendAway ends the sessions of all devices when they do not believe this node.
func (p *Presence) sendAway() {
	devices := p.All()
	if p.holds() || len(devices) == 0 {
		return
	}
	p.log.Warn("devices do not believe this node any more: sending them to the others", "devices", len(devices))
	for _, d := range devices {
		p.drop(d.Device)
	}
}

// record reads what is agreed of a device.
func (p *Presence) record(id string) (d storage.Device, ok bool, err error) {
	err = p.store.View(func(t *storage.Txn) (err error) {
		d, ok, err = storage.Devices.Get(t, id)
		return err
	})
	return d, ok, err
}

// Changed hears what a commit touched, off the raft goroutine: devices leave that do not believe
// this node any more, or whose record is another one.
func (p *Presence) Changed(what apply.Change) {
	if what&apply.ChangedKeys != 0 {
		p.sendAway()
	}
	if what&apply.ChangedDevices != 0 {
		p.dropRevoked()
	}
}
