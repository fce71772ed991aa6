package node

import (
	"fmt"

	"almenara/channels/mqtt"
	"almenara/cluster/apply"
	"almenara/node/events"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
)

// Devices believe the nodes whose keys are in the district's key ring. One that is not,
// because it has just joined or is being removed, could only keep them from the nodes
// that they would believe: it lets nobody in and sends away whom it has.

// errNotBelieved is the answer to a device that comes all the same.
var errNotBelieved = fmt.Errorf("%w: this node's key is not in the key ring", mqtt.ErrUnavailable)

// ringChanged is told that the key ring may be another one.
func (n *Node) ringChanged() {
	if err := n.ring.Reread(); err != nil {
		n.log.Error("it is not known whether devices believe this node", "error", err)
	}
	n.toPresent.Set()
}

// newEvents makes the feed of what happens.
func (n *Node) newEvents() *events.Feed {
	return events.New(events.Options{
		Clock: n.options.Clock,
		Find: func(id string) (alert.ID, error) {
			s, err := n.stories.Find(id)
			if err != nil {
				return "", err
			}
			return s.ID, nil
		},
		Alert: func(id alert.ID) (wire.Event, bool) { return n.read.Event(id) },
		Changed: func(what apply.Change) {
			if what&apply.ChangedKeys != 0 {
				n.sendAway()
			}
			if what&apply.ChangedDevices != 0 {
				n.dropRevoked()
			}
		},
	})
}

// dropRevoked ends the sessions of devices whose credential or member is not what
// it was when they connected: revoked, enrolled anew, moved to another member.
func (n *Node) dropRevoked() {
	err := n.store.View(func(t *storage.Txn) error {
		for _, d := range n.presence.all() {
			record, ok, err := storage.Devices.Get(t, d.Device)
			if err != nil {
				return err
			}
			if !ok || !d.sameAs(record) {
				n.gateway.Drop(d.Device)
			}
		}
		return nil
	})
	if err != nil {
		n.log.Error("reading devices", "error", err)
	}
}

// sendAway ends the sessions of all devices when they do not believe this node.
func (n *Node) sendAway() {
	devices := n.presence.all()
	if n.ring.Holds() || len(devices) == 0 {
		return
	}
	n.log.Warn("devices do not believe this node any more: sending them to the others", "devices", len(devices))
	for _, d := range devices {
		n.gateway.Drop(d.Device)
	}
}
