package node

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/receipt"
)

func notKnown(id string) error {
	return wire.Problemf(wire.KindNotFound, "no alert %s is known here", id)
}

// find reads an alert by the id that the caller wrote.
func (n *Node) find(id string) (*story, error) {
	parsed, err := alert.ParseID(id)
	if err != nil {
		return nil, wire.Problemf(wire.KindMalformed, "%v", err)
	}
	return n.story(parsed)
}

// ListAlerts implements api.AlertReader.
func (n *Node) ListAlerts(_ context.Context, limit int) ([]wire.Alert, error) {
	stories, err := n.stories(pageSize(limit))
	if err != nil {
		return nil, err
	}
	out := make([]wire.Alert, 0, len(stories))
	for _, s := range stories {
		a, _, err := n.summary(s)
		if err != nil {
			return nil, err
		}
		a.Addressed.ByPlace = nil
		out = append(out, a)
	}
	return out, nil
}

// ShowAlert implements api.AlertReader.
func (n *Node) ShowAlert(_ context.Context, id string) (wire.Alert, error) {
	s, err := n.find(id)
	if err != nil {
		return wire.Alert{}, err
	}
	out, members, err := n.summary(s)
	if err != nil {
		return out, err
	}
	for _, list := range [][]*message{s.messages, s.cancels} {
		for _, m := range list {
			out.Messages = append(out.Messages, wire.Message{
				Key: m.entry.Key.String(), MsgType: string(m.entry.MsgType), Revision: uint64(m.entry.Revision),
				Accepted: m.entry.Accepted, Author: m.issue.Author, Fact: m.fact, Digest: m.entry.Digest, Reason: m.issue.Reason,
			})
		}
	}
	out.ByGroup, err = n.groups(s, members)
	return out, err
}

// AlertMessage implements api.AlertReader.
func (n *Node) AlertMessage(_ context.Context, id string) ([]byte, error) {
	s, err := n.find(id)
	if err != nil {
		return nil, err
	}
	return s.latest().issue.Message, nil
}

// summary is one alert as lists show it, and whom it addressed.
func (n *Node) summary(s *story) (wire.Alert, *roaring.Bitmap, error) {
	m := s.latest()
	members, joined, err := n.addressed(s)
	if err != nil {
		return wire.Alert{}, nil, err
	}
	rungs, err := n.rungs(s, members)
	if err != nil {
		return wire.Alert{}, nil, err
	}
	out := wire.Alert{
		ID: string(s.id), Revision: uint64(m.entry.Revision), Key: m.entry.Key.String(), State: n.stateOf(s),
		Status: string(m.entry.Status), MsgType: string(m.entry.MsgType), Headline: m.alert.Headline(""),
		Sent: m.entry.Sent.UTC(), Author: m.issue.Author, Select: m.selects(), Place: n.replication(m.fact),
		Rungs: rungs, Addressed: n.counts(members), Joined: joined,
	}
	if m.entry.MsgType != alert.MsgTypeCancel {
		out.Expires = m.entry.Expires.UTC()
	}
	n.showAuthority(&out, m, s, members)
	return out, members, nil
}

// rungs counts who reached which rung of the current revision.
func (n *Node) rungs(s *story, addressed *roaring.Bitmap) (wire.Rungs, error) {
	m := s.current()
	if m == nil {
		return wire.Rungs{}, nil
	}
	entitled, err := n.entitled(s, m, addressed)
	if err != nil {
		return wire.Rungs{}, err
	}
	c, err := n.state.ReceiptCountsAmong(entitled, s.ids, m.entry.Revision)
	if err != nil {
		return wire.Rungs{}, err
	}
	out := wire.Rungs(c)
	out.Queued = max(out.Queued, addressed.GetCardinality())
	return out, nil
}

// entitled is whose receipts count: who was addressed, and who joined since. A device
// may tell of an alert that it was never sent, and its word must not make anybody
// believe that the others have it.
func (n *Node) entitled(s *story, m *message, addressed *roaring.Bitmap) (*roaring.Bitmap, error) {
	now, err := n.reach(m, s.also(m)...)
	if err != nil {
		return nil, err
	}
	return roaring.Or(addressed, now.members), nil
}

// reached lists who reached a rung of the message, among those whose word counts.
func (n *Node) reached(s *story, m *message, entitled *roaring.Bitmap, rung receipt.Rung) (*roaring.Bitmap, error) {
	reached, err := n.state.ReceiptMembers(s.ids, m.entry.Revision, rung)
	if err != nil {
		return nil, err
	}
	reached.And(entitled)
	return reached, nil
}

// groups is the table of who was reached: a line for each kind in each block.
func (n *Node) groups(s *story, addressed *roaring.Bitmap) ([]wire.GroupRow, error) {
	m := s.current()
	if m == nil {
		return nil, nil
	}
	entitled, err := n.entitled(s, m, addressed)
	if err != nil {
		return nil, err
	}
	table := newGroupTable(n.state.Index())
	table.add(addressed, func(r *wire.Rungs) *uint64 { return &r.Queued })
	for rung, field := range rungFields {
		reached, err := n.reached(s, m, entitled, rung)
		if err != nil {
			return nil, err
		}
		table.add(reached, field)
	}
	return table.rows(), nil
}

// rungFields are the counted rungs above queued.
var rungFields = map[receipt.Rung]func(*wire.Rungs) *uint64{
	receipt.Sent:         func(r *wire.Rungs) *uint64 { return &r.Sent },
	receipt.Delivered:    func(r *wire.Rungs) *uint64 { return &r.Delivered },
	receipt.Verified:     func(r *wire.Rungs) *uint64 { return &r.Verified },
	receipt.Presented:    func(r *wire.Rungs) *uint64 { return &r.Presented },
	receipt.Acknowledged: func(r *wire.Rungs) *uint64 { return &r.Acknowledged },
	receipt.Failed:       func(r *wire.Rungs) *uint64 { return &r.Failed },
	receipt.Expired:      func(r *wire.Rungs) *uint64 { return &r.Expired },
	receipt.Cancelled:    func(r *wire.Rungs) *uint64 { return &r.Cancelled },
	receipt.Refused:      func(r *wire.Rungs) *uint64 { return &r.Refused },
}

// AlertReceipts implements api.AlertReader.
func (n *Node) AlertReceipts(_ context.Context, id, rung string, missing bool, limit int) ([]wire.ReceiptRow, error) {
	s, err := n.find(id)
	if err != nil {
		return nil, err
	}
	want := receipt.Presented
	if rung != "" {
		if want, err = receipt.ParseRung(rung); err != nil {
			return nil, wire.Problemf(wire.KindMalformed, "%v", err)
		}
	}
	m := s.current()
	if m == nil {
		return nil, nil
	}
	members, _, err := n.addressed(s)
	if err != nil {
		return nil, err
	}
	reached := members
	if want != receipt.Queued {
		entitled, err := n.entitled(s, m, members)
		if err != nil {
			return nil, err
		}
		if reached, err = n.reached(s, m, entitled, want); err != nil {
			return nil, err
		}
	}
	if missing {
		reached = roaring.AndNot(members, reached)
	}
	return n.receiptRows(s, m, reached, pageSize(limit))
}

// receiptRows says of each member which rung it has reached.
func (n *Node) receiptRows(s *story, m *message, members *roaring.Bitmap, limit int) ([]wire.ReceiptRow, error) {
	ladder, err := n.ladder(s, m)
	if err != nil {
		return nil, err
	}
	out := []wire.ReceiptRow{}
	err = n.store.View(func(t *storage.Txn) error {
		for it := members.Iterator(); it.HasNext() && len(out) < limit; {
			ordinal := it.Next()
			who, ok, err := memberAt(t, ordinal)
			if err == nil && !ok { // removed since; it was addressed all the same
				who.ID, err = t.MemberID(ordinal)
			}
			if err != nil {
				return err
			}
			out = append(out, rowOf(who, ladder.at(ordinal)))
		}
		return nil
	})
	return out, err
}

func rowOf(m audience.Member, r receipt.Rung) wire.ReceiptRow {
	return wire.ReceiptRow{Member: m.ID, Kind: string(m.Kind), Place: string(m.Place), Rung: r.String()}
}

// ladder is who reached which rung.
type ladder map[receipt.Rung]*roaring.Bitmap

func (n *Node) ladder(s *story, m *message) (ladder, error) {
	out := ladder{}
	for rung := range rungFields {
		reached, err := n.state.ReceiptMembers(s.ids, m.entry.Revision, rung)
		if err != nil {
			return nil, err
		}
		out[rung] = reached
	}
	return out, nil
}

// at is the highest rung of one member. What a person confirmed or saw stands above
// every end.
func (l ladder) at(ordinal uint32) receipt.Rung {
	for _, r := range []receipt.Rung{
		receipt.Acknowledged, receipt.Presented, receipt.Refused, receipt.Failed, receipt.Cancelled, receipt.Expired,
		receipt.Verified, receipt.Delivered, receipt.Sent,
	} {
		if l[r].Contains(ordinal) {
			return r
		}
	}
	return receipt.Queued
}
