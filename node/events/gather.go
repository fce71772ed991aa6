package events

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"almenara/cluster/apply"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/storage/alert"
)

// tellEvery is how often readers hear of one alert, or of records, at most.
const tellEvery = 250 * time.Millisecond

// The types of events, as wire.Event has them.
const (
	Alert    = "alert"
	Receipts = "receipts"
	Report   = reported.Event // somebody reported something, of the alert or of none, or it was moderated
	Approval = "approval"     // another person is asked for an approval of the alert now
	Node     = "node"
	Audience = "audience"
	Devices  = "devices"
	Split    = "split"
	Notice   = "notice" // planned notices changed, or somebody else is asked for one now
)

// gathered is what there is to tell. Safe for concurrent use; the zero value is ready.
type gathered struct {
	mu      sync.Mutex
	alerts  map[news]bool
	changed apply.Change
}

// news is that something happened to an alert.
type news struct {
	alert alert.ID
	kind  string // type of the event
}

// Touch notes that there is news of an alert: Alert or Receipts. It does not block.
func (f *Feed) Touch(id alert.ID, kind string) {
	g := &f.gathered
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.alerts == nil {
		g.alerts = map[news]bool{}
	}
	g.alerts[news{id, kind}] = true
}

// TouchRecords notes that agreed records changed. It does not block.
func (f *Feed) TouchRecords(what apply.Change) {
	f.gathered.mu.Lock()
	defer f.gathered.mu.Unlock()
	f.gathered.changed |= what
}

// take hands over what there is to tell: that an alert changed before what came in
// for it.
func (g *gathered) take() (alerts []news, changed apply.Change) {
	g.mu.Lock()
	defer g.mu.Unlock()
	alerts = slices.SortedFunc(maps.Keys(g.alerts), func(a, b news) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.alert, b.alert))
	})
	changed = g.changed
	g.alerts, g.changed = nil, 0
	return alerts, changed
}

// Run tells readers what is new, until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		alerts, changed := f.gathered.take()
		for _, one := range alerts {
			f.tellAlert(one.alert, one.kind)
		}
		f.tellRecords(changed)
	}
}

// tellAlert tells who listens what an alert has come to: an event is no summary, and
// nobody is told for nothing.
func (f *Feed) tellAlert(id alert.ID, kind string) {
	if !f.any() {
		return
	}
	if kind == Report { // which says nothing: who may read it reads it
		f.Tell(kind, wire.Event{Alert: string(id)})
		return
	}
	if e, ok := f.Options.Alert(id); ok {
		f.Tell(kind, e)
	}
}

// tellRecords tells which agreed records changed.
func (f *Feed) tellRecords(changed apply.Change) {
	if changed == 0 {
		return
	}
	f.Changed(changed)
	for _, one := range []struct {
		of   apply.Change
		kind string
	}{{apply.ChangedDevices, Devices}, {apply.ChangedMembers | apply.ChangedPlaces, Audience}, {apply.ChangedNodes, Node}, {apply.ChangedNotices, Notice}} {
		if changed&one.of != 0 {
			f.Tell(one.kind, wire.Event{})
		}
	}
}
