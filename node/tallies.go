package node

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"almenara/cluster/fsm"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
)

// tellEvery is how often readers hear of receipts at most.
const tellEvery = 250 * time.Millisecond

// The types of events, as wire.Event has them.
const (
	eventAlert    = "alert"
	eventReceipts = "receipts"
	eventNode     = "node"
	eventAudience = "audience"
	eventDevices  = "devices"
)

// tallies gathers what there is to tell. Safe for concurrent use; the zero value is
// ready.
type tallies struct {
	mu      sync.Mutex
	alerts  map[news]bool
	changed fsm.Change
}

// news is that something happened to an alert.
type news struct {
	alert alert.ID
	kind  string // type of the event
}

// touch notes news of an alert.
func (t *tallies) touch(id alert.ID, kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.alerts == nil {
		t.alerts = map[news]bool{}
	}
	t.alerts[news{id, kind}] = true
}

// touchRecords notes that agreed records changed.
func (t *tallies) touchRecords(what fsm.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed |= what
}

// take hands over what there is to tell: that an alert changed before what came in
// for it.
func (t *tallies) take() (alerts []news, changed fsm.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	alerts = slices.SortedFunc(maps.Keys(t.alerts), func(a, b news) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.alert, b.alert))
	})
	changed = t.changed
	t.alerts, t.changed = nil, 0
	return alerts, changed
}

// tellReceipts tells readers of the API what is new, until ctx ends, and drops
// devices that were revoked.
func (n *Node) tellReceipts(ctx context.Context) {
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		alerts, changed := n.tallies.take()
		for _, one := range alerts {
			n.tellAlert(one.alert, one.kind)
		}
		n.tellRecords(changed)
	}
}

// tellRecords tells which agreed records changed.
func (n *Node) tellRecords(changed fsm.Change) {
	if changed&fsm.ChangedKeys != 0 {
		n.sendAway()
	}
	if changed&fsm.ChangedDevices != 0 {
		n.dropRevoked()
		n.tell(eventDevices, wire.Event{})
	}
	if changed&(fsm.ChangedMembers|fsm.ChangedPlaces) != 0 {
		n.tell(eventAudience, wire.Event{})
	}
	if changed&fsm.ChangedNodes != 0 {
		n.tell(eventNode, wire.Event{})
	}
}

// tellAlert sums up an alert for who listens; summing up costs, so nobody is told
// for nothing.
func (n *Node) tellAlert(id alert.ID, kind string) {
	if !n.events.any() {
		return
	}
	s, err := n.story(id)
	if err != nil {
		return // a receipt of an alert that nobody here has heard of
	}
	a, _, err := n.summary(s)
	if err != nil {
		n.log.Error("an alert cannot be summed up", "alert", id, "error", err)
		return
	}
	n.tell(kind, wire.Event{Alert: a.ID, Revision: a.Revision, State: a.State, Rungs: &a.Rungs, Text: a.Headline})
}

// dropRevoked ends the sessions of devices whose credential or member is not what
// it was when they connected: revoked, enrolled anew, moved to another member.
func (n *Node) dropRevoked() {
	err := n.store.View(func(t *storage.Txn) error {
		for _, d := range n.presence.all() {
			record, ok, err := t.Device(d.Device)
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
