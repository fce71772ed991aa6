package node

import (
	"time"

	"almenara/node/affected"
	"almenara/node/alone"
	"almenara/node/authority"
	"almenara/node/records"
	"almenara/storage"
	"almenara/storage/alert"
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
				out = append(out, affected.Message(m))
			}
			return out
		},
		Heard: func(sender, author string) bool { return n.book.Heard(sender, author) },
	})
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
func (n *Node) about(in intake, targets []audience.Target) (about authority.About, err error) {
	about = authority.About{
		Message: authority.Message{
			Key: in.alert.Key(), MsgType: in.alert.MsgType, Status: in.alert.Status, Infos: in.alert.Infos,
			Author: in.by.Name, Targets: func() ([]audience.Target, error) { return targets, nil },
		},
		Direct: in.direct, Made: in.made, Scenario: in.scenario, Reason: in.reason,
	}
	if in.alert.MsgType != alert.MsgTypeAlert { // which changes nothing that it references
		about.Changes, about.Unknown, err = n.affected.Alerts(in.alert.References)
	} else if in.scenario.ID != "" && in.incident != "" {
		about.Changes, _, err = n.affected.Alerts([]alert.Key{alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status)})
	}
	return about, err
}
