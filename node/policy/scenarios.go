package policy

import (
	"context"
	"fmt"
	"math"
	"time"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/known"
	"almenara/node/scenario"
	"almenara/node/wire"
	"almenara/storage/audience"
	"almenara/storage/rights"
)

// Scenarios answers service.Scenarios. Its methods may be called from any goroutine.
type Scenarios struct {
	state    State
	proposer Proposer
	sender   func() string // the district's own CAP sender
	clock    func() time.Time
}

// NewScenarios makes one; sender is the district's own CAP sender, under which a scenario is
// tried before it is agreed on.
func NewScenarios(state State, p Proposer, sender func() string, clock func() time.Time) *Scenarios {
	return &Scenarios{state: state, proposer: p, sender: sender, clock: clock}
}

// ListScenarios implements service.Scenarios.
func (c *Scenarios) ListScenarios(context.Context) ([]wire.Scenario, error) {
	rules, err := c.state.Authority()
	if err != nil {
		return nil, fmt.Errorf("reading scenarios: %w", err)
	}
	var out []wire.Scenario
	for _, s := range rules.Scenarios {
		out = append(out, scenario.Wire(s))
	}
	return out, nil
}

// PutScenario implements service.Scenarios.
func (c *Scenarios) PutScenario(ctx context.Context, by authority.Caller, in wire.Scenario) error {
	if in.Minutes < 1 || in.Minutes > math.MaxInt32 {
		return wire.Problemf(wire.KindMalformed, "a scenario says in minutes how long it holds")
	}
	if in.Approvals < 0 || in.Approvals > command.MaxApprovals {
		return wire.Problemf(wire.KindMalformed, "a scenario asks for 0 to %d approvals", command.MaxApprovals)
	}
	s := rights.Scenario{
		ID: in.ID, Title: in.Title, Alert: in.Alert, Select: in.Select, Approvals: uint32(in.Approvals),
		Lifetime: int64(in.Minutes) * time.Minute.Milliseconds(), UsualMin: in.UsualMin, UsualMax: in.UsualMax,
	}
	if _, err := (command.Command{Payload: &command.PutScenario{Scenario: s}}).Encode(); err != nil {
		return c.proposer.Problem(err)
	}
	if err := scenario.Check(s, c.sender(), c.clock()); err != nil {
		return err
	}
	if s.Select != "" {
		selected, err := audience.Parse(s.Select)
		if err == nil { // Check has read it
			err = known.Selection(c.state.Index(), selected)
		}
		if err != nil {
			return err
		}
	}
	_, err := c.proposer.Change(ctx, by.Name, &command.PutScenario{Scenario: s})
	return err
}

// RemoveScenario implements service.Scenarios.
func (c *Scenarios) RemoveScenario(ctx context.Context, by authority.Caller, id string) error {
	_, err := c.proposer.Change(ctx, by.Name, &command.RemoveScenario{ID: id})
	return err
}
