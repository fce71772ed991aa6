// Package stories finds one alert with all its messages, by its id or the beginning of it,
// wherever they are: on the book of what may still matter, or in the log of what was agreed.
// What reads alerts and what changes them begin here.
//
//	alerts.Book ─┐
//	             ├─> Finder ─> Story ─> Current, Latest, Also
//	log (State) ─┘
//
// It decides nothing and writes nothing, has no clock of its own, and never imports api,
// channels or another part of node but alerts, shortid and wire.
package stories

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
)

// State is what was agreed of alerts; *agreed.Reader is one.
type State interface {
	// Alert reads an alert by its id, or by an id that it had before.
	Alert(id alert.ID) (agreed.AlertView, bool, error)
	// AlertsBeginning lists at most so many alerts whose ids begin so.
	AlertsBeginning(begin string, most int) ([]alert.ID, error)
	// HasFact reports whether the fact is in the log.
	HasFact(id fact.ID) (bool, error)
}

// Finder finds alerts. Its methods may be called from any goroutine.
type Finder struct {
	book  *alerts.Book
	state State
	clock func() time.Time
}

// New makes a finder over the book and the agreed state. Neither may be nil; the clock says
// what time it is for State.
func New(book *alerts.Book, state State, clock func() time.Time) *Finder {
	return &Finder{book: book, state: state, clock: clock}
}

// NotKnown is the answer to who asks for an alert that is not known here.
func NotKnown(id string) error {
	return wire.Problemf(wire.KindNotFound, "no alert %s is known here", id).Because(why.NoAlert, id)
}

// Find reads an alert by the id that the caller wrote, or by the beginning of it. What the
// caller has to know is a *wire.Problem.
func (f *Finder) Find(id string) (*Story, error) {
	parsed, err := f.ID(id)
	if err != nil {
		return nil, err
	}
	return f.Of(parsed)
}

// Knows reports whether a message of the alert of an id is on record here.
func (f *Finder) Knows(id string) (bool, error) {
	if s := f.OnBook(alert.ID(id)); s != nil && len(s.Messages) > 0 {
		return true, nil
	}
	s, err := f.Logged(alert.ID(id))
	return s != nil && len(s.Messages) > 0, err
}

// AllIDs are all ids of the alert that the caller means. It refuses as Find does.
func (f *Finder) AllIDs(id string) ([]string, error) {
	s, err := f.Find(id)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(s.IDs))
	for i, one := range s.IDs {
		ids[i] = string(one)
	}
	return ids, nil
}

// Recalls are the places whose visitors an alert recalls, by its id; none of one that is not known here.
func (f *Finder) Recalls(id string) []visited.Visit {
	s, err := f.Find(id)
	if err != nil || s.Current() == nil {
		return nil
	}
	m, err := s.Current().Whole()
	if err != nil || m.Alert == nil {
		return nil
	}
	return visited.In(m.Alert.Infos)
}

// ID is the id that the caller wrote, also one that is not known here, or the one known
// here that begins so.
func (f *Finder) ID(id string) (alert.ID, error) {
	parsed, err := alert.ParseID(id)
	if err == nil {
		return parsed, nil
	}
	if len(id) < shortid.Least || !alert.BeginsID(id) {
		return "", wire.Problemf(wire.KindMalformed, "%v, or the first %d of them and more", err, shortid.Least).Because(why.NoAlert, id)
	}
	found, err := f.state.AlertsBeginning(id, shortid.Most)
	if err != nil {
		return "", fmt.Errorf("looking for alerts %s…: %w", id, err)
	}
	return shortid.Pick("alert", id, append(found, f.book.Beginning(id)...))
}

// Of finds one alert by its id, or by an id that it had before; a Problem (not-found) where
// it is not known here.
func (f *Finder) Of(id alert.ID) (*Story, error) {
	if s := f.OnBook(id); s != nil {
		return s, nil
	}
	s, err := f.Logged(id)
	if err == nil && s == nil {
		return nil, NotKnown(string(id))
	}
	return s, err
}

// OnBook is what the book knows of an alert; nil when it does not know it.
func (f *Finder) OnBook(id alert.ID) *Story {
	card, ok := f.book.Card(id)
	if !ok {
		return nil
	}
	s := &Story{ID: card.ID, IDs: []alert.ID{card.ID}, Status: card.Status, OnBook: true}
	for _, k := range card.Keys {
		if other := k.ID(); other != card.ID {
			s.IDs = append(s.IDs, other)
		}
	}
	s.Messages, s.Cancels, s.Pending = f.book.Of(card.Messages), f.book.Of(card.Cancels), card.Pending
	if len(s.Messages)+len(s.Cancels) == 0 {
		return nil
	}
	return s
}

// Logged is what the log knows of an alert; nil where no message of it is in the log, though
// an entry with one may be about to be committed.
func (f *Finder) Logged(id alert.ID) (*Story, error) {
	view, ok, err := f.state.Alert(id)
	if err != nil {
		return nil, fmt.Errorf("reading alert %s: %w", id, err)
	}
	if s := logged(view); ok && len(s.Messages)+len(s.Cancels) > 0 {
		return s, nil
	}
	return nil, nil
}

// Unagreed are the alerts with messages that are not in the log yet, the newest first: the
// order of Newer.
func (f *Finder) Unagreed() (out []*Story) {
	found := map[alert.ID]bool{}
	for _, id := range f.book.Unagreed() {
		if s := f.OnBook(id); s != nil && !found[s.ID] {
			out, found[s.ID] = append(out, s), true
		}
	}
	slices.SortFunc(out, func(a, b *Story) int {
		return Newer(a.Latest().Entry.Accepted, a.ID, b.Latest().Entry.Accepted, b.ID)
	})
	return out
}

// Open are the alerts that are not over: in force, to come, or waiting for approvals. The newest are
// first: the order of Newer.
func (f *Finder) Open() (out []*Story) {
	for _, id := range f.book.Open(f.clock()) {
		if s := f.OnBook(id); s != nil && !f.State(s).Over() {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *Story) int {
		return Newer(a.Latest().Entry.Accepted, a.ID, b.Latest().Entry.Accepted, b.ID)
	})
	return out
}

// Waiting are the alerts that wait for approvals, or changes of which do, the newest first: the
// order of Newer.
func (f *Finder) Waiting() (out []*Story) {
	for _, id := range f.book.Open(f.clock()) {
		s := f.OnBook(id)
		if s == nil {
			continue
		}
		if waiting, _, _ := f.Pending(s); waiting > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *Story) int {
		return Newer(a.Latest().Entry.Accepted, a.ID, b.Latest().Entry.Accepted, b.ID)
	})
	return out
}

// Pending is how many messages wait for approvals that are the alert's or would change it: its own,
// and Updates of it, each of which is an alert of its own until it is approved (updates). changes
// are the alerts that a waiting Update would change.
func (f *Finder) Pending(s *Story) (waiting int, updates, changes []string) {
	now := f.clock()
	own := s.Waiting(now)
	for _, m := range own {
		for _, ref := range m.Entry.References {
			id, ok := f.book.AlertOf(ref)
			if ok && id != s.ID && m.Entry.MsgType == alert.MsgTypeUpdate && !slices.Contains(changes, string(id)) {
				changes = append(changes, string(id))
			}
		}
	}
	if s.OnBook && len(s.Cancels) == 0 {
		for _, e := range f.book.Changes(s.ID, now) {
			if id, ok := f.book.AlertOf(e.Key); ok {
				updates = append(updates, string(id))
			}
		}
	}
	return len(own) + len(updates), updates, changes
}

// Newer compares two alerts by when their latest messages were accepted, the newest first,
// and by their ids where that is one moment.
func Newer(accepted time.Time, id alert.ID, other time.Time, otherID alert.ID) int {
	return cmp.Or(other.Compare(accepted), cmp.Compare(id, otherID))
}

// Agreed reports whether the fact is in the log.
func (f *Finder) Agreed(id string) (bool, error) {
	parsed, err := factID(id)
	if err != nil {
		return false, err
	}
	return f.state.HasFact(parsed)
}

func factID(id string) (fact.ID, error) {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != len(fact.ID{}) {
		return fact.ID{}, fmt.Errorf("reading fact id %q", id)
	}
	return fact.ID(raw), nil
}
