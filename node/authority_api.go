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
	"almenara/node/authority"
	"almenara/node/shortid"
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
		return n.proposer.Problem(err)
	}
	if err := n.checkScenario(s); err != nil {
		return err
	}
	_, err := n.proposer.Change(ctx, by.Name, &command.PutScenario{Scenario: s})
	return err
}

// RemoveScenario implements api.Scenarios.
func (n *Node) RemoveScenario(ctx context.Context, by api.Caller, id string) error {
	_, err := n.proposer.Change(ctx, by.Name, &command.RemoveScenario{ID: id})
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
	if _, err := authority.Under(in.Place); err != nil {
		return wire.Licence{}, err
	}
	if in.Place == "" || in.Until.IsZero() || len(in.Scenarios) == 0 || in.Operator == "" {
		return wire.Licence{}, wire.Problemf(wire.KindMalformed, "a licence needs an operator, scenarios, a place and an end")
	}
	l := storage.Licence{
		ID: newIdentifier()[:12], Operator: in.Operator, Scenarios: in.Scenarios, Place: in.Place, Until: in.Until.UnixMilli(),
	}
	if _, err := n.proposer.Change(ctx, by.Name, &command.PutLicence{Licence: l}); err != nil {
		return wire.Licence{}, err
	}
	l.GrantedBy, l.GrantedAt = by.Name, n.options.Clock().UnixMilli()
	return licenceOut(l), nil
}

// RevokeLicence implements api.Licences.
func (n *Node) RevokeLicence(ctx context.Context, by api.Caller, id string) error {
	found, err := n.licence(id)
	if err != nil {
		return err
	}
	_, err = n.proposer.Change(ctx, by.Name, &command.RevokeLicence{ID: found})
	return err
}

// licence is the id of the licence that is meant: by its id, or by the beginning of it. One
// that is not known is left as it is.
func (n *Node) licence(id string) (string, error) {
	rules, err := n.state.Authority()
	if err != nil {
		return "", fmt.Errorf("reading licences: %w", err)
	}
	var found []string
	for _, l := range rules.Licences {
		if l.ID == id {
			return id, nil
		}
		if strings.HasPrefix(l.ID, id) {
			found = append(found, l.ID)
		}
	}
	if len(id) < shortid.Least || len(found) == 0 {
		return id, nil
	}
	return shortid.Pick("licence", id, found)
}

// ShowPolicy implements api.Policy.
func (n *Node) ShowPolicy(context.Context) (wire.Policy, error) {
	rules, err := n.state.Authority()
	if err != nil {
		return wire.Policy{}, fmt.Errorf("reading the policy: %w", err)
	}
	out := wire.Policy{Version: rules.Version, Rules: []wire.PolicyRule{}, Approvers: rules.Policy.Approvers}
	for _, r := range rules.Policy.Rules {
		out.Rules = append(out.Rules, authority.RuleOut(r))
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
		case r.Severity != "" && !slices.Contains(authority.Severities(), r.Severity):
			return wire.Problemf(wire.KindRefused, "rule %d: severity is one of %s", i+1, strings.Join(authority.Severities(), ", "))
		case r.Urgency != "" && !slices.Contains(authority.Urgencies(), r.Urgency):
			return wire.Problemf(wire.KindRefused, "rule %d: urgency is one of %s", i+1, strings.Join(authority.Urgencies(), ", "))
		case r.Share < 0 || r.Share > 100:
			return wire.Problemf(wire.KindRefused, "rule %d: share is a percentage of the district from 1 to 100", i+1)
		}
		p.Rules = append(p.Rules, storage.PolicyRule{
			Severity: r.Severity, Urgency: r.Urgency, Members: r.Members, District: r.District, Scenario: r.Scenario,
			Share: uint32(r.Share), Approvals: uint32(r.Approvals),
		})
	}
	for _, role := range in.Approvers {
		if !slices.Contains(authority.ApproverRoles(), role) {
			return wire.Problemf(wire.KindRefused, "%q cannot be let approve; %s can, and administrators always", role, strings.Join(authority.ApproverRoles(), " and "))
		}
	}
	_, err := n.proposer.Change(ctx, by.Name, &command.PutPolicy{Policy: p})
	return err
}
