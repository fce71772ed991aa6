package node

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
)

// changed makes the presenter look again. It never blocks.
func (n *Node) changed() {
	select {
	case n.stirred <- struct{}{}:
	default:
	}
}

// shift makes the presenter look again soon. It never blocks.
func (n *Node) shift() {
	select {
	case n.shifted <- struct{}{}:
	default:
	}
}

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
		case <-n.shifted:
			if soon := time.Now().Add(shiftTime); soon.Before(due) {
				due = soon
				timer.Reset(shiftTime)
			}
			continue
		case <-n.stirred:
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
	now := n.options.Clock()
	p := n.desk.at(now)
	situation := channels.Situation{Keys: n.signedKeys()}
	var fresh []live
	for _, l := range p.inForce {
		item, err := n.item(l)
		if err != nil {
			n.log.Error("an alert in force cannot be addressed", "alert", l.ID, "error", err)
			continue
		}
		situation.InForce = append(situation.InForce, item)
		if n.announced.add(l.ID, l.Revision) {
			fresh = append(fresh, l)
		}
	}
	n.announced.keep(p.inForce)
	situation.Ended = endsFor(p.ended)
	if err := n.dispatcher.Set(situation); err != nil {
		n.log.Error("not everything in force can be delivered", "error", err)
	}
	for _, l := range fresh {
		n.recordFanout(l)
		n.tallies.touch(l.ID, eventAlert)
	}
	const atMost = time.Minute
	if p.next.IsZero() {
		return atMost
	}
	return min(max(p.next.Sub(n.options.Clock()), time.Millisecond), atMost)
}

// endsFor is what has ended, as devices are told.
func endsFor(ended []alert.End) []contract.Ended {
	var out []contract.Ended
	for _, e := range ended {
		out = append(out, endedOut(e))
	}
	return out
}

// itemOf is one alert in force for the members that each info block addresses, as
// the dispatcher wants it.
func itemOf(l live, perInfo []*roaring.Bitmap) channels.Item {
	return channels.Item{
		Alert: l.ID, Revision: l.Revision, Digest: l.Digest, Expires: l.Expires, Status: l.Status,
		Message: l.message.alert, Parts: channels.Split(perInfo),
	}
}

// rereadState lays the state's alerts on the desk again after it was replaced by
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

// item is one alert in force as the dispatcher wants it.
func (n *Node) item(l live) (channels.Item, error) {
	r, err := n.reach(l.message, l.also...)
	if err != nil {
		return channels.Item{}, err
	}
	return itemOf(l, r.perInfo), nil
}

// recordFanout puts on record that this node wrote an alert to its devices. It is a
// fact of its own and waits for nobody.
func (n *Node) recordFanout(l live) {
	r, err := n.reach(l.message, l.also...)
	if err != nil {
		return
	}
	devices := n.connectedOf(r.members)
	if devices == 0 {
		return
	}
	n.notes.add(note{fact.KindFanout, storage.Fanout{
		Alert: string(l.ID), Revision: uint64(l.Revision), Devices: uint32(devices), At: n.options.Clock().UnixMilli(),
	}})
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
func (a *announced) keep(inForce []live) {
	if len(a.seen) == len(inForce) {
		return
	}
	maps.DeleteFunc(a.seen, func(id alert.ID, _ alert.Revision) bool {
		return !slices.ContainsFunc(inForce, func(l live) bool { return l.ID == id })
	})
}

// connectedOf counts the devices of members that this node reaches.
func (n *Node) connectedOf(members *roaring.Bitmap) int {
	count := n.presence.countOf(members)
	if n.external != nil {
		count += n.external.Reaching(members)
	}
	return count
}

// endedOut is an end as devices are told it.
func endedOut(e alert.End) contract.Ended {
	why := string(e.Why)
	if e.Drill && e.Revision > 0 {
		why = contract.WhyDrillOver
	}
	return contract.Ended{ID: string(e.ID), Revision: uint64(e.Revision), At: e.At.UTC(), Why: why, Expires: e.Expires.UTC()}
}
