package node

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"almenara/cluster/command"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
)

// ListScenarios implements api.Scenarios.
func (n *Node) ListScenarios(context.Context) ([]wire.Scenario, error) {
	rules, err := n.state.Authority()
	if err != nil {
		return nil, fmt.Errorf("reading scenarios: %w", err)
	}
	var out []wire.Scenario
	for _, s := range rules.Scenarios {
		out = append(out, scenarioOut(s))
	}
	return out, nil
}

// PutScenario implements api.Scenarios.
func (n *Node) PutScenario(ctx context.Context, by api.Caller, in wire.Scenario) error {
	if in.Minutes < 1 || in.Minutes > math.MaxInt32 {
		return wire.Problemf(wire.KindMalformed, "a scenario says in minutes how long it holds")
	}
	if in.Approvals < 0 || in.Approvals > command.MaxApprovals {
		return wire.Problemf(wire.KindMalformed, "a scenario asks for 0 to %d approvals", command.MaxApprovals)
	}
	s := storage.Scenario{
		ID: in.ID, Title: in.Title, Alert: in.Alert, Select: in.Select, Approvals: uint32(in.Approvals),
		Lifetime: int64(in.Minutes) * time.Minute.Milliseconds(), UsualMin: in.UsualMin, UsualMax: in.UsualMax,
	}
	if _, err := (command.Command{Payload: &command.PutScenario{Scenario: s}}).Encode(); err != nil {
		return n.problem(err)
	}
	if err := n.checkScenario(s); err != nil {
		return err
	}
	_, err := n.change(ctx, by.Name, &command.PutScenario{Scenario: s})
	return err
}

// RemoveScenario implements api.Scenarios.
func (n *Node) RemoveScenario(ctx context.Context, by api.Caller, id string) error {
	_, err := n.change(ctx, by.Name, &command.RemoveScenario{ID: id})
	return err
}

// ListLicences implements api.Licences.
func (n *Node) ListLicences(context.Context) ([]wire.Licence, error) {
	rules, err := n.state.Authority()
	if err != nil {
		return nil, fmt.Errorf("reading licences: %w", err)
	}
	var out []wire.Licence
	for _, l := range rules.Licences {
		out = append(out, licenceOut(l))
	}
	return out, nil
}

func licenceOut(l storage.Licence) wire.Licence {
	return wire.Licence{
		ID: l.ID, Operator: l.Operator, Scenarios: l.Scenarios, Place: l.Place, Until: unixMilli(l.Until),
		GrantedBy: l.GrantedBy, GrantedAt: unixMilli(l.GrantedAt), Revoked: l.Revoked,
	}
}

// GrantLicence implements api.Licences.
func (n *Node) GrantLicence(ctx context.Context, by api.Caller, in wire.Licence) (wire.Licence, error) {
	if in.ID != "" || in.Revoked || in.GrantedBy != "" || !in.GrantedAt.IsZero() {
		return wire.Licence{}, wire.Problemf(wire.KindMalformed, "id, granted_by, granted_at and revoked of a licence are set by the node")
	}
	if _, err := underPlaces([]string{in.Place}); err != nil {
		return wire.Licence{}, err
	}
	if in.Place == "" || in.Until.IsZero() || len(in.Scenarios) == 0 || in.Operator == "" {
		return wire.Licence{}, wire.Problemf(wire.KindMalformed, "a licence needs an operator, scenarios, a place and an end")
	}
	l := storage.Licence{
		ID: newIdentifier()[:12], Operator: in.Operator, Scenarios: in.Scenarios, Place: in.Place, Until: in.Until.UnixMilli(),
	}
	if _, err := n.change(ctx, by.Name, &command.PutLicence{Licence: l}); err != nil {
		return wire.Licence{}, err
	}
	l.GrantedBy, l.GrantedAt = by.Name, n.options.Clock().UnixMilli()
	return licenceOut(l), nil
}

// RevokeLicence implements api.Licences.
func (n *Node) RevokeLicence(ctx context.Context, by api.Caller, id string) error {
	_, err := n.change(ctx, by.Name, &command.RevokeLicence{ID: id})
	return err
}

// ShowPolicy implements api.Policy.
func (n *Node) ShowPolicy(context.Context) (wire.Policy, error) {
	rules, err := n.state.Authority()
	if err != nil {
		return wire.Policy{}, fmt.Errorf("reading the policy: %w", err)
	}
	out := wire.Policy{Version: rules.Version, Rules: []wire.PolicyRule{}, Approvers: rules.Policy.Approvers}
	for _, r := range rules.Policy.Rules {
		out.Rules = append(out.Rules, wire.PolicyRule{
			Severity: r.Severity, Urgency: r.Urgency, Members: r.Members, District: r.District, Scenario: r.Scenario,
			Approvals: int(r.Approvals),
		})
	}
	return out, nil
}

// PutPolicy implements api.Policy. The version of the answer is passed over, so that
// what was shown can be changed and put back.
func (n *Node) PutPolicy(ctx context.Context, by api.Caller, in wire.Policy) error {
	p := storage.Policy{Approvers: in.Approvers}
	for i, r := range in.Rules {
		switch {
		case r.Approvals < 1 || r.Approvals > command.MaxApprovals:
			return wire.Problemf(wire.KindRefused, "rule %d asks for %d approvals; 1 to %d are expected", i+1, r.Approvals, command.MaxApprovals)
		case r.Severity != "" && slices.Index(severities, r.Severity) < 1:
			return wire.Problemf(wire.KindRefused, "rule %d: severity is one of %s", i+1, strings.Join(severities[1:], ", "))
		case r.Urgency != "" && slices.Index(urgencies, r.Urgency) < 1:
			return wire.Problemf(wire.KindRefused, "rule %d: urgency is one of %s", i+1, strings.Join(urgencies[1:], ", "))
		}
		p.Rules = append(p.Rules, storage.PolicyRule{
			Severity: r.Severity, Urgency: r.Urgency, Members: r.Members, District: r.District, Scenario: r.Scenario,
			Approvals: uint32(r.Approvals),
		})
	}
	for _, role := range in.Approvers {
		if !slices.Contains(api.ApproverRoles(), role) {
			return wire.Problemf(wire.KindRefused, "%q cannot be let approve; %s can, and administrators always", role, strings.Join(api.ApproverRoles(), " and "))
		}
	}
	_, err := n.change(ctx, by.Name, &command.PutPolicy{Policy: p})
	return err
}
