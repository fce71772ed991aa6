package fsm

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// AlertMessage is one adopted message of an alert.
type AlertMessage struct {
	Entry    alert.Entry
	CAP      *alert.Alert
	Issue    storage.Issue
	Adoption storage.Adoption
	Lost     bool // another message has its CAP triplet
	Targets  uint64
	Kinds    []storage.KindCount // of Targets
}

// AlertView is one alert with all that the log knows of it.
type AlertView struct {
	ID       alert.ID
	Aliases  []alert.ID     // other ids that receipts and devices may know it by
	Status   alert.Status   // of its messages
	Messages []AlertMessage // Alert and Updates, lowest revision first
	Cancels  []AlertMessage
	Lost     []AlertMessage // messages that lost against another one with the same triplet
}

// Current is the message with the highest revision; nil when only Cancels of an alert
// that was never seen are known.
func (v *AlertView) Current() *AlertMessage {
	if len(v.Messages) == 0 {
		return nil
	}
	return &v.Messages[len(v.Messages)-1]
}

// InForce lists what the adopted messages say is in force at now.
func (f *FSM) InForce(now time.Time) []alert.Active {
	m := f.memory.Load()
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	return m.board.InForce(now)
}

// Ended lists what the adopted messages say has ended at now.
func (f *FSM) Ended(now time.Time) []alert.End {
	m := f.memory.Load()
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	return m.board.Ended(now)
}

// Alert reads one alert by its id, or by an id that it had before.
func (f *FSM) Alert(id alert.ID) (view AlertView, ok bool, err error) {
	m := f.memory.Load()
	card, ok := m.card(id)
	if !ok {
		return view, false, nil
	}
	err = f.store.View(func(t *storage.Txn) error {
		view, err = m.view(t, card)
		return err
	})
	return view, err == nil, err
}

// Alerts reads up to limit alerts, the one with the newest adopted message first.
func (f *FSM) Alerts(limit int) (out []AlertView, err error) {
	m := f.memory.Load()
	cards := m.newest(limit)
	err = f.store.View(func(t *storage.Txn) error {
		for _, card := range cards {
			v, err := m.view(t, card)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

func (m *memory) card(id alert.ID) (alert.Card, bool) {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	return m.board.Card(id)
}

// newest gives the cards of the alerts adopted last.
func (m *memory) newest(limit int) []alert.Card {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	var out []alert.Card
	seen := make(map[alert.ID]bool)
	for i := len(m.log) - 1; i >= 0 && len(out) < limit; i-- {
		card, ok := m.board.Card(alert.ID(m.log[i].Alert))
		if !ok || seen[card.ID] {
			continue
		}
		seen[card.ID] = true
		out = append(out, card)
	}
	return out
}

// view reads the messages of a card.
func (m *memory) view(t *storage.Txn, card alert.Card) (AlertView, error) {
	v := AlertView{ID: card.ID, Status: card.Status}
	for _, k := range card.Keys {
		if id := k.ID(); id != card.ID {
			v.Aliases = append(v.Aliases, id)
		}
	}
	for _, part := range []struct {
		entries []alert.Entry
		into    *[]AlertMessage
	}{{card.Messages, &v.Messages}, {card.Cancels, &v.Cancels}, {card.Lost, &v.Lost}} {
		for _, e := range part.entries {
			msg, ok, err := m.readMessage(t, e)
			if err != nil {
				return v, err
			}
			if ok {
				msg.Lost = part.into == &v.Lost
				*part.into = append(*part.into, msg)
			}
		}
	}
	return v, nil
}

// readMessage reads one message; false for one that is still being committed.
func (m *memory) readMessage(t *storage.Txn, e alert.Entry) (AlertMessage, bool, error) {
	id, err := hex.DecodeString(e.Fact)
	if err != nil {
		return AlertMessage{}, false, fmt.Errorf("%w: fact id %q", storage.ErrDamaged, e.Fact)
	}
	if has, err := t.HasFact(id); err != nil || !has {
		return AlertMessage{}, false, err
	}
	msg, err := loadMessage(t, id)
	if err != nil || msg == nil {
		return AlertMessage{}, false, err
	}
	out := AlertMessage{Entry: e, CAP: msg.cap, Issue: msg.issue, Adoption: m.adoptionOf(e.Fact)}
	target, _, err := t.Target(string(e.Key.ID()), uint64(e.Revision))
	out.Targets, out.Kinds = target.Count, target.Kinds
	return out, true, err
}

func (m *memory) adoptionOf(factID string) storage.Adoption {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	if i, ok := m.byFact[factID]; ok {
		return m.log[i]
	}
	return storage.Adoption{}
}

// Target reads whom the message with that key and revision addressed when it was
// adopted; an empty set where nothing was recorded. The bitmap is the caller's own.
func (f *FSM) Target(key alert.Key, revision alert.Revision) (*roaring.Bitmap, error) {
	g, _, err := find(f, func(t *storage.Txn) (storage.Target, bool, error) {
		return t.Target(string(key.ID()), uint64(revision))
	})
	if err != nil {
		return nil, err
	}
	members, err := storage.DecodeBitmap(g.Members)
	if err != nil {
		return nil, fmt.Errorf("%w: target of %s: %w", storage.ErrDamaged, key, err)
	}
	return members, nil
}

// Tally is what the adopted receipts say of one alert, under this one id. It may be
// read while receipts are added. Ask for it anew each time.
func (f *FSM) Tally(id alert.ID) (*receipt.Tally, error) {
	return f.memory.Load().receipts.tally(id)
}

// ReceiptMembers lists who reached the rung of one revision, or a rung that implies
// it, under any of the ids. The bitmap is the caller's own.
func (f *FSM) ReceiptMembers(ids []alert.ID, revision alert.Revision, rung receipt.Rung) (*roaring.Bitmap, error) {
	out := roaring.New()
	for _, id := range ids {
		t, err := f.Tally(id)
		if err != nil {
			return nil, err
		}
		out.Or(t.Members(id, revision, rung))
	}
	return out, nil
}

// ReceiptCounts counts the rungs of one revision under any of the ids, each member
// once per rung.
func (f *FSM) ReceiptCounts(ids []alert.ID, revision alert.Revision) (c receipt.Counts, err error) {
	return f.ReceiptCountsAmong(nil, ids, revision)
}

// ReceiptCountsAmong is ReceiptCounts of these members only; nil is all.
func (f *FSM) ReceiptCountsAmong(among *roaring.Bitmap, ids []alert.ID, revision alert.Revision) (c receipt.Counts, err error) {
	if len(ids) == 1 {
		t, err := f.Tally(ids[0])
		if err != nil {
			return c, err
		}
		return t.CountsAmong(among, ids[0], revision), nil
	}
	for rung, count := range map[receipt.Rung]*uint64{
		receipt.Queued: &c.Queued, receipt.Sent: &c.Sent, receipt.Delivered: &c.Delivered,
		receipt.Verified: &c.Verified, receipt.Presented: &c.Presented, receipt.Acknowledged: &c.Acknowledged,
		receipt.Failed: &c.Failed, receipt.Expired: &c.Expired, receipt.Cancelled: &c.Cancelled, receipt.Refused: &c.Refused,
	} {
		members, err := f.ReceiptMembers(ids, revision, rung)
		if err != nil {
			return c, err
		}
		if among != nil {
			members.And(among)
		}
		*count = members.GetCardinality()
	}
	return c, nil
}

// IDs are all ids under which receipts of the alert may have come in.
func (v *AlertView) IDs() []alert.ID { return append([]alert.ID{v.ID}, v.Aliases...) }
