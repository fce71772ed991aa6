package alone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"almenara/cluster"
	"almenara/storage/durable"
	"almenara/storage/factbody"
)

const (
	outageFile = "alone"
	// meeting is how long before the end others must have been heard to count as seen
	// while alone: when links heal, nodes hear each other before they have a leader.
	meeting = 4 * time.Second
)

// outageRecorder watches for outages without a majority and puts each on record when it
// ends. The outage that lasts is in a file, so that one during which the process ends
// is on record too. One goroutine uses it.
type outageRecorder struct {
	path   string
	now    func() time.Time
	record func(context.Context, factbody.Alone) error

	had    bool // a majority was there since the start
	outage *outage
}

// outage is a time without a majority, as the file has it.
type outage struct {
	From   time.Time            `json:"from"` // by the node's clock
	Policy uint64               `json:"policy"`
	Why    string               `json:"why"`
	Saw    map[string]time.Time `json:"saw"` // since when each member was heard

	saved bool
}

// resume puts on record what a process that ended while it was alone has left.
func (r *outageRecorder) resume(ctx context.Context) error {
	raw, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the last outage: %w", err)
	}
	var left outage
	if err := json.Unmarshal(raw, &left); err != nil { // it says nothing; the next one must not stand behind it
		return errors.Join(fmt.Errorf("reading the last outage: %w", err), r.clear())
	}
	left.Why = factbody.AloneEnded
	if err := r.record(ctx, left.body(r.now(), r.now())); err != nil {
		return err
	}
	return r.clear()
}

// look takes one look. Errors leave the outage for the next one.
func (r *outageRecorder) look(ctx context.Context, c cluster.Status, policy uint64) error {
	if c.HasQuorum {
		r.had = true
		return r.end(ctx)
	}
	if r.outage == nil {
		r.outage = &outage{From: r.now().Add(-time.Since(c.AloneSince)), Policy: policy, Why: factbody.AloneLost, Saw: map[string]time.Time{}}
		if !r.had {
			r.outage.Why = factbody.AloneStarting
		}
	}
	if r.now().Sub(r.outage.From) < outageAfter {
		return nil
	}
	if met := r.outage.meet(c, r.now()); met || !r.outage.saved {
		return r.save()
	}
	return nil
}

// meet notes who is in touch, and reports whether that is news. What was heard just
// before the majority was lost proves nothing.
func (o *outage) meet(c cluster.Status, now time.Time) (news bool) {
	for _, peer := range c.Peers {
		heard := peer.LastContact.After(c.AloneSince.Add(outageAfter)) && peer.Reachable
		_, known := o.Saw[peer.ID]
		if peer.ID != c.ID && heard && !known && len(o.Saw) < factbody.MaxSaw {
			o.Saw[peer.ID], news = now, true
		}
	}
	return news
}

func (r *outageRecorder) save() error {
	raw, err := json.Marshal(r.outage)
	if err == nil {
		err = durable.WriteFile(r.path, raw)
	}
	if err != nil {
		return fmt.Errorf("saving the outage: %w", err)
	}
	r.outage.saved = true
	return nil
}

// end puts an outage that was long enough on record, then forgets it.
func (r *outageRecorder) end(ctx context.Context) error {
	if r.outage == nil {
		return nil
	}
	if !r.outage.saved && r.now().Sub(r.outage.From) < outageAfter {
		r.outage = nil
		return nil
	}
	if err := r.record(ctx, r.outage.body(r.now(), r.now().Add(-meeting))); err != nil {
		return err
	}
	r.outage = nil
	return r.clear()
}

// body is the record of an outage that ended at to; who was heard before counts as seen.
func (o *outage) body(to, before time.Time) factbody.Alone {
	a := factbody.Alone{From: o.From.UnixMilli(), Policy: o.Policy, Why: o.Why}
	a.To = max(a.From, to.UnixMilli())
	for _, id := range slices.Sorted(maps.Keys(o.Saw)) {
		if o.Saw[id].Before(before) {
			a.Saw = append(a.Saw, id)
		}
	}
	return a
}

// clear removes the file. A crash before that gives the same outage twice, which the
// report counts once.
func (r *outageRecorder) clear() error {
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the outage: %w", err)
	}
	return durable.SyncDir(filepath.Dir(r.path))
}
