//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"almenara/node/client"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// People press scenarios beside the central system. Those of one kind warn at once,
// under a licence where the node is alone; those of the other wait for a second person.

const (
	dutyName   = "duty"   // presses
	secondName = "second" // approves
	minutes    = 20       // that a scenario holds
	licenceFor = 24 * time.Hour
)

// scenario is the id of the prepared alert of an estate.
func scenario(estate string, waits bool) string {
	if waits {
		return "evacuate-" + estate
	}
	return "leave-" + estate
}

// prepare lays scenarios, users and a licence before anything goes wrong.
func (g *rig) prepare(ctx context.Context) error {
	c := g.now()[0].client
	for _, estate := range estates {
		for _, waits := range []bool{false, true} {
			form, err := json.Marshal(prepared(estate))
			if err != nil {
				return err
			}
			s := wire.Scenario{ID: scenario(estate, waits), Title: "Fire in " + estate, Alert: form, Minutes: minutes}
			if waits {
				s.Approvals = 1
			}
			if err := c.PutScenario(ctx, s); err != nil {
				return fmt.Errorf("preparing %s: %w", s.ID, err)
			}
		}
	}
	for name, role := range map[string]string{dutyName: "composer", secondName: "approver"} {
		made, err := c.AddUser(ctx, wire.AddUser{Name: name, Roles: []string{role}})
		if err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
		g.people[name] = made.Token
	}
	_, err := c.GrantLicence(ctx, wire.Licence{Operator: dutyName, Scenarios: []string{"*"}, Place: district, Until: time.Now().Add(licenceFor).UTC()})
	if err != nil {
		return fmt.Errorf("granting a licence: %w", err)
	}
	for _, n := range g.now() {
		if err := g.equip(n); err != nil {
			return err
		}
	}
	return nil
}

// equip gives the people clients of a node.
func (g *rig) equip(n *node) (err error) {
	n.people = map[string]*client.Client{}
	for name, token := range g.people {
		if n.people[name], err = g.clientOf(n, token); err != nil {
			return err
		}
	}
	return nil
}

// prepared is what the scenarios of an estate say.
func prepared(estate string) alert.Alert {
	return alert.Alert{
		Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{
			Language: "en", Categories: []string{"Fire"}, Event: "Fire", Urgency: "Immediate", Severity: "Extreme",
			Certainty: "Observed", Headline: "Leave " + estate, Instruction: "Leave by the stairs.",
			Areas: []alert.Area{{Description: estate, Geocodes: []alert.Named{{Name: codes, Value: estate}}}},
		}},
	}
}

// pressed is one scenario that was pressed for one incident.
type pressed struct {
	id, estate string
	over       bool
}

// press sends a scenario for a new incident, and again at another node while it is not
// known to have been taken: one incident is one alert.
func (w *workload) press(nodes []*node, waits bool) {
	w.incidents++
	incident, estate := fmt.Sprintf("%s-%d", w.send.run, w.incidents), estates[w.rand.IntN(len(estates))]
	in := wire.SendAlert{Scenario: scenario(estate, waits), Incident: incident, Reason: "smoke in " + estate}
	p := &pressed{id: string(alert.IncidentKey(in.Scenario, incident, alert.StatusActual).ID()), estate: estate}
	if waits {
		w.waiting = append(w.waiting, p)
	} else {
		w.sent = append(w.sent, p)
	}
	w.do(func() {
		for _, n := range nodes[:min(2, len(nodes))] {
			m := Message{Type: "Alert", Alert: p.id, Estate: estate, Real: true, Waits: waits, Node: n.number, Asked: time.Now(), Expires: time.Now().Add(minutes * time.Minute)}
			out, err := n.people[dutyName].SendAlert(w.ctx, in, client.WaitLocal)
			m.Revision, m.Key = out.Revision, out.Key
			if w.answered(n, m, out, err).Outcome == Acked {
				return
			}
		}
	})
}

// approve lets the second person approve what waits.
func (w *workload) approve(n *node) {
	if len(w.waiting) == 0 {
		return
	}
	i := w.rand.IntN(len(w.waiting))
	p := w.waiting[i]
	w.waiting = slices.Delete(w.waiting, i, i+1)
	w.sent = append(w.sent, p)
	w.do(func() {
		a := Approving{Alert: p.id, Node: n.number, Asked: time.Now()}
		out, err := n.people[secondName].ApproveAlert(w.ctx, p.id, wire.Approve{Reason: "seen"}, client.WaitLocal)
		a.Answered, a.Outcome, a.Replication = time.Now(), outcomeOf(err), out.Replication
		w.book.note(func(h *History) { h.Approvings = append(h.Approvings, a) })
		w.rig.say("approve %s at %s: %s%s", short(p.id), n.name, a.Outcome, because(err))
	})
}

// clear ends what was pressed, through the node's own route. It needs nobody else.
func (w *workload) clear(n *node) {
	i := slices.IndexFunc(w.sent, func(p *pressed) bool { return !p.over })
	if i < 0 {
		return
	}
	p := w.sent[i]
	p.over = true
	w.do(func() {
		m := Message{Type: string(alert.MsgTypeCancel), Alert: p.id, Estate: p.estate, Real: true, Node: n.number, Asked: time.Now()}
		out, err := n.people[dutyName].CancelAlert(w.ctx, p.id, wire.CancelAlert{Reason: "all clear"}, client.WaitLocal)
		w.answered(n, m, out, err)
	})
}
