package node

import (
	"fmt"

	"almenara/channels"
	"almenara/channels/mqtt"
	"almenara/node/secret"
	"almenara/storage"
	"almenara/storage/audience"
)

// credential checks a device's secret against the hash that the district agreed
// on. It needs no quorum. Nobody comes in while this node would not be believed.
func (n *Node) credential(deviceID, shown string) (channels.Endpoint, error) {
	if !n.ring.Holds() {
		return channels.Endpoint{}, errNotBelieved
	}
	var d storage.Device
	var known bool
	err := n.store.View(func(t *storage.Txn) (err error) {
		d, known, err = storage.Devices.Get(t, deviceID)
		return err
	})
	if err != nil {
		return channels.Endpoint{}, fmt.Errorf("reading device %s: %w", deviceID, err)
	}
	if !known || d.Revoked || !secret.Is(shown, d.SecretHash) {
		return channels.Endpoint{}, mqtt.ErrCredential
	}
	n.presence.admitted(d.ID, d.SecretHash)
	kind := audience.Kind(d.Kind)
	return channels.Endpoint{Device: d.ID, Member: d.Ordinal, Kind: d.Kind, Loud: kind.Public()}, nil
}
