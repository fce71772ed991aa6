// Package alerts keeps the book of alerts: every message that this node knows, from its
// journal and from the agreed state, and what each is good for at a
// moment. It answers without a majority, and holds in memory what may still matter.
//
//	facts ─> Book.Add, Approve ─> board ─> At (what is in force), Card, Standing, Known
//	                                        texts of what does not stand and is agreed <─ Texts
//
// A Book is given Texts, which read the agreed state; nil holds everything in memory. It has
// no clock: who asks says what time it is. It never imports cluster, channels or another
// part of node.
package alerts

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// Book is what this node knows of alerts: every message from its journal and from
// the agreed state, folded on a board. It answers without quorum. Of what is neither in force
// nor to come nor waiting, and is agreed, it holds stubs: what they say is read again from
// the state when somebody asks. Safe for concurrent use.
type Book struct {
	agreed Texts // nil: the book holds all texts itself

	mu       sync.Mutex
	board    *board.Board
	messages map[string]*Message     // by fact id
	byKey    map[alert.ID][]*Message // the same, by the id of their key
	texts    texts
	edits    uint64              // counts the changes of board and messages
	fresh    map[string]struct{} // facts that were not in the agreed state when it was looked at last
	known    bool                // some are no longer among fresh since what is over was asked about

	making making
}

// NewBook makes a book over the texts that are agreed, which are read without its lock.
func NewBook(t Texts) *Book {
	return &Book{agreed: t, board: board.New(), messages: map[string]*Message{}, byKey: map[alert.ID][]*Message{},
		texts: texts{held: map[string]struct{}{}}, fresh: map[string]struct{}{}}
}

// Add records a message and reports whether its fact is new here. A message that
// came in another fact before is not new to the board, but that fact may stand now:
// it may address others.
func (b *Book) Add(m *Message) (outcome board.Outcome, fresh bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.messages[m.Fact]; known {
		return board.Known, false
	}
	b.edits++
	outcome = b.board.Add(m.Entry)
	if outcome == board.Ignored {
		return outcome, false
	}
	id := m.Entry.Key.ID()
	b.messages[m.Fact], b.byKey[id] = m, append(b.byKey[id], m)
	b.texts.changed = true
	if m.texts == nil {
		b.texts.held[m.Fact] = struct{}{}
	}
	b.fresh[m.Fact] = struct{}{}
	return outcome, true
}

// With is another book that has m and all that m may have to do with. It leaves this one
// as it is.
func (b *Book) With(m *Message) *Book {
	b.mu.Lock()
	var related []*Message
	for _, other := range b.board.Related(m.Entry) {
		related = append(related, b.messages[other.Fact])
	}
	b.mu.Unlock()
	out := NewBook(b.agreed)
	for _, other := range append(related, m) {
		out.Add(other)
		for _, a := range b.Approvers(other) {
			out.Approve(a)
		}
	}
	return out
}

// Approve records an approval, also of what is not known here yet.
func (b *Book) Approve(a board.Approval) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.edits++
	b.texts.changed = true
	b.board.Approve(a)
}

// Approvers lists who approved the message, in its fact.
func (b *Book) Approvers(m *Message) []board.Approval {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.board.Approvers(m.Entry)
}

// Known finds the message with this key that was accepted first, rather one with
// the same content, and whether it has.
func (b *Book) Known(k alert.Key, digest string) (m *Message, same bool, err error) {
	m, same = b.First(k, digest)
	if m != nil {
		m, err = m.Whole()
	}
	return m, same, err
}

// First is Known without reading what a stub says.
func (b *Book) First(k alert.Key, digest string) (m *Message, same bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, other := range b.byKey[k.ID()] {
		equal := other.Entry.Digest == digest
		first := m == nil || other.Entry.Accepted.Before(m.Entry.Accepted)
		if equal && !same || equal == same && first {
			m, same = other, equal
		}
	}
	return m, same
}

// Knows reports whether a message with this revision of the alert was seen, as far as
// it may still matter.
func (b *Book) Knows(id alert.ID, revision alert.Revision) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.board.Knows(id, revision)
}

// Ends lists what is in force or to come and would be over once e is there.
func (b *Book) Ends(e board.Entry, now time.Time) []board.Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.board.Ends(e, now)
}

// Standing says what a message is good for now and to which alert it belongs, also
// one that the book has forgotten, because it ran out long ago.
func (b *Book) Standing(m *Message, now time.Time) (board.Standing, alert.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, ok := b.board.AlertOf(m.Entry.Key)
	if !ok {
		id = m.Entry.Key.ID()
	}
	standing := b.board.Judge(m.Entry, now)
	switch {
	case standing == board.Ends && !ok:
		standing = board.NotPresentable // nothing that it may end is known: a drill's, or of another status
	case standing != board.Unknown:
	case m.Entry.MsgType == alert.MsgTypeCancel:
		standing = board.Ends
	case !alert.Presentable(m.Entry.Status):
		standing = board.NotPresentable
	case !now.Before(m.Entry.Expires):
		standing = board.Expired
	}
	return standing, id
}

// Picture is what the book says at one moment.
type Picture struct {
	InForce []Live
	Ended   []board.End
	Next    time.Time // when it changes by itself; zero: never
	Err     error     // what is in force and cannot be read
}

// Live is an alert in force and its message.
type Live struct {
	board.Active
	Message *Message
	Also    []*Message // of the same incident: whom they address gets it too
}

// At answers for now and forgets what nobody needs any more.
func (b *Book) At(now time.Time) Picture {
	b.GiveUpTexts(now)
	p := b.seen(now)
	whole := p.InForce[:0]
	for _, l := range p.InForce {
		if err := b.fill(&l); err != nil {
			p.Err = errors.Join(p.Err, err)
			continue
		}
		whole = append(whole, l)
	}
	p.InForce = whole
	return p
}

// seen is at before texts are read.
func (b *Book) seen(now time.Time) Picture {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known {
		b.known = false
		b.board.AskAgain()
	}
	b.forget(b.board.Prune(now, func(e board.Entry) bool { // what is neither here nor in the agreed state could be recorded twice
		_, fresh := b.fresh[e.Fact]
		return fresh && b.agreed != nil
	}))
	p := Picture{Ended: b.board.Ended(now)}
	for _, a := range b.board.InForce(now) {
		l := Live{Active: a, Message: b.messages[a.Fact]}
		for _, fact := range a.Also {
			l.Also = append(l.Also, b.messages[fact])
		}
		p.InForce = append(p.InForce, l)
	}
	p.Next, _ = b.board.NextChange(now)
	return p
}

// Count is how many alerts are in force.
func (b *Book) Count(now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.board.InForce(now))
}

// Calm reports that no alert is in force at either time.
func (b *Book) Calm(one, other time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.board.InForce(one)) == 0 && len(b.board.InForce(other)) == 0
}

// forget drops the messages of facts that the board has dropped. mu is held.
func (b *Book) forget(facts []string) {
	if len(facts) > 0 {
		b.edits++
	}
	for _, fact := range facts {
		if m, ok := b.messages[fact]; ok {
			delete(b.messages, fact)
			delete(b.fresh, fact)
			delete(b.texts.held, fact)
			delete(b.byKey, m.Entry.Key.ID()) // a board drops a key with all its messages
		}
	}
}

// Card gives an alert with its messages; false when the book does not know it.
func (b *Book) Card(id alert.ID) (board.Card, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.board.Card(id)
}

// Changes lists the Updates of an alert that wait for approvals at now. Until they have them each is
// an alert of its own.
func (b *Book) Changes(id alert.ID, now time.Time) (out []board.Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	card, ok := b.board.Card(id)
	family, _ := b.board.Family(id)
	for _, c := range family.Cards {
		if !ok || c.ID == card.ID || c.Status != card.Status || len(c.Cancels) > 0 {
			continue
		}
		for _, e := range c.Messages {
			waits := slices.Contains(c.Pending, e.Fact) && e.MsgType == alert.MsgTypeUpdate && now.Before(e.Expires)
			if waits && slices.ContainsFunc(e.References, func(k alert.Key) bool { return slices.ContainsFunc(card.Keys, k.Same) }) {
				out = append(out, e)
			}
		}
	}
	return out
}

// Open lists, in no particular order, the alerts that may be shown or listed now or
// later.
func (b *Book) Open(now time.Time) []alert.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.board.Open(now)
}

// AlertOf is the alert to which the message with this key belongs, seen or only referenced.
func (b *Book) AlertOf(k alert.Key) (alert.ID, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.board.AlertOf(k)
}

// Of finds the messages of entries, some of which may be stubs.
func (b *Book) Of(entries []board.Entry) (out []*Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range entries {
		if m, ok := b.messages[e.Fact]; ok {
			out = append(out, m.at(e.Revision))
		}
	}
	return out
}

// Revision is that of a message by all that the book knows: of an Update, above what it references.
func (b *Book) Revision(m *Message) alert.Revision {
	b.mu.Lock()
	defer b.mu.Unlock()
	return raised(b.board, m).Entry.Revision
}

// raised is the message under the revision that it has on the board.
func raised(b *board.Board, m *Message) *Message {
	if e, ok := b.Standing(m.Entry.Key); ok && e.Fact == m.Fact {
		return m.at(e.Revision)
	}
	return m
}

// Message finds a message by its fact, which may be a stub; nil when it is not in the book.
func (b *Book) Message(fact string) *Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.messages[fact]
}

// Unagreed lists, in no particular order, the alerts with messages that are not in the
// agreed state.
func (b *Book) Unagreed() (ids []alert.ID) {
	b.mu.Lock()
	facts := slices.Collect(maps.Keys(b.fresh))
	b.mu.Unlock()
	for _, fact := range facts {
		agreed := b.agreed != nil && b.agreed.Has(fact)
		b.mu.Lock()
		if m, ok := b.messages[fact]; agreed || !ok {
			isAgreed(b, fact)
			b.texts.changed = true
		} else if id, ok := b.board.AlertOf(m.Entry.Key); ok {
			ids = append(ids, id)
		}
		b.mu.Unlock()
	}
	return ids
}

// Recent lists what the author has sent since then, in that status, and what is still good
// for something or may be.
func (b *Book) Recent(author string, status alert.Status, since, now time.Time) (out []*Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range b.board.Open(now) {
		card, _ := b.board.Card(id)
		for _, e := range card.Messages {
			m, ok := b.messages[e.Fact]
			if !ok || e.Author != author || e.Status != status || e.Accepted.Before(since) {
				continue
			}
			if b.stands(m, now) {
				out = append(out, m)
			}
		}
	}
	return out
}

// Heard reports whether the book has a message of the CAP sender that somebody other than the
// author took in.
func (b *Book) Heard(sender, author string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		if m.Entry.Key.Sender == sender && m.Entry.Author != author {
			return true
		}
	}
	return false
}

// Held is how many messages the book holds.
func (b *Book) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(len(b.messages), len(b.byKey))
}

// Beginning lists the alerts that can be meant by the beginning of an id.
func (b *Book) Beginning(begin string) []alert.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.board.Beginning(begin)
}
