package node

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/storage/alert"
)

// story is one alert with all its messages, from the desk, the log, or both: the
// desk has what is not agreed yet, the log has what the desk has forgotten.
type story struct {
	id       alert.ID
	ids      []alert.ID // id, and the ids that receipts may know it by
	status   alert.Status
	messages []*message // Alert and Updates, lowest revision first
	cancels  []*message
	pending  []string // facts of those messages that lack approvals
	onDesk   bool
}

// current is the message with the highest revision that lacks no approval, or else the
// highest one; nil when only cancels are known.
func (s *story) current() *message {
	if len(s.messages) == 0 {
		return nil
	}
	for i := len(s.messages) - 1; i >= 0; i-- {
		if !slices.Contains(s.pending, s.messages[i].fact) {
			return s.messages[i]
		}
	}
	return s.messages[len(s.messages)-1]
}

// also are the Alerts of the same incident as m whose audience m speaks to.
func (s *story) also(m *message) (others []*message) {
	if m.entry.MsgType != alert.MsgTypeAlert || m.entry.Root == (alert.Key{}) {
		return nil
	}
	for _, other := range s.messages {
		if other != m && other.entry.MsgType == alert.MsgTypeAlert && other.entry.Root.Same(m.entry.Root) &&
			!slices.Contains(s.pending, other.fact) {
			others = append(others, other)
		}
	}
	return others
}

// latest is the message that came last in the order of the alert, also a cancel.
func (s *story) latest() *message {
	if m := s.current(); m != nil {
		return m
	}
	return s.cancels[len(s.cancels)-1]
}

// story finds one alert by its id, or by an id that it had before.
func (n *Node) story(id alert.ID) (*story, error) {
	if s := n.deskStory(id); s != nil {
		return s, nil
	}
	view, ok, err := n.state.Alert(id)
	if err != nil {
		return nil, fmt.Errorf("reading alert %s: %w", id, err)
	}
	s := loggedStory(view)
	if !ok || len(s.messages)+len(s.cancels) == 0 { // its entry may be about to be committed
		return nil, notKnown(string(id))
	}
	return s, nil
}

// stories lists alerts, newest first.
func (n *Node) stories(limit int) ([]*story, error) {
	var out []*story
	found := map[alert.ID]bool{}
	for _, id := range n.desk.ids() {
		if s := n.deskStory(id); s != nil {
			out, found[s.id] = append(out, s), true
		}
	}
	views, err := n.state.Alerts(limit + len(out))
	if err != nil {
		return nil, fmt.Errorf("reading alerts: %w", err)
	}
	for _, v := range views {
		if s := loggedStory(v); !found[v.ID] && len(s.messages)+len(s.cancels) > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *story) int {
		return b.latest().entry.Accepted.Compare(a.latest().entry.Accepted)
	})
	return out[:min(limit, len(out))], nil
}

// deskStory is what the desk knows of an alert; nil when it does not know it.
func (n *Node) deskStory(id alert.ID) *story {
	card, ok := n.desk.card(id)
	if !ok {
		return nil
	}
	s := &story{id: card.ID, ids: []alert.ID{card.ID}, status: card.Status, onDesk: true}
	for _, k := range card.Keys {
		if other := k.ID(); other != card.ID {
			s.ids = append(s.ids, other)
		}
	}
	s.messages, s.cancels, s.pending = n.desk.of(card.Messages), n.desk.of(card.Cancels), card.Pending
	if len(s.messages)+len(s.cancels) == 0 {
		return nil
	}
	return s
}

func loggedStory(v fsm.AlertView) *story {
	s := &story{id: v.ID, ids: v.IDs(), status: v.Status}
	for _, part := range []struct {
		from []fsm.AlertMessage
		into *[]*message
	}{{v.Messages, &s.messages}, {v.Cancels, &s.cancels}} {
		for _, m := range part.from {
			*part.into = append(*part.into, &message{fact: m.Entry.Fact, issue: m.Issue, alert: m.CAP, entry: m.Entry})
		}
	}
	return s
}

// stateOf is the one word for what the alert is good for at this moment.
func (n *Node) stateOf(s *story) string {
	m := s.current()
	switch {
	case len(s.cancels) > 0:
		return "cancelled"
	case m == nil:
		return "recorded"
	case !s.onDesk:
		return "expired"
	}
	standing, _ := n.desk.standing(m, n.options.Clock())
	return effectOf(standing)
}

// addressed is whom the alert addressed when it was adopted, and who joined since.
// Before adoption it is whom it addresses now.
func (n *Node) addressed(s *story) (members *roaring.Bitmap, joined uint64, err error) {
	m := s.current()
	if m == nil {
		return roaring.New(), 0, nil
	}
	also := s.also(m)
	now, err := n.reach(m, also...)
	if err != nil {
		return nil, 0, err
	}
	if agreed, err := n.agreed(m.fact); err != nil || !agreed {
		return now.members, 0, err
	}
	members = roaring.New()
	for _, part := range append(also, m) {
		of, err := n.state.Target(part.entry.Key, part.entry.Revision)
		if err != nil {
			return nil, 0, err
		}
		members.Or(of)
	}
	return members, roaring.AndNot(now.members, members).GetCardinality(), nil
}

// selects is the selection that the alert was limited to.
func (m *message) selects() string {
	var all []string
	for _, t := range m.issue.Targets {
		if t.Select != "" && !slices.Contains(all, t.Select) {
			all = append(all, t.Select)
		}
	}
	return strings.Join(all, "; ")
}

// agreed reports whether the fact is in the log.
func (n *Node) agreed(id string) (bool, error) {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != len(fact.ID{}) {
		return false, fmt.Errorf("reading fact id %q", id)
	}
	return n.state.HasFact(fact.ID(raw))
}
