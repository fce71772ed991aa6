package node

import (
	"context"
	"sync"
	"time"

	"almenara/node/wire"
	"almenara/storage/alert"
)

// tellEvery is how often readers hear of receipts at most.
const tellEvery = 250 * time.Millisecond

// tallies gathers which alerts have news to tell. Safe for concurrent use; the zero
// value is ready.
type tallies struct {
	mu      sync.Mutex
	alerts  map[string]bool
	devices bool
}

func (t *tallies) touch(ids []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.alerts == nil {
		t.alerts = map[string]bool{}
	}
	for _, id := range ids {
		t.alerts[id] = true
	}
}

func (t *tallies) touchDevices() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.devices = true
}

func (t *tallies) take() (alerts map[string]bool, devices bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	alerts, devices = t.alerts, t.devices
	t.alerts, t.devices = nil, false
	return alerts, devices
}

// tellReceipts tells readers of the API how receipts stand, until ctx ends, and
// drops devices that were revoked.
func (n *Node) tellReceipts(ctx context.Context) {
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		alerts, devices := n.tallies.take()
		for id := range alerts {
			n.tellAlert(alert.ID(id), "receipts")
		}
		if devices {
			n.dropRevoked()
		}
	}
}

// tellAlerts announces alerts that have come into force.
func (n *Node) tellAlerts(fresh []live) {
	for _, l := range fresh {
		n.tellAlert(l.ID, "alert")
	}
}

func (n *Node) tellAlert(id alert.ID, kind string) {
	s, err := n.story(id)
	if err != nil {
		return
	}
	a, _, err := n.summary(s)
	if err != nil {
		n.log.Error("an alert cannot be summed up", "alert", id, "error", err)
		return
	}
	n.tell(kind, wire.Event{Alert: a.ID, Revision: a.Revision, State: a.State, Rungs: &a.Rungs, Text: a.Headline})
}

// dropRevoked ends the sessions of devices that were revoked while connected.
func (n *Node) dropRevoked() {
	for _, d := range n.presence.all() {
		record, ok, err := n.state.Device(d.Device)
		if err != nil {
			n.log.Error("reading a device", "device", d.Device, "error", err)
			continue
		}
		if !ok || record.Revoked {
			n.gateway.Drop(d.Device)
		}
	}
	n.tell("devices", wire.Event{})
}
