package node

import (
	"fmt"
	"slices"

	"almenara/channels/mqtt"
	"almenara/storage"
)

// Devices believe the nodes whose keys are in the district's key ring. One that is not,
// because it has just joined or is being removed, could only keep them from the nodes
// that they would believe: it lets nobody in and sends away whom it has.

// errNotBelieved is the answer to a device that comes all the same.
var errNotBelieved = fmt.Errorf("%w: this node's key is not in the key ring", mqtt.ErrUnavailable)

// readBelief looks into the ring as this node knows it. The raft goroutine calls it
// after each change; before that nobody else does.
func (n *Node) readBelief() error {
	ring, _, err := n.state.KeyRing()
	if err != nil {
		return fmt.Errorf("reading the key ring: %w", err)
	}
	n.believed.Store(slices.ContainsFunc(ring.Keys, func(k storage.PublicKey) bool {
		return k.Node == n.ID() && k.ID == n.identity.KeyID
	}))
	return nil
}

// ringChanged is told that the key ring may be another one.
func (n *Node) ringChanged() {
	if err := n.readBelief(); err != nil {
		n.log.Error("it is not known whether devices believe this node", "error", err)
	}
	n.changed()
}

// sendAway ends the sessions of all devices when they do not believe this node.
func (n *Node) sendAway() {
	devices := n.presence.all()
	if n.believed.Load() || len(devices) == 0 {
		return
	}
	n.log.Warn("devices do not believe this node any more: sending them to the others", "devices", len(devices))
	for _, d := range devices {
		n.gateway.Drop(d.Device)
	}
}
