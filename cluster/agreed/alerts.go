package agreed

import (
	"encoding/hex"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/archive"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
)

// AlertMessage is one adopted message of an alert.
type AlertMessage struct {
	Entry    board.Entry
	CAP      *alert.Alert
	Issue    factbody.Issue
	Adoption factlog.Adoption
	Lost     bool // another message has its CAP triplet
	Targets  uint64
	Kinds    []factlog.KindCount // of Targets

	Approvers []board.Approval // who has approved what needs that, by name, whether they are enough or not
}

// AlertView is one alert with all that the log knows of it.
type AlertView struct {
	ID       alert.ID
	Aliases  []alert.ID     // other ids that receipts and devices may know it by
	Status   alert.Status   // of its messages
	Messages []AlertMessage // Alert and Updates, lowest revision first
	Cancels  []AlertMessage
	Lost     []AlertMessage // messages that lost against another one with the same triplet
	Pending  []string       // facts of those Messages that lack approvals
}

// Current is the message with the highest revision; nil when only Cancels of an alert
// that was never seen are known.
func (v *AlertView) Current() *AlertMessage {
	if len(v.Messages) == 0 {
		return nil
	}
	return &v.Messages[len(v.Messages)-1]
}

// IDs are all ids under which receipts of the alert may have come in.
func (v *AlertView) IDs() []alert.ID { return append([]alert.ID{v.ID}, v.Aliases...) }

// Alert reads one alert by its id, or by an id that it had before.
func (r *Reader) Alert(id alert.ID) (view AlertView, ok bool, err error) {
	err = r.alerts(func(t *storage.Txn, alerts *archive.Alerts) error {
		card, places, known, err := alerts.Find(t, id)
		if ok = known; err != nil || !known {
			return err
		}
		view, err = viewOf(t, card, places)
		return err
	})
	return view, ok && err == nil, err
}

// AlertsBeginning lists the ids of the alerts that have an id, or had one before, which
// begins so; no more than about most, and some of them more than once.
func (r *Reader) AlertsBeginning(begin string, most int) (ids []alert.ID, err error) {
	err = r.alerts(func(t *storage.Txn, alerts *archive.Alerts) (err error) {
		ids, err = alerts.Beginning(t, begin, most)
		return err
	})
	return ids, err
}

// Listed is one alert of a list.
type Listed struct {
	ID   alert.ID
	At   factlog.Place // of its message that was adopted last: the list is in this order
	Over bool          // all that is connected with it has run out and is in the archive
}

// AlertList lists alerts, the one with the newest adopted message first, from those whose
// newest message was adopted before the given place on; the zero place is all. It stops
// after the place at which limit is reached: a message may be the newest of several
// alerts. It costs what it lists, not what is known.
func (r *Reader) AlertList(before factlog.Place, limit int) (out []Listed, err error) {
	from := before
	err = r.alerts(func(t *storage.Txn, alerts *archive.Alerts) error {
		before, out = from, nil
		for len(out) < limit {
			page, err := adoptionsBefore(t, before, limit)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, a := range page {
				before = factlog.Place{Index: a.Index, N: a.N}
				ids, over, err := alerts.NewestAt(t, a.Alert, before)
				if err != nil {
					return err
				}
				for _, id := range ids {
					out = append(out, Listed{ID: id, At: before, Over: over})
				}
				if len(out) >= limit {
					return nil
				}
			}
		}
		return nil
	})
	return out, err
}

func adoptionsBefore(t *storage.Txn, before factlog.Place, limit int) (page []factlog.Adoption, err error) {
	err = factlog.AdoptionsBefore(t, before, func(a factlog.Adoption) (bool, error) {
		page = append(page, a)
		return len(page) < limit, nil
	})
	return page, err
}

// EndOrdinals is how many ordinals had been given when a message of the alert was shown no
// more: when the message of the fact next was adopted, which may be "", or the alert's first
// Cancel, or when the last of its messages had run out. Members with higher ordinals came
// later and never got it. 0: not known. ended says that it is agreed that it was shown no more.
func (r *Reader) EndOrdinals(id alert.ID, next string) (given uint32, ended bool, err error) {
	err = r.alerts(func(t *storage.Txn, alerts *archive.Alerts) (err error) {
		given, ended, err = alerts.EndOrdinals(t, id, next)
		return err
	})
	return given, ended, err
}

// alerts calls fn with what is on the board and in the archive, and again where something went from one to the other
// meanwhile.
func (r *Reader) alerts(fn func(t *storage.Txn, alerts *archive.Alerts) error) error {
	alerts := r.state.Derived().Alerts
	return alerts.Whole(func() error {
		return r.state.Store().View(func(t *storage.Txn) error { return fn(t, alerts) })
	})
}

// viewOf reads the messages of a card.
func viewOf(t *storage.Txn, card board.Card, places map[string]archive.Placed) (AlertView, error) {
	v := AlertView{ID: card.ID, Status: card.Status, Pending: card.Pending}
	for _, k := range card.Keys {
		if id := k.ID(); id != card.ID {
			v.Aliases = append(v.Aliases, id)
		}
	}
	for _, part := range []struct {
		entries []board.Entry
		into    *[]AlertMessage
	}{{card.Messages, &v.Messages}, {card.Cancels, &v.Cancels}, {card.Lost, &v.Lost}} {
		for _, e := range part.entries {
			msg, ok, err := readEntry(t, e, places[e.Fact].Adoption)
			if err != nil {
				return v, err
			}
			if ok {
				msg.Lost, msg.Approvers = part.into == &v.Lost, places[e.Fact].Approvers
				*part.into = append(*part.into, msg)
			}
		}
	}
	return v, nil
}

// readEntry reads one message; false for one that is still being committed.
func readEntry(t *storage.Txn, e board.Entry, adopted factlog.Adoption) (AlertMessage, bool, error) {
	id, err := hex.DecodeString(e.Fact)
	if err != nil {
		return AlertMessage{}, false, fmt.Errorf("%w: fact id %q", storage.ErrDamaged, e.Fact)
	}
	if has, err := factlog.Has(t, id); err != nil || !has {
		return AlertMessage{}, false, err
	}
	msg, err := archive.Stored(t, id)
	if err != nil || msg == nil {
		return AlertMessage{}, false, err
	}
	out := AlertMessage{Entry: e, CAP: msg.CAP, Issue: msg.Issue, Adoption: adopted}
	target, _, err := factlog.TargetOf(t, string(e.Key.ID()), uint64(e.Claimed))
	out.Targets, out.Kinds = target.Count, target.Kinds
	return out, true, err
}

// Target reads whom the message with that key and claimed revision addressed when it was
// adopted; an empty set where nothing was recorded. The bitmap is the caller's own.
func (r *Reader) Target(key alert.Key, revision alert.Revision) (*roaring.Bitmap, error) {
	g, _, err := find(r, func(t *storage.Txn) (factlog.Target, bool, error) {
		return factlog.TargetOf(t, string(key.ID()), uint64(revision))
	})
	if err != nil {
		return nil, err
	}
	members, err := factlog.DecodeBitmap(g.Members)
	if err != nil {
		return nil, fmt.Errorf("%w: target of %s: %w", storage.ErrDamaged, key, err)
	}
	return members, nil
}
