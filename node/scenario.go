package node

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"almenara/node/alerts"
	"almenara/node/api"
	"almenara/node/scenario"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// fromScenario fills in what a request leaves to a scenario.
func (n *Node) fromScenario(sent wire.SendAlert, in *intake) (json.RawMessage, error) {
	if sent.Scenario == "" {
		if len(sent.Blanks) > 0 {
			return nil, wire.Problemf(wire.KindMalformed, "blanks belong to a scenario; nothing was sent")
		}
		return sent.Alert, nil
	}
	var s storage.Scenario
	var known bool
	err := n.store.View(func(t *storage.Txn) (err error) {
		s, known, err = storage.Scenarios.Get(t, sent.Scenario)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading scenario %s: %w", sent.Scenario, err)
	}
	if !known || s.Removed {
		return nil, wire.Problemf(wire.KindNotFound, "no scenario %q is known here; nothing was sent", sent.Scenario)
	}
	in.scenario, in.blanks = s, sent.Blanks
	return scenario.Filled(s, sent.Blanks, n.options.Clock())
}

// limits is what the request selects within what the scenario selects.
func limits(selected string, s storage.Scenario, index *lookup.Index) (audience.Selection, error) {
	limit, err := readLimit(selected, index)
	if err != nil || s.Select == "" {
		return limit, err
	}
	own, err := readLimit(s.Select, index)
	return own.And(limit), err
}

// usual adds a warning when the outcome is not what the scenario usually does.
func (n *Node) usual(in intake, out wire.Outcome) wire.Outcome {
	out.Warnings = append(out.Warnings, scenario.Unusual(in.scenario, out.Addressed.Total)...)
	return out
}

// maxIncident is how many characters an incident's id may have.
const maxIncident = 100

// incidentOf is the incident id that goes on record. Whoever is limited begins one of their own
// limits, "i-7 of tuen-mun/on-ting": under the bare id others may have begun one that this
// node has not heard of, which a Cancel would end. One that is known here they join.
func (n *Node) incidentOf(by api.Caller, made, id string, status alert.Status) (string, error) {
	if id == "" {
		return "", nil
	}
	if why := scenario.BadText(id, maxIncident); why != "" {
		return "", wire.Problemf(wire.KindRefused, "nothing was sent: the incident id %s", why)
	}
	if made == "" || !by.Limited() || n.stories.OnBook(alert.IncidentKey(made, id, status).ID()) != nil {
		return id, nil
	}
	return id + " of " + strings.Join(slices.Sorted(slices.Values(slices.Concat(by.Places, by.Senders))), ", "), nil
}

// pressedAlready finds what the same scenario said before for the incident, to the same
// audience, where it still holds: pressing a button twice is one alert, not two. Times do not
// count. What others have replaced with other words since, or what ran out, is said anew.
func (n *Node) pressedAlready(in intake) *alerts.Message {
	if in.scenario.ID == "" || in.incident == "" || in.alert.MsgType != alert.MsgTypeAlert {
		return nil
	}
	root := alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status)
	s := n.stories.OnBook(root.ID())
	if s == nil {
		return nil
	}
	now := n.options.Clock()
	for _, m := range slices.Backward(s.Messages) {
		if m.Entry.MsgType != alert.MsgTypeAlert || m.Entry.Author != in.by.Name {
			continue
		}
		if says, err := m.Brief(); err != nil || says.Select != in.selects(says.Issue.Within) {
			continue
		}
		m, err := m.Whole()
		if err != nil || !sameTexts(m.Alert, in.alert) {
			continue
		}
		switch standing, _ := n.book.Standing(m, now); standing {
		case board.InForce, board.Future, board.Pending:
			return m
		case board.Superseded: // by the same words, of the other half of the district
			head, err := s.Current().Whole()
			if err == nil && now.Before(head.Entry.Expires) && sameTexts(head.Alert, in.alert) {
				return m
			}
		}
	}
	return nil
}

// incidentIsOver refuses to send a scenario for an incident whose alert was cancelled: a
// cancel is for ever, and nobody would get it.
func (n *Node) incidentIsOver(in intake) error {
	if in.scenario.ID == "" || in.incident == "" {
		return nil
	}
	s := n.stories.OnBook(alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status).ID())
	if s == nil || len(s.Cancels) == 0 {
		return nil
	}
	return &wire.Problem{Kind: wire.KindConflict, Alert: string(s.ID), Sentence: fmt.Sprintf(
		"nothing was sent: the alert of the scenario %s for the incident %s was cancelled, which is for ever; give another incident id", in.scenario.ID, in.incident)}
}

// sameTexts compares two messages without their names and times.
func sameTexts(a, b *alert.Alert) bool {
	plain := func(a *alert.Alert) alert.Digest {
		c := *a
		c.Identifier, c.Sent, c.Infos = "", alert.DateTime{}, slices.Clone(a.Infos)
		for i := range c.Infos {
			c.Infos[i].Expires, c.Infos[i].Effective = alert.DateTime{}, alert.DateTime{}
		}
		return c.Digest()
	}
	return plain(a) == plain(b)
}
