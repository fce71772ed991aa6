package alert

import (
	"cmp"
	"slices"
	"time"
)

// statuses in the order in which one overrides the next.
var statuses = []Status{StatusActual, StatusExercise, StatusTest, StatusSystem, StatusDraft}

// family is all keys that are connected by any reference. Everything the board
// answers is a function of one family at a time, computed anew when it has changed.
type family struct {
	nodes  []*node
	cached []*card
}

// stale drops what was computed.
func (f *family) stale() { f.cached = nil }

// cards gives the alerts of the family, Actual first.
func (f *family) cards() []*card {
	if f.cached != nil {
		return f.cached
	}
	// Maps and merges leave the nodes in any order; what follows must not.
	slices.SortFunc(f.nodes, func(x, y *node) int { return cmp.Or(x.key.Compare(y.key), cmp.Compare(x.id, y.id)) })
	cancels := f.cancelsByTarget()
	claimed := make(map[ID]bool)
	cards := []*card{}
	for _, s := range statuses {
		for _, nodes := range f.chains(s) {
			c := newCard(s, nodes, cancels)
			if c.status != StatusActual && !c.rooted() {
				continue
			}
			c.claim(claimed)
			cards = append(cards, c)
		}
	}
	f.cached = cards
	return cards
}

// cancelsByTarget lists the Cancels under every key that they end: what they
// reference, and their own, for Updates that reference a Cancel.
func (f *family) cancelsByTarget() map[ID][]*version {
	cancels := make(map[ID][]*version)
	for _, n := range f.nodes {
		for i := range n.versions {
			if v := &n.versions[i]; v.MsgType == MsgTypeCancel {
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
func (f *family) chains(s Status) [][]*node {
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
				if v.MsgType == MsgTypeUpdate {
					sets.join(n.id, ref)
				} else {
					sets.join(ref, ref)
				}
			}
		}
	}
	var chains [][]*node
	at := make(map[ID]int)
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

// keep is until when the family must be remembered: until every end has been
// listed long enough, and until nothing that it supersedes or cancels could still
// arrive and be in force.
func (f *family) keep() time.Time {
	var last time.Time
	for _, n := range f.nodes {
		if len(n.versions) == 0 {
			last = later(last, n.key.Sent.Time().Add(MaxLifetime))
		}
		for i := range n.versions {
			v := &n.versions[i]
			if v.shows() {
				last = later(last, v.Expires)
				continue
			}
			last = later(last, v.Sent.Add(MaxLifetime))
			for _, ref := range v.References {
				last = later(last, ref.Sent.Time().Add(MaxLifetime))
			}
		}
	}
	return last.Add(EndMemory)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// disjoint is a union-find over keys.
type disjoint map[ID]ID

func (d disjoint) find(x ID) ID {
	if _, ok := d[x]; !ok {
		d[x] = x
	}
	for d[x] != x {
		d[x] = d[d[x]]
		x = d[x]
	}
	return x
}

func (d disjoint) join(x, y ID) {
	if rx, ry := d.find(x), d.find(y); rx != ry {
		d[rx] = ry
	}
}
