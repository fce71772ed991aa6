package policy

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"almenara/cluster/command"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/rights"
)

// revisionNone in a scenario that is put says that the district must not have it yet.
const revisionNone = "none"

func revisionOf(s rights.Scenario) string { return hex.EncodeToString(s.Revision()) }

// was is what the state machine holds the scenario against: nil where the caller does not say what was read, or where
// a node is not upgraded, for which this node's own look must do. Of two who save at once at two nodes the state
// machine refuses the second; here the sentence is better, and comes before anything is tried.
func (c *Scenarios) was(ctx context.Context, in wire.Scenario, dryRun bool) ([]byte, error) {
	if in.Revision == "" {
		return nil, nil
	}
	read := make([]byte, rights.RevisionBytes)
	if in.Revision != revisionNone {
		var err error
		if read, err = hex.DecodeString(in.Revision); err != nil || len(read) != rights.RevisionBytes {
			return nil, unreadRevision()
		}
	}
	if !dryRun {
		if err := c.proposer.AwaitAgreed(ctx); err != nil { // or what was changed elsewhere would be told too late
			return nil, err
		}
	}
	rules, err := c.state.Authority()
	if err != nil {
		return nil, fmt.Errorf("reading scenarios: %w", err)
	}
	is := rights.Scenario{}
	if i := slices.IndexFunc(rules.Scenarios, func(s rights.Scenario) bool { return s.ID == in.ID }); i >= 0 {
		is = rules.Scenarios[i]
	}
	if !slices.Equal(is.Revision(), read) {
		return nil, meanwhile(in)
	}
	if dryRun || c.proposer.Understood(ctx, command.ScenarioWasSince) != nil {
		return nil, nil
	}
	return read, nil
}

func unreadRevision() error {
	return wire.Problemf(wire.KindMalformed, "the revision of a scenario is what was answered with it, or, where it is put, %q for a new one", revisionNone).Because(why.FormWrong)
}

func meanwhile(in wire.Scenario) error {
	if in.Revision == revisionNone {
		return wire.Problemf(wire.KindConflict, "there is a scenario %s already; nothing was changed", in.ID).Because(why.ScenarioThere, in.ID)
	}
	return wire.Problemf(wire.KindConflict, "somebody else has changed or removed the scenario %s meanwhile; nothing was changed: read it again", in.ID).Because(why.ScenarioChanged, in.ID)
}

// changedMeanwhile is what the state machine's refusal means to whoever said what was read.
func changedMeanwhile(err error, in wire.Scenario) error {
	var p *wire.Problem
	if in.Revision != "" && (errors.Is(err, command.ErrConflict) || errors.As(err, &p) && p.Kind == wire.KindConflict) {
		return meanwhile(in)
	}
	return err
}
