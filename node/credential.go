package node

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"almenara/channels"
	"almenara/channels/mqtt"
	"almenara/storage"
	"almenara/storage/audience"
)

// credential checks a device's secret against the hash that the district agreed
// on. It needs no quorum. Nobody comes in while this node would not be believed. Secrets
// are 256 random bits, so a plain SHA-256 is as good as a slow hash, and a reconnect storm
// does not cost one.
func (n *Node) credential(deviceID, secret string) (channels.Endpoint, error) {
	if !n.believed.Load() {
		return channels.Endpoint{}, errNotBelieved
	}
	var d storage.Device
	var known bool
	err := n.store.View(func(t *storage.Txn) (err error) {
		d, known, err = t.Device(deviceID)
		return err
	})
	if err != nil {
		return channels.Endpoint{}, fmt.Errorf("reading device %s: %w", deviceID, err)
	}
	sum := sha256.Sum256([]byte(secret))
	if !known || d.Revoked || subtle.ConstantTimeCompare(sum[:], d.SecretHash) != 1 {
		return channels.Endpoint{}, mqtt.ErrCredential
	}
	n.presence.admitted(d.ID, d.SecretHash)
	kind := audience.Kind(d.Kind)
	return channels.Endpoint{Device: d.ID, Member: d.Ordinal, Kind: d.Kind, Loud: kind.Public()}, nil
}
