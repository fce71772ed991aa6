package policy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/known"
	"almenara/node/levels"
	"almenara/node/scenario"
	"almenara/node/sendername"
	"almenara/node/wire"
	"almenara/node/wire/looks"
	"almenara/node/wire/why"
	"almenara/node/wording"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/rights"
)

// Scenarios answers service.Scenarios. Its methods may be called from any goroutine.
type Scenarios struct {
	state    State
	proposer Comparing
	own      Own
	clock    func() time.Time
}

// Own is what the district writes in its own name.
type Own struct {
	Sender func() string // its CAP sender, under which a scenario is tried before it is agreed on
	Place  func() string // its path, after whose names texts say who warns
}

// NewScenarios makes one.
func NewScenarios(state State, p Comparing, own Own, clock func() time.Time) *Scenarios {
	return &Scenarios{state: state, proposer: p, own: own, clock: clock}
}

// ListScenarios implements service.Scenarios.
func (c *Scenarios) ListScenarios(context.Context) ([]wire.Scenario, error) {
	rules, err := c.state.Authority()
	if err != nil {
		return nil, fmt.Errorf("reading scenarios: %w", err)
	}
	var out []wire.Scenario
	for _, s := range rules.Scenarios {
		one := scenario.Wire(s)
		one.Revision = revisionOf(s)
		one.Chain = levels.Wire(s.Chain)
		out = append(out, one)
	}
	return out, nil
}

// PutScenario implements service.Scenarios. A dry run does everything but the change.
func (c *Scenarios) PutScenario(ctx context.Context, by authority.Caller, in wire.Scenario, dryRun bool) (wire.PutScenario, error) {
	s, checked, err := c.tried(in)
	if err != nil {
		return wire.PutScenario{}, err
	}
	out := wire.PutScenario{ID: s.ID, DryRun: dryRun, Warnings: checked.Warnings, Words: wording.Check(c.named(checked.Alert), s.Sensitive)}
	if out.Addressed, err = c.addressed(checked.Targets); err != nil {
		return wire.PutScenario{}, err
	}
	if !s.Choose {
		out.Warnings = append(out.Warnings, scenario.Unusual(s, out.Addressed)...)
	}
	out.Warnings = slices.Concat(c.nobody(s, out.Addressed), out.Warnings)
	if dryRun {
		look := alert.PresentationOf(checked.Alert.Status, checked.Alert.Infos)
		out.Look = &looks.Look{Tier: look.Tier, Sound: look.Sound, Confirm: look.Confirm}
	}
	was, err := c.was(ctx, in, dryRun)
	if err != nil || dryRun {
		return out, err
	}
	if _, err = c.proposer.Change(ctx, by.Name, &command.PutScenario{Scenario: s, Was: was}); err != nil {
		return out, changedMeanwhile(err, in)
	}
	out.Revision = revisionOf(s)
	return out, nil
}

// tried is the scenario's record, which can be sent.
func (c *Scenarios) tried(in wire.Scenario) (s rights.Scenario, checked scenario.Checked, err error) {
	if in.Approvals < 0 || in.Approvals > command.MaxApprovals {
		return s, checked, wire.Problemf(wire.KindMalformed, "a scenario asks for 0 to %d approvals", command.MaxApprovals).Because(why.ApprovalsMany, command.MaxApprovals)
	}
	if s, err = scenario.Record(in); err != nil {
		return s, checked, err
	}
	if s.Chain, err = levels.Record(in.Chain); err != nil {
		return s, checked, err
	}
	if _, err := (command.Command{Payload: &command.PutScenario{Scenario: s}}).Encode(); err != nil {
		return s, checked, c.proposer.Problem(err)
	}
	if checked, err = scenario.Check(s, c.own.Sender(), c.state.Index(), c.clock()); err != nil {
		return s, checked, err
	}
	if s.Chain != nil && !alert.Planned(checked.Alert.Status, checked.Alert.Infos) {
		return s, checked, wire.Problemf(wire.KindRefused, "the scenario has levels, which only planned notices go through: its status must be Actual, and the urgency of each of its texts Future or Past; what is urgent waits for nobody's level").Because(why.NotPlanned)
	}
	if s.Select == "" {
		return s, checked, nil
	}
	selected, err := audience.Parse(s.Select)
	if err == nil { // Check has read it
		err = known.Selection(c.state.Index(), selected)
	}
	return s, checked, err
}

// nobody warns of a scenario that would warn nobody now, and says why.
func (c *Scenarios) nobody(s rights.Scenario, addressed uint64) why.Sentences {
	switch {
	case addressed > 0:
		return nil
	case s.Select == "":
		return why.Sentences{why.Sayf("nobody would be warned now: its areas hold no member of the district").Because(why.ScenarioNobody)}
	}
	out := why.Sentences{why.Sayf("it selects nobody now, and is refused when it is sent so").Because(why.ScenarioRefused)}
	selected, err := audience.Parse(s.Select)
	if err != nil { // tried has read it
		return out
	}
	return append(out, known.Nobody(c.state.Index(), c.state.Index().WithSpellings(selected))...)
}

// named is a message as devices get it: with the district's name in texts that do not say who warns.
func (c *Scenarios) named(a *alert.Alert) *alert.Alert {
	out := *a
	out.Infos = slices.Clone(a.Infos)
	own, _ := c.state.Index().Place(audience.Path(c.own.Place()))
	sendername.Give(&out, c.own.Sender(), own.Names)
	return &out
}

// addressed is how many members the targets mean now.
func (c *Scenarios) addressed(targets []audience.Target) (uint64, error) {
	all, index := roaring.New(), c.state.Index()
	for _, t := range targets {
		found, err := index.Resolve(t)
		if err != nil {
			return 0, wire.Problemf(wire.KindRefused, "the scenario's areas cannot be resolved: %v", err).Because(why.SelectionWrong, err)
		}
		all.Or(found.Members)
	}
	return all.GetCardinality(), nil
}

// RemoveScenario implements service.Scenarios. What the scenario must still be is held against what this node has,
// once it has all that was agreed before: the command of a removal has no place for it. Of a removal and a change
// within the same moment at two nodes the last one counts.
func (c *Scenarios) RemoveScenario(ctx context.Context, by authority.Caller, id, revision string) error {
	if revision == revisionNone {
		return unreadRevision()
	}
	if _, err := c.was(ctx, wire.Scenario{ID: id, Revision: revision}, false); err != nil {
		return err
	}
	_, err := c.proposer.Change(ctx, by.Name, &command.RemoveScenario{ID: id})
	return err
}
