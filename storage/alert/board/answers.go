package board

import (
	"slices"
	"strings"
	"time"

	"almenara/storage/alert"
)

// InForce lists the alerts that devices must show at now, by id.
func (b *Board) InForce(now time.Time) []Active {
	var list []Active
	for c := range b.cards(now) {
		if e := c.at(now).head; e != nil {
			list = append(list, Active{
				ID: c.id, Revision: e.Revision, Digest: e.Digest, Key: e.Key,
				Effective: e.Effective, Expires: e.Expires, Fact: e.Fact, Status: e.Status,
				Also: c.also(e, now),
			})
		}
	}
	slices.SortFunc(list, func(x, y Active) int { return strings.Compare(string(x.ID), string(y.ID)) })
	return list
}

// Ended lists, by id, what devices must not show any more at now: cancelled
// alerts, ids that were merged into another, and alerts whose newest message ran
// out before an older one. It says so until the last message of the alert would
// have expired and EndMemory longer; for messages that were cancelled and never
// seen, until MaxLifetime and EndMemory after the Cancel, as the first node to take it
// believes that. An alert that simply
// expires is not listed, since every device knows when it does.
func (b *Board) Ended(now time.Time) []End {
	var list []End
	for c := range b.cards(now) {
		list = c.ends(now, list)
	}
	slices.SortFunc(list, func(x, y End) int { return strings.Compare(string(x.ID), string(y.ID)) })
	return list
}

// NextChange is the first instant after now at which InForce or Ended answers
// differently if nothing is added; false when that will not happen.
func (b *Board) NextChange(now time.Time) (time.Time, bool) {
	var next time.Time
	found := false
	for c := range b.cards(now) {
		if t, ok := c.nextChange(now); ok && (!found || t.Before(next)) {
			next, found = t, true
		}
	}
	return next, found
}

// Judge says what a recorded message is good for at now.
func (b *Board) Judge(e Entry, now time.Time) Standing {
	n, ok := b.nodes[e.Key.ID()]
	if !ok {
		return Unknown
	}
	i := slices.IndexFunc(n.versions, func(v version) bool { return v.Digest == e.Digest })
	switch {
	case i < 0:
		return Unknown
	case n.versions[i].MsgType == alert.MsgTypeCancel:
		return Ends
	case i > 0:
		return Contradicted
	case !alert.Presentable(n.versions[i].Status):
		return NotPresentable
	}
	c := n.card(n.versions[i].Status)
	if c == nil {
		return NotPresentable
	}
	return c.judge(&n.versions[i], now)
}

func (c *card) judge(v *version, now time.Time) Standing {
	e := &v.Entry
	head, _ := c.head(now)
	switch {
	case len(c.cancels) > 0:
		return Cancelled
	case v.pending && now.Before(e.Expires):
		return Pending
	case v.pending:
		return Lapsed
	case c.shadowed || (head != nil && outranks(head, e) > 0):
		return Superseded
	case !now.Before(e.Expires):
		return Expired
	case e.Effective.After(now):
		return Future
	default:
		return InForce
	}
}

// Standing is the message that stands under the key, by the fact that counts, whether it
// has an effect or not; false where none has come.
func (b *Board) Standing(k alert.Key) (Entry, bool) {
	n, ok := b.nodes[k.ID()]
	if !ok || len(n.versions) == 0 {
		return Entry{}, false
	}
	n.family.cards() // which settle the revisions
	return n.versions[0].Entry, true
}

// AlertOf gives the id of the alert to which the message with this key belongs,
// seen or only referenced. For a Cancel it is the first alert that it ends.
func (b *Board) AlertOf(k alert.Key) (alert.ID, bool) {
	n, ok := b.nodes[k.ID()]
	if !ok {
		return "", false
	}
	if len(n.versions) > 0 {
		if c := n.card(n.versions[0].Status); c != nil {
			return c.id, true
		}
	}
	for _, c := range n.family.cards() {
		if slices.Contains(c.nodes, n) || c.cancelledThrough(n) {
			return c.id, true
		}
	}
	return "", false
}

func (c *card) cancelledThrough(n *node) bool {
	return slices.ContainsFunc(c.cancels, func(e *Entry) bool { return e.Key.Same(n.key) })
}

// card is the alert of status s in which the node takes part; nil when none.
func (n *node) card(s alert.Status) *card {
	for _, c := range n.family.cards() {
		if c.status == s && slices.Contains(c.nodes, n) {
			return c
		}
	}
	return nil
}

// Card gives the alert that has this id now, or had it before it was merged into
// another. Where a drill and the real thing share an id, it is the real one, and
// the messages of both are listed.
func (b *Board) Card(id alert.ID) (Card, bool) {
	n, ok := b.nodes[id]
	if !ok {
		return Card{}, false
	}
	for _, c := range n.family.cards() {
		if slices.Contains(c.nodes, n) {
			return c.display(), true
		}
	}
	return Card{}, false
}

// Beginning lists the ids of the alerts that have an id, or had one before, which begins
// so; some of them more than once.
func (b *Board) Beginning(begin string) (out []alert.ID) {
	for id := range b.nodes {
		if !strings.HasPrefix(string(id), begin) {
			continue
		}
		if card, ok := b.Card(id); ok {
			out = append(out, card.ID)
		}
	}
	return out
}

// Knows reports whether Card lists a message of this revision of the alert. It is
// asked for each PUBACK, and allocates nothing.
func (b *Board) Knows(id alert.ID, revision alert.Revision) bool {
	n, ok := b.nodes[id]
	if !ok {
		return false
	}
	for _, c := range n.family.cards() {
		if slices.Contains(c.nodes, n) {
			return c.knows(revision)
		}
	}
	return false
}

func (c *card) knows(revision alert.Revision) bool {
	for _, n := range c.nodes {
		if len(n.versions) == 0 || !n.versions[0].shows() {
			continue
		}
		if n.versions[0].Revision == revision || slices.ContainsFunc(n.versions[0].carriers, func(e Entry) bool { return e.Revision == revision }) {
			return true // a node that knew this fact alone told its devices so
		}
	}
	return false
}

func (c *card) display() Card {
	out := Card{ID: c.id, Status: c.status}
	for _, n := range c.nodes {
		out.Keys = append(out.Keys, n.key)
		for i := range n.versions {
			switch v := &n.versions[i]; {
			case !v.shows(): // listed under Cancels
			case i == 0:
				out.Messages = append(out.Messages, v.Entry)
				if v.pending {
					out.Pending = append(out.Pending, v.Fact)
				}
			default:
				out.Lost = append(out.Lost, v.Entry)
			}
		}
	}
	slices.SortFunc(out.Messages, func(x, y Entry) int { return outranks(&x, &y) })
	for _, e := range c.cancels {
		out.Cancels = append(out.Cancels, *e)
	}
	return out
}

// Open lists, in no particular order, the alerts that may be shown or listed at now or
// later: what is in force, what is still to come, what waits for approvals, and ends.
func (b *Board) Open(now time.Time) (ids []alert.ID) {
	for c := range b.cards(now) {
		ids = append(ids, c.id)
	}
	return ids
}

// Related lists all messages that are connected, by any references, with what the entry
// names: those that it may have an effect on, and that may have one on it.
func (b *Board) Related(e Entry) (out []Entry) {
	seen := make(map[*family]bool)
	for _, k := range append([]alert.Key{e.Key, e.Root}, e.References...) {
		if n, ok := b.nodes[k.ID()]; ok && !seen[n.family] {
			seen[n.family] = true
			out = append(out, n.family.entries()...)
		}
	}
	return out
}

// cards ranges over the alerts that may show or list something at now or later, in no
// particular order.
func (b *Board) cards(now time.Time) func(yield func(*card) bool) {
	return func(yield func(*card) bool) {
		more := true
		b.look(now, func(f *family) {
			for _, c := range f.cards() {
				more = more && yield(c)
			}
		})
	}
}
