package present

import (
	"maps"

	"almenara/node/alerts"
	"almenara/storage/alert"
)

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
