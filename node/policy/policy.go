// Package policy changes and shows by what right alerts go out: the policy, which says which of
// them wait for approvals, scenarios, which are prepared alerts, and licences to send those from
// a node that is alone.
//
//	JSON ─> checked, in a sentence ─> Proposer ─> agreed ─> State ─> JSON
//
// What they mean for an alert is authority's; how a scenario is filled in is scenario's. It never
// imports api, channels or another part of node but authority, known, levels, scenario, shortid, wire and wording.
package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/levels"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/audience/lookup"
	"almenara/storage/rights"
)

// State is what was agreed; *agreed.Reader is one.
type State interface {
	Authority() (agreed.Authority, error)
	Index() *lookup.Index
}

// Proposer has changes agreed on and says what an error of that means; *records.Proposer is one.
type Proposer interface {
	Change(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
	Problem(err error) error
}

// Comparing is a Proposer that knows what a change may be held against; *records.Proposer is one.
type Comparing interface {
	Proposer
	// AwaitAgreed waits until this node has everything that was agreed on before.
	AwaitAgreed(ctx context.Context) error
	// Understood reports an error while a node of the district does not understand commands of a version.
	Understood(ctx context.Context, version uint64) error
}

// Policy answers service.Policy. Its methods may be called from any goroutine.
type Policy struct {
	state    State
	proposer Proposer
}

// NewPolicy makes one.
func NewPolicy(state State, p Proposer) *Policy { return &Policy{state: state, proposer: p} }

// ShowPolicy implements service.Policy.
func (c *Policy) ShowPolicy(context.Context) (wire.Policy, error) {
	rules, err := c.state.Authority()
	if err != nil {
		return wire.Policy{}, fmt.Errorf("reading the policy: %w", err)
	}
	out := wire.Policy{Version: rules.Version, Rules: []wire.PolicyRule{}, Approvers: rules.Policy.Approvers, Chain: levels.Wire(rules.Policy.Chain)}
	for _, r := range rules.Policy.Rules {
		out.Rules = append(out.Rules, authority.RuleOut(r))
	}
	return out, nil
}

// PutPolicy implements service.Policy. The version of the answer is passed over, so that
// what was shown can be changed and put back.
func (c *Policy) PutPolicy(ctx context.Context, by authority.Caller, in wire.Policy) error {
	p := rights.Policy{Approvers: in.Approvers}
	for i, r := range in.Rules {
		switch {
		case r.Approvals < 1 || r.Approvals > command.MaxApprovals:
			return wire.Problemf(wire.KindRefused, "rule %d asks for %d approvals; 1 to %d are expected", i+1, r.Approvals, command.MaxApprovals).Because(why.RuleWrong, i+1)
		case r.Severity != "" && !slices.Contains(authority.Severities(), r.Severity):
			return wire.Problemf(wire.KindRefused, "rule %d: severity is one of %s", i+1, strings.Join(authority.Severities(), ", ")).Because(why.RuleWrong, i+1)
		case r.Urgency != "" && !slices.Contains(authority.Urgencies(), r.Urgency):
			return wire.Problemf(wire.KindRefused, "rule %d: urgency is one of %s", i+1, strings.Join(authority.Urgencies(), ", ")).Because(why.RuleWrong, i+1)
		case r.Share < 0 || r.Share > 100:
			return wire.Problemf(wire.KindRefused, "rule %d: share is a percentage of the district from 1 to 100", i+1).Because(why.RuleWrong, i+1)
		}
		p.Rules = append(p.Rules, rights.PolicyRule{
			Severity: r.Severity, Urgency: r.Urgency, Members: r.Members, District: r.District, Scenario: r.Scenario,
			Share: uint32(r.Share), Approvals: uint32(r.Approvals),
		})
	}
	for _, role := range in.Approvers {
		if !slices.Contains(authority.ApproverRoles(), role) {
			return wire.Problemf(wire.KindRefused, "%q cannot be let approve; %s can, and administrators always", role, strings.Join(authority.ApproverRoles(), " and ")).Because(why.RoleUnfit, role)
		}
	}
	var err error
	if p.Chain, err = levels.Record(in.Chain); err != nil {
		return err
	}
	_, err = c.proposer.Change(ctx, by.Name, &command.PutPolicy{Policy: p})
	return err
}
