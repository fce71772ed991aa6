package alert

import (
	"slices"
	"strings"
	"time"
)

// Board is the fold of all known messages that says what is in force. It has no
// clock and does no I/O: the same set of entries, in any order and any number of
// times, gives the same answers on every node.
//
//   - An Update belongs to the alert of everything that it references, and so do
//     the keys that were never seen. An Alert starts an alert of its own, also
//     when it references others. The alert's id is that of its smallest key.
//   - Of the messages whose effective time has come, the one with the highest
//     revision stands, until it expires; an older one never comes back.
//   - A Cancel ends the alert of everything that it references, for ever,
//     whatever arrives later or was never seen.
//   - Of different messages with one key, the one accepted first stands; but a
//     Cancel ends, and an Update joins, even where it lost, because an end that
//     was told to devices cannot be taken back.
//   - A message acts only on messages of its own status: a drill never cancels,
//     replaces or joins the real thing. The real thing overrides drills: an Actual
//     Cancel ends them too, and where both would have one id it is Actual's.
//     A message that is not Actual has no effect before the first message of its
//     alert is known to be of its status, because until then it might name a real
//     alert.
//
// A Board must not be used by several goroutines at once, not even for reading:
// answers are computed when first asked for.
type Board struct {
	nodes    map[ID]*node
	families map[*family]struct{}
}

// node is one key, seen or only referenced.
type node struct {
	id       ID
	key      Key
	versions []version // by precedes; the first one stands
	family   *family
}

// version is one message under a key, with the ids of its references.
type version struct {
	Entry
	refs []ID
}

// NewBoard returns an empty board.
func NewBoard() *Board {
	return &Board{nodes: make(map[ID]*node), families: make(map[*family]struct{})}
}

// Add records a message. It knows no time: Judge says what the message is good
// for. When the same message came in twice, the earlier acceptance counts; where
// that decides a contradiction the other way, Add reports Conflict.
func (b *Board) Add(e Entry) Outcome {
	if !slices.Contains(statuses, e.Status) || (!e.shows() && e.MsgType != MsgTypeCancel) {
		return Ignored
	}
	n := b.node(e.Key)
	for i := range n.versions {
		if n.versions[i].Digest == e.Digest {
			return n.accept(i, e)
		}
	}
	v := version{Entry: e}
	if e.MsgType != MsgTypeAlert {
		for _, ref := range e.References {
			target := b.node(ref)
			v.refs = append(v.refs, target.id)
			b.join(n, target)
		}
	}
	n.versions = append(n.versions, v)
	n.sort()
	n.family.stale()
	if len(n.versions) > 1 {
		return Conflict
	}
	return New
}

// accept takes a message that is known, and keeps its earliest acceptance.
func (n *node) accept(i int, e Entry) Outcome {
	known := &n.versions[i].Entry
	if precedes(&e, known) >= 0 {
		return Known
	}
	stood := n.versions[0].Digest
	known.Accepted, known.Fact = e.Accepted, e.Fact
	n.sort()
	n.family.stale()
	if n.versions[0].Digest != stood {
		return Conflict
	}
	return Known
}

func (n *node) sort() {
	slices.SortFunc(n.versions, func(x, y version) int { return precedes(&x.Entry, &y.Entry) })
}

// node finds or makes the node of a key. Of two spellings of one instant it keeps
// the smaller, so that the order of arrival does not show.
func (b *Board) node(k Key) *node {
	id := k.ID()
	n, ok := b.nodes[id]
	if !ok {
		n = &node{id: id, key: k}
		n.family = &family{nodes: []*node{n}}
		b.nodes[id] = n
		b.families[n.family] = struct{}{}
		return n
	}
	if strings.Compare(k.Sent.String(), n.key.Sent.String()) < 0 {
		n.key = k
		n.family.stale()
	}
	return n
}

// join makes one family of two, the smaller moving into the larger.
func (b *Board) join(x, y *node) {
	into, from := x.family, y.family
	if into == from {
		return
	}
	if len(into.nodes) < len(from.nodes) {
		into, from = from, into
	}
	for _, n := range from.nodes {
		n.family = into
	}
	into.nodes = append(into.nodes, from.nodes...)
	into.stale()
	delete(b.families, from)
}

// Prune forgets everything whose ends need no longer be listed and against which
// no message can still be late. It changes no answer of InForce, Ended and
// NextChange for now or later. It returns how many messages were dropped.
func (b *Board) Prune(now time.Time) int {
	dropped := 0
	for f := range b.families {
		if now.Before(f.keep()) {
			continue
		}
		for _, n := range f.nodes {
			dropped += len(n.versions)
			delete(b.nodes, n.id)
		}
		delete(b.families, f)
	}
	return dropped
}
