package board

import (
	"slices"
	"strings"
	"time"

	"almenara/storage/alert"
)

// Board is the fold of all known messages that says what is in force. It has no
// clock and does no I/O: the same set of entries, in any order and any number of
// times, gives the same answers on every node.
//
//   - An Update belongs to the alert of everything that it references, and so do
//     the keys that were never seen. An Alert starts an alert of its own, also
//     when it references others. The alert's id is that of its smallest key.
//
//   - Of the messages whose effective time has come, the one with the highest
//     revision stands, until it expires; an older one never comes back. The revision
//     of an Update is above that of what it references, whatever clocks said.
//
//   - A Cancel ends the alert of everything that it references, for ever,
//     whatever arrives later or was never seen.
//
//   - Of different messages with one key, the one accepted first stands; but a
//     Cancel ends, and an Update joins, even where it lost, because an end that
//     was told to devices cannot be taken back.
//
//   - A message acts only on messages of its own status: a drill never cancels,
//     replaces or joins the real thing. The real thing overrides drills: an Actual
//     Cancel ends them too, and where both would have one id it is Actual's.
//     A message that is not Actual has no effect before the first message of its
//     alert is known to be of its status, because until then it might name a real
//     alert.
//
//   - A message that needs approvals has no effect before enough persons other than its
//     author have approved it: until then it updates and replaces nothing. A Cancel of
//     it, or its expiry, is final whenever approvals arrive. Of facts with equal
//     content and of messages with one key, one that lacks none stands first.
//
//   - Alerts with one root are one alert; the highest of them stands and addresses
//     whom any of them does.
//
// A Board must not be used by several goroutines at once, not even for reading:
// answers are computed when first asked for.
type Board struct {
	nodes     map[alert.ID]*node
	families  map[*family]struct{}
	carriers  map[string]*node      // by fact
	approvals map[string][]Approval // by fact, also of facts that have not come
	schedule  schedule
}

// node is one key, seen or only referenced.
type node struct {
	id       alert.ID
	key      alert.Key
	versions []version // approved ones first, then by precedes; the first one stands
	root     bool      // it names an incident: no message ever has this key
	family   *family
}

// version is one message under a key, with the ids of its references.
type version struct {
	Entry                   // of the carrier that stands
	carriers []Entry        // the same content in other facts, the one that stands included
	taken    alert.Revision // of that carrier; see family.raise
	refs     []alert.ID
	root     alert.ID // "": none
	pending  bool     // no carrier has the approvals that it needs
}

// New returns an empty board.
func New() *Board {
	return &Board{nodes: make(map[alert.ID]*node), families: make(map[*family]struct{}), carriers: make(map[string]*node),
		approvals: make(map[string][]Approval), schedule: newSchedule()}
}

// Add records a message. It knows no time: Judge says what the message is good
// for. When the same message came in twice, the earlier acceptance counts; where
// that decides a contradiction the other way, Add reports Conflict.
func (b *Board) Add(e Entry) Outcome {
	if !slices.Contains(statuses, e.Status) || (!e.shows() && e.MsgType != alert.MsgTypeCancel) {
		return Ignored
	}
	if e.MsgType == alert.MsgTypeCancel {
		e.Approvals = 0 // an end never waits for anybody
	}
	n := b.node(e.Key)
	b.carriers[e.Fact] = n
	for i := range n.versions {
		if n.versions[i].Digest == e.Digest {
			return b.accept(n, i, e)
		}
	}
	v := version{Entry: e, carriers: []Entry{e}}
	if e.MsgType != alert.MsgTypeAlert {
		for _, ref := range e.References {
			target := b.node(ref)
			v.refs = append(v.refs, target.id)
			b.join(n, target)
		}
	}
	if e.MsgType == alert.MsgTypeAlert && e.Root != (alert.Key{}) {
		root := b.node(e.Root)
		root.root, v.root = true, root.id
		b.join(n, root)
	}
	n.versions = append(n.versions, v)
	b.settle(n)
	if len(n.versions) > 1 {
		return Conflict
	}
	return Added
}

// accept takes a message that is known, in another fact or anew.
func (b *Board) accept(n *node, i int, e Entry) Outcome {
	v := &n.versions[i]
	digest := n.versions[0].Digest
	if k := slices.IndexFunc(v.carriers, func(c Entry) bool { return c.Fact == e.Fact }); k < 0 {
		v.carriers = append(v.carriers, e)
	} else if precedes(&e, &v.carriers[k]) < 0 {
		v.carriers[k] = e
	}
	b.settle(n)
	if n.versions[0].Digest != digest {
		return Conflict
	}
	return Known
}

// Approve records an approval; it may come before what it approves, and more than once.
func (b *Board) Approve(a Approval) {
	if slices.Contains(b.approvals[a.Fact], a) {
		return
	}
	b.approvals[a.Fact] = append(b.approvals[a.Fact], a)
	if n, ok := b.carriers[a.Fact]; ok {
		b.settle(n)
	}
}

// Approvers lists who has approved the message in its fact, by name, whether that is
// enough or not.
func (b *Board) Approvers(e Entry) []Approval {
	var valid []Approval
	for _, a := range b.approvals[e.Fact] {
		if a.counts(e) && !slices.ContainsFunc(valid, func(v Approval) bool { return v.By == a.By }) {
			valid = append(valid, a)
		}
	}
	slices.SortFunc(valid, func(x, y Approval) int { return strings.Compare(x.By, y.By) })
	return valid
}

// counts reports whether the approval is one of the entry by somebody else.
func (a Approval) counts(e Entry) bool {
	return a.Digest == e.Digest && a.By != "" && a.By != e.Author && a.At.Before(a.Expires) && a.At.Before(e.Expires)
}

// approved reports whether enough persons had approved the entry at one moment: the
// moments to look at are those of the approvals themselves, so that neither a clock
// nor the order of arrival decides.
func (b *Board) approved(e Entry) bool {
	if e.Approvals <= 0 {
		return true
	}
	given := b.approvals[e.Fact]
	for _, last := range given {
		people := make(map[string]bool)
		for _, a := range given {
			if a.counts(e) && !a.At.After(last.At) && last.At.Before(a.Expires) {
				people[a.By] = true
			}
		}
		if len(people) >= e.Approvals {
			return true
		}
	}
	return false
}

// settle decides anew which fact and which message of a key stand.
func (b *Board) settle(n *node) {
	for i := range n.versions {
		v := &n.versions[i]
		v.Entry, v.pending = v.carriers[0], !b.approved(v.carriers[0])
		for _, c := range v.carriers[1:] {
			pending := !b.approved(c)
			if v.pending && !pending || v.pending == pending && precedes(&c, &v.Entry) < 0 {
				v.Entry, v.pending = c, pending
			}
		}
		v.taken = v.Revision
	}
	slices.SortFunc(n.versions, func(x, y version) int {
		if x.pending != y.pending {
			if y.pending {
				return -1
			}
			return 1
		}
		return precedes(&x.Entry, &y.Entry)
	})
	b.stale(n.family)
}

// stale drops what was computed of the family and lets it be looked at again.
func (b *Board) stale(f *family) {
	f.cached, f.judged = nil, false
	b.schedule.put(f)
}

// node finds or makes the node of a key. Of two spellings of one instant it keeps
// the smaller, so that the order of arrival does not show.
func (b *Board) node(k alert.Key) *node {
	id := k.ID()
	n, ok := b.nodes[id]
	if !ok {
		n = &node{id: id, key: k}
		n.family = &family{nodes: []*node{n}}
		b.nodes[id] = n
		b.families[n.family] = struct{}{}
		b.schedule.put(n.family)
		return n
	}
	if strings.Compare(k.Sent.String(), n.key.Sent.String()) < 0 {
		n.key = k
		b.stale(n.family)
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
	b.stale(into)
	delete(b.families, from)
	b.schedule.drop(from)
}

// Prune forgets everything whose ends need no longer be listed and against which
// no message can still be late, but for what is connected with a message to spare; nil spares
// none, and what was spared is asked about once more after AskAgain. It changes no answer of
// InForce, Ended and NextChange for now or later. It returns the facts whose messages were dropped.
func (b *Board) Prune(now time.Time, spare func(Entry) bool) (facts []string) {
	for _, f := range b.past(now, spare) {
		facts = b.forget(f, facts)
	}
	b.pruneApprovals(now)
	return facts
}

// forget drops a family and appends the facts of its messages to facts.
func (b *Board) forget(f *family, facts []string) []string {
	for _, e := range f.entries() {
		facts = append(facts, e.Fact)
		delete(b.approvals, e.Fact)
		delete(b.carriers, e.Fact)
	}
	for _, n := range f.nodes {
		delete(b.nodes, n.id)
	}
	delete(b.families, f)
	b.schedule.drop(f)
	return facts
}

// pruneApprovals forgets approvals of what has not come and could not hold any more.
func (b *Board) pruneApprovals(now time.Time) {
	for fact, given := range b.approvals {
		if !slices.ContainsFunc(given, func(a Approval) bool { return now.Before(a.Expires.Add(alert.MaxLifetime + alert.EndMemory)) }) {
			delete(b.approvals, fact)
		}
	}
}
