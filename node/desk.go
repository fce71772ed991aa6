package node

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"almenara/storage"
	"almenara/storage/alert"
)

// desk is what this node knows of alerts: every message from its journal and from
// the agreed state, folded on a board. It answers without quorum. Safe for
// concurrent use.
type desk struct {
	mu       sync.Mutex
	board    *alert.Board
	messages map[string]*message     // by fact id
	byKey    map[alert.ID][]*message // the same, by the id of their key
}

// message is one CAP message of an alert fact, immutable.
type message struct {
	fact  string
	issue storage.Issue
	alert *alert.Alert
	entry alert.Entry
}

func newDesk() *desk {
	return &desk{board: alert.NewBoard(), messages: map[string]*message{}, byKey: map[alert.ID][]*message{}}
}

// readMessage decodes the body of an alert fact.
func readMessage(fact string, body []byte) (*message, error) {
	issue, err := storage.DecodeIssue(body)
	if err != nil {
		return nil, err
	}
	a, _, err := alert.Parse(issue.Message)
	if err != nil {
		return nil, fmt.Errorf("reading the message of fact %s: %w", fact, err)
	}
	entry := issue.Entry(a, a.Digest().String(), fact)
	return &message{fact: fact, issue: issue, alert: a, entry: entry}, nil
}

// add records a message and reports whether its fact is new here. A message that
// came in another fact before is not new to the board, but that fact may stand now:
// it may address others.
func (d *desk) add(m *message) (outcome alert.Outcome, fresh bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.messages[m.fact]; known {
		return alert.Known, false
	}
	outcome = d.board.Add(m.entry)
	if outcome == alert.Ignored {
		return outcome, false
	}
	id := m.entry.Key.ID()
	d.messages[m.fact], d.byKey[id] = m, append(d.byKey[id], m)
	return outcome, true
}

// with is another desk that also has m. It leaves this one as it is.
func (d *desk) with(m *message) *desk {
	d.mu.Lock()
	messages := slices.Collect(maps.Values(d.messages))
	d.mu.Unlock()
	out := newDesk()
	for _, other := range append(messages, m) {
		out.add(other)
		for _, a := range d.approvers(other) {
			out.approve(a)
		}
	}
	return out
}

// approve records an approval, also of what is not known here yet.
func (d *desk) approve(a alert.Approval) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.board.Approve(a)
}

// approvers lists who approved the message, in its fact.
func (d *desk) approvers(m *message) []alert.Approval {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.board.Approvers(m.entry)
}

// known finds the message with this key that was accepted first, rather one with
// the same content, and whether it has.
func (d *desk) known(k alert.Key, digest string) (m *message, same bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, other := range d.byKey[k.ID()] {
		equal := other.entry.Digest == digest
		first := m == nil || other.entry.Accepted.Before(m.entry.Accepted)
		if equal && !same || equal == same && first {
			m, same = other, equal
		}
	}
	return m, same
}

// knows reports whether a message with this revision of the alert was seen, as far as
// it may still matter.
func (d *desk) knows(told telling) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.board.Knows(told.alert, told.revision)
}

// standing says what a message is good for now and to which alert it belongs, also
// one that the desk has forgotten, because it ran out long ago.
func (d *desk) standing(m *message, now time.Time) (alert.Standing, alert.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, ok := d.board.AlertOf(m.entry.Key)
	if !ok {
		id = m.entry.Key.ID()
	}
	standing := d.board.Judge(m.entry, now)
	switch {
	case standing == alert.Ends && !ok:
		standing = alert.NotPresentable // nothing that it may end is known: a drill's, or of another status
	case standing != alert.Unknown:
	case m.entry.MsgType == alert.MsgTypeCancel:
		standing = alert.Ends
	case !now.Before(m.entry.Expires):
		standing = alert.Expired
	}
	return standing, id
}

// picture is what the desk says at one moment.
type picture struct {
	inForce []live
	ended   []alert.End
	next    time.Time // when it changes by itself; zero: never
}

// live is an alert in force and its message.
type live struct {
	alert.Active
	message *message
	also    []*message // of the same incident: whom they address gets it too
}

// at answers for now and forgets what nobody needs any more.
func (d *desk) at(now time.Time) picture {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.board.Prune(now) > 0 {
		d.forget()
	}
	p := picture{ended: d.board.Ended(now)}
	for _, a := range d.board.InForce(now) {
		l := live{Active: a, message: d.messages[a.Fact]}
		for _, fact := range a.Also {
			l.also = append(l.also, d.messages[fact])
		}
		p.inForce = append(p.inForce, l)
	}
	p.next, _ = d.board.NextChange(now)
	return p
}

// calm reports that no alert is in force at either time.
func (d *desk) calm(a, b time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.board.InForce(a)) == 0 && len(d.board.InForce(b)) == 0
}

// forget drops the messages that the board has dropped. mu is held.
func (d *desk) forget() {
	for id, same := range d.byKey {
		if _, ok := d.board.AlertOf(same[0].entry.Key); ok {
			continue
		}
		for _, m := range same {
			delete(d.messages, m.fact)
		}
		delete(d.byKey, id)
	}
}

// card gives an alert with its messages; false when the desk does not know it.
func (d *desk) card(id alert.ID) (alert.Card, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.board.Card(id)
}

// ids lists the alerts on the desk in no particular order.
func (d *desk) ids() []alert.ID {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := map[alert.ID]bool{}
	for _, m := range d.messages {
		if id, ok := d.board.AlertOf(m.entry.Key); ok {
			found[id] = true
		}
	}
	return slices.Collect(maps.Keys(found))
}

// of finds the messages of entries.
func (d *desk) of(entries []alert.Entry) []*message {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*message
	for _, e := range entries {
		if m, ok := d.messages[e.Fact]; ok {
			out = append(out, m)
		}
	}
	return out
}

// message finds a message by its fact; nil when it is not on the desk.
func (d *desk) message(fact string) *message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.messages[fact]
}
