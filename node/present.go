package node

import (
	"context"
	"maps"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/node/alerts"
	"almenara/node/events"
	"almenara/node/situation"
	"almenara/storage/alert"
	"almenara/storage/audience/lookup"
	"almenara/storage/receipt"
)

// shiftTime is how long a changed audience waits for more changes: an import is many
// commits, and each look sends every device a manifest.
const shiftTime = 200 * time.Millisecond

// present hands what is in force to the dispatcher whenever it may have changed:
// a new fact, a changed audience or key ring, or time.
func (n *Node) present(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.toPresentSoon:
			if soon := time.Now().Add(shiftTime); soon.Before(due) {
				due = soon
				timer.Reset(shiftTime)
			}
			continue
		case <-n.toPresent:
		case <-timer.C:
		}
		next := n.presentNow()
		due = time.Now().Add(next)
		timer.Reset(next)
	}
}

// presentNow hands over what holds now and says when to look again at the latest.
func (n *Node) presentNow() time.Duration {
	n.rereadState()
	p := n.book.At(n.options.Clock())
	if p.Err != nil {
		n.log.Error("an alert in force cannot be read", "error", p.Err)
	}
	next, left := n.situations.Build(alerts.Lives(p.InForce), p.Ended)
	next.Keys = n.ring.Signed()
	n.presented.Store(&next)
	if err := n.dispatcher.Set(next); err != nil {
		n.log.Error("not everything in force can be delivered", "error", err)
	}
	for _, it := range next.InForce {
		if n.announced.add(it.Alert, it.Revision) {
			n.recordFanout(it)
			n.events.Touch(it.Alert, events.Alert)
		}
	}
	n.announced.keep(p.InForce)
	switch {
	case left.Missing > 0:
		return 0
	case left.Stale > 0:
		return stalePause
	case p.Next.IsZero():
		return presentAtMost
	}
	return min(max(p.Next.Sub(n.options.Clock()), time.Millisecond), presentAtMost)
}

const (
	// presentAtMost is how long the presenter waits when nothing changes.
	presentAtMost = time.Minute
	// stalePause is how long it waits while it works out what a changed audience means for
	// what is in force: others need the processor too.
	stalePause = 10 * time.Millisecond
)

// newSituations makes the builder of what the dispatcher is given.
func (n *Node) newSituations() *situation.Builder[*lookup.Index] {
	return situation.New(situation.Options[*lookup.Index]{
		Audience: n.state.Index, Messages: n.book, Told: n.told, Logger: n.log,
	})
}

// told is whom the record says that the message was for, or has reached.
func (n *Node) told(id alert.ID, m situation.Message) (*roaring.Bitmap, error) {
	to, err := n.state.Target(m.Key, m.Claimed)
	if err != nil {
		return nil, err
	}
	reached, err := n.state.ReceiptMembers([]alert.ID{id, m.Key.ID()}, m.Revision, receipt.Sent)
	if err != nil {
		return nil, err
	}
	to.Or(reached)
	return to, nil
}

// rereadState lays the state's alerts on the book again after it was replaced by
// another node's: what that brought was told to nobody.
func (n *Node) rereadState() {
	if !n.reread.Swap(false) {
		return
	}
	if err := n.recall(); err != nil {
		n.reread.Store(true)
		n.log.Error("the alerts of the new state cannot be read", "error", err)
	}
}

// recordFanout puts on record that this node wrote an alert to its devices. It is a
// fact of its own and waits for nobody.
func (n *Node) recordFanout(it channels.Item) {
	members := roaring.New()
	for _, part := range it.Parts {
		members.Or(part.To)
	}
	devices := n.connectedHere(members)
	if devices == 0 {
		return
	}
	n.notes.Fanout(it.Alert, it.Revision, devices)
}

// announced remembers which revisions this node has handed to its devices since it
// started, so that each is put on record once.
type announced struct{ seen map[alert.ID]alert.Revision }

// add reports whether the revision is new. Only the presenter calls it.
func (a *announced) add(id alert.ID, r alert.Revision) bool {
	if a.seen == nil {
		a.seen = map[alert.ID]alert.Revision{}
	}
	if a.seen[id] >= r {
		return false
	}
	a.seen[id] = r
	return true
}

// keep forgets what is not in force any more: it never comes back at that revision.
func (a *announced) keep(inForce []alerts.Live) {
	if len(a.seen) == len(inForce) {
		return
	}
	live := make(map[alert.ID]bool, len(inForce))
	for _, l := range inForce {
		live[l.ID] = true
	}
	maps.DeleteFunc(a.seen, func(id alert.ID, _ alert.Revision) bool { return !live[id] })
}
