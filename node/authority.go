package node

import (
	"errors"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/alerts"
	"almenara/node/alone"
	"almenara/node/authority"
	"almenara/node/records"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
)

// rulesOf gives the rules what they read of the node.
func rulesOf(n *Node, now func() alone.State) *authority.Rules {
	return authority.New(authority.Sources{
		Agreed: n.state.Authority, Audience: n.state.Index, Clock: n.options.Clock, Sender: n.district.Sender,
		Users: func() ([]storage.User, error) { return records.UsersIn(n.store) },
		Alone: func() authority.Loneliness {
			s := now()
			return authority.Loneliness{Alone: s.Alone, Since: s.Since, Age: s.Age}
		},
		Recent: func(author string, status alert.Status, since time.Time) (out []authority.Message) {
			for _, m := range n.book.Recent(author, status, since, n.options.Clock()) {
				out = append(out, weighed(m))
			}
			return out
		},
		Heard: func(sender, author string) bool { return n.book.Heard(sender, author) },
	})
}

// weighed is what the rules read of a message.
func weighed(m *alerts.Message) authority.Message {
	return authority.Message{
		Key: m.Entry.Key, MsgType: m.Entry.MsgType, Status: m.Entry.Status, Author: m.Entry.Author, Targets: m.Targets,
	}
}

// actionOf is what a message does.
func actionOf(a *alert.Alert) authority.Action {
	switch a.MsgType {
	case alert.MsgTypeCancel:
		return authority.Cancel
	case alert.MsgTypeUpdate:
		return authority.Update
	}
	return authority.Send
}

// rule decides whether the caller may send the message now, and what it still needs.
// targets are whom it addresses; the message has been admitted. What it refuses has
// not happened.
func (n *Node) rule(in intake, targets []audience.Target) (authority.Right, error) {
	about, err := n.about(in, targets)
	if err != nil {
		return authority.Right{}, err
	}
	return n.rules.Check(in.by, actionOf(in.alert), about)
}

// about tells the rules of the message and of every alert that it ends, changes or joins.
func (n *Node) about(in intake, targets []audience.Target) (authority.About, error) {
	touched := touches{n: n, About: authority.About{
		Message: authority.Message{
			Key: in.alert.Key(), MsgType: in.alert.MsgType, Status: in.alert.Status, Infos: in.alert.Infos,
			Author: in.by.Name, Targets: func() ([]audience.Target, error) { return targets, nil },
		},
		Direct: in.direct, Made: in.made, Scenario: in.scenario, Reason: in.reason,
	}}
	if in.alert.MsgType == alert.MsgTypeAlert { // it changes nothing that it references
		if in.scenario.ID == "" || in.incident == "" {
			return touched.About, nil
		}
		_, err := touched.by(alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status))
		return touched.About, err
	}
	for _, ref := range in.alert.References {
		known, err := touched.by(ref)
		if err != nil {
			return touched.About, err
		}
		if !known {
			touched.Unknown = append(touched.Unknown, ref)
		}
	}
	return touched.About, nil
}

// touches collects the alerts that a message acts on.
type touches struct {
	authority.About
	n    *Node
	seen []alert.ID
}

// by adds the alert to which a key belongs, and reports whether any message of it is known
// that says whom it addresses.
func (t *touches) by(k alert.Key) (known bool, err error) {
	if id, ok := t.n.book.AlertOf(k); ok && slices.Contains(t.seen, id) {
		return true, nil
	}
	s, err := t.n.stories.Of(k.ID())
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
		a.Messages = append(a.Messages, t.message(m))
	}
	if m := s.Current(); s.OnBook {
		if standing, _ := t.n.book.Standing(m, t.n.options.Clock()); standing == board.InForce {
			head := t.message(m)
			if m, err = m.Whole(); err != nil {
				return false, err
			}
			head.Infos, a.Standing = m.Alert.Infos, &head
			for _, other := range s.Also(m) {
				a.Also = append(a.Also, t.message(other))
			}
		}
	}
	t.Changes = append(t.Changes, a)
	return true, nil
}

// message is what the rules read of a message of an alert, with whom it addressed when it
// was agreed on.
func (t *touches) message(m *alerts.Message) authority.Message {
	out := weighed(m)
	out.Addressed = func() (*roaring.Bitmap, error) {
		if agreed, err := t.n.stories.Agreed(m.Fact); err != nil || !agreed {
			return roaring.New(), err
		}
		return t.n.state.Target(m.Entry.Key, m.Entry.Claimed)
	}
	return out
}
