package intake

import (
	"errors"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/rights"
)

// State is whom messages addressed when they were agreed on; *agreed.Reader is one.
type State interface {
	Target(key alert.Key, revision alert.Revision) (*roaring.Bitmap, error)
}

// affected finds the alerts that a message acts on, and says of each what the rules read of it: who
// wrote its messages, whom they addressed, what stands. It decides nothing. Its methods may be called
// from any goroutine.
type affected struct {
	book    *alerts.Book
	stories *stories.Finder
	state   State
	clock   func() time.Time
}

// alerts are those to which the keys belong, each once, and the keys of which nothing is known
// that says whom they address.
func (f affected) alerts(keys []alert.Key) (found []authority.Alert, unknown []alert.Key, err error) {
	t := search{f: f}
	for _, k := range keys {
		known, err := t.by(k)
		if err != nil {
			return nil, nil, err
		}
		if !known {
			unknown = append(unknown, k)
		}
	}
	return t.changes, unknown, nil
}

// asked is a demand or, where scenarios asked for more of which messages of the alerts were made, that: nobody gets
// around it by changing what waits for it.
func (f affected) asked(most *rights.Demand, changes []authority.Alert) (_ *rights.Demand, err error) {
	for _, a := range changes {
		s, err := f.stories.Of(alert.ID(a.ID))
		if err != nil {
			return nil, err
		}
		if most, err = s.Asked(most); err != nil {
			return nil, err
		}
	}
	return most, nil
}

// said is what the rules read of a message.
func said(m *alerts.Message) authority.Message {
	return authority.Message{
		Key: m.Entry.Key, MsgType: m.Entry.MsgType, Status: m.Entry.Status, Author: m.Entry.Author, Targets: m.EveryTarget,
	}
}

// search collects alerts.
type search struct {
	f       affected
	changes []authority.Alert
	seen    []alert.ID
}

// by adds the alert to which a key belongs, and reports whether any message of it is known
// that says whom it addresses.
func (t *search) by(k alert.Key) (known bool, err error) {
	if id, ok := t.f.book.AlertOf(k); ok && slices.Contains(t.seen, id) {
		return true, nil
	}
	s, err := t.f.stories.Of(k.ID())
	var problem *wire.Problem
	if errors.As(err, &problem) && problem.Kind == wire.KindNotFound {
		return false, nil
	}
	if err != nil || len(s.Messages) == 0 {
		return false, err
	}
	if slices.Contains(t.seen, s.ID) {
		return true, nil
	}
	t.seen = append(t.seen, s.ID)
	a := authority.Alert{ID: string(s.ID)}
	for _, m := range s.Messages {
		a.Messages = append(a.Messages, t.f.message(m))
	}
	if m := s.Current(); s.OnBook {
		if standing, _ := t.f.book.Standing(m, t.f.clock()); standing == board.InForce {
			head := t.f.message(m)
			if m, err = m.Whole(); err != nil {
				return false, err
			}
			head.Infos, a.Standing = m.Alert.Infos, &head
			for _, other := range s.Also(m) {
				a.Also = append(a.Also, t.f.message(other))
			}
		}
	}
	t.changes = append(t.changes, a)
	return true, nil
}

// message is what the rules read of a message of an alert, with whom it addressed when it
// was agreed on.
func (f affected) message(m *alerts.Message) authority.Message {
	out := said(m)
	out.Addressed = func() (*roaring.Bitmap, error) {
		if agreed, err := f.stories.Agreed(m.Fact); err != nil || !agreed {
			return roaring.New(), err
		}
		return f.state.Target(m.Entry.Key, m.Entry.Claimed)
	}
	return out
}
