package board

import (
	"cmp"
	"slices"
	"time"

	"almenara/storage/alert"
)

// statuses in the order in which one overrides the next.
var statuses = []alert.Status{alert.StatusActual, alert.StatusExercise, alert.StatusTest, alert.StatusSystem, alert.StatusDraft}

// family is all keys that are connected by any reference. Everything the board
// answers is a function of one family at a time, computed anew when it has changed.
type family struct {
	nodes  []*node
	cached []*card
	quiet  time.Time // over, as of cached; valid when judged
	judged bool
	queued bool // in the schedule's queue
}

// cards gives the alerts of the family, Actual first.
func (f *family) cards() []*card {
	if f.cached != nil {
		return f.cached
	}
	// Maps and merges leave the nodes in any order; what follows must not.
	slices.SortFunc(f.nodes, func(x, y *node) int { return cmp.Or(x.key.Compare(y.key), cmp.Compare(x.id, y.id)) })
	f.raise()
	cancels := f.cancelsByTarget()
	claimed := make(map[alert.ID]bool)
	cards := []*card{}
	for _, s := range statuses {
		for _, nodes := range f.chains(s) {
			c := newCard(s, nodes, cancels)
			if c.status != alert.StatusActual && !c.rooted() {
				continue
			}
			c.claim(claimed)
			cards = append(cards, c)
		}
	}
	f.cached = cards
	return cards
}

// raise puts every Update above what it references. Messages are ordered by when nodes took
// them, and the clock of one may be behind by more than the other's message is old: the Update
// would be over as soon as its alert came, and nobody shown it. Only what says that it was sent
// before counts, so that messages that reference each other stay where they are.
func (f *family) raise() {
	standing := make(map[alert.ID]*version, len(f.nodes))
	var updates []*version
	for _, n := range f.nodes {
		for i := range n.versions {
			v := &n.versions[i]
			v.Revision = v.taken
			if i > 0 || v.pending || !v.shows() {
				continue
			}
			standing[n.id] = v
			if v.MsgType == alert.MsgTypeUpdate {
				updates = append(updates, v)
			}
		}
	}
	slices.SortFunc(updates, func(x, y *version) int { return claimsBefore(&x.Entry, &y.Entry) })
	for _, v := range updates {
		for _, ref := range v.refs {
			if of := standing[ref]; of != nil && of.Status == v.Status && claimsBefore(&of.Entry, &v.Entry) < 0 {
				v.Revision = max(v.Revision, of.Revision+1)
			}
		}
	}
}

// claimsBefore orders messages by what they say of themselves.
func claimsBefore(a, b *Entry) int {
	return cmp.Or(cmp.Compare(a.Claimed, b.Claimed), a.Key.Compare(b.Key))
}

// cancelsByTarget lists the Cancels under every key that they end: what they
// reference, and their own, for Updates that reference a Cancel.
func (f *family) cancelsByTarget() map[alert.ID][]*version {
	cancels := make(map[alert.ID][]*version)
	for _, n := range f.nodes {
		for i := range n.versions {
			if v := &n.versions[i]; v.MsgType == alert.MsgTypeCancel {
				cancels[n.id] = append(cancels[n.id], v)
				for _, ref := range v.refs {
					if ref != n.id {
						cancels[ref] = append(cancels[ref], v)
					}
				}
			}
		}
	}
	return cancels
}

// chains groups the nodes that belong together by what messages of status s say.
// Nodes that no such message shows, references or cancels are left out.
func (f *family) chains(s alert.Status) [][]*node {
	sets := make(disjoint)
	for _, n := range f.nodes {
		for i := range n.versions {
			v := &n.versions[i]
			if v.Status != s {
				continue
			}
			if v.shows() {
				sets.join(n.id, n.id)
			}
			if v.root != "" {
				sets.join(n.id, v.root)
			}
			if v.pending {
				continue
			}
			for _, ref := range v.refs {
				if v.MsgType == alert.MsgTypeUpdate {
					sets.join(n.id, ref)
				} else {
					sets.join(ref, ref)
				}
			}
		}
	}
	var chains [][]*node
	at := make(map[alert.ID]int)
	for _, n := range f.nodes {
		if _, ok := sets[n.id]; !ok {
			continue
		}
		root := sets.find(n.id)
		i, ok := at[root]
		if !ok {
			i = len(chains)
			at[root] = i
			chains = append(chains, nil)
		}
		chains[i] = append(chains[i], n)
	}
	return chains
}

// entries are all its messages, in every fact.
func (f *family) entries() (out []Entry) {
	for _, n := range f.nodes {
		for i := range n.versions {
			out = append(out, n.versions[i].carriers...)
		}
	}
	return out
}

// keep is until when the family must be remembered: until every end has been
// listed long enough, and until nothing that it supersedes or cancels could still
// arrive and be in force.
func (f *family) keep() time.Time {
	var last time.Time
	unseen := make(map[alert.ID]bool)
	for _, n := range f.nodes {
		unseen[n.id] = len(n.versions) == 0
	}
	for _, n := range f.nodes {
		for i := range n.versions {
			v := &n.versions[i]
			if v.shows() {
				last = alert.Later(last, v.Expires)
			} else {
				last = alert.Later(last, v.Sent.Add(alert.MaxLifetime))
			}
			for k, ref := range v.refs {
				if !v.shows() || unseen[ref] {
					last = alert.Later(last, alert.Earlier(v.References[k].Sent.Time(), v.Accepted).Add(alert.MaxLifetime))
				}
			}
		}
	}
	return last.Add(alert.EndMemory)
}

// disjoint is a union-find over keys.
type disjoint map[alert.ID]alert.ID

func (d disjoint) find(x alert.ID) alert.ID {
	if _, ok := d[x]; !ok {
		d[x] = x
	}
	for d[x] != x {
		d[x] = d[d[x]]
		x = d[x]
	}
	return x
}

func (d disjoint) join(x, y alert.ID) {
	if rx, ry := d.find(x), d.find(y); rx != ry {
		d[rx] = ry
	}
}
