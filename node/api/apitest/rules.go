package apitest

import (
	"context"
	"encoding/json"
	"strings"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/looks"
	"almenara/node/wire/why"
)

// rules are scenarios, licences and the policy.
type rules struct {
	*asked
	Addresses uint64 // members, of any scenario that is put
	Warned    why.Sentences
}

// exampleScenario is the fake's one scenario; its id is AlertID, so that routes with an
// id find it.
func exampleScenario() wire.Scenario {
	return wire.Scenario{ID: AlertID, Title: "Flood", Alert: json.RawMessage(`{}`), Blanks: []string{"where"}, Approvals: 1, Minutes: 60, Revision: "0f3a9c1e7b2d48560f3a9c1e7b2d4856"}
}

// ListScenarios answers one scenario.
func (f *rules) ListScenarios(context.Context) ([]wire.Scenario, error) {
	return []wire.Scenario{exampleScenario()}, f.note(nil, "ListScenarios")
}

// PutScenario notes the id, and whether it is only tried.
func (f *rules) PutScenario(_ context.Context, by authority.Caller, in wire.Scenario, dryRun bool) (wire.PutScenario, error) {
	if dryRun {
		return wire.PutScenario{ID: in.ID, DryRun: true, Addressed: f.Addresses, Warnings: f.Warned, Look: &looks.Look{Tier: "emergency", Sound: "siren", Confirm: "none"}}, f.note(&by, "CheckScenario %s", in.ID)
	}
	return wire.PutScenario{ID: in.ID, DryRun: dryRun, Addressed: f.Addresses}, f.note(&by, "PutScenario %s %s", in.ID, in.Title)
}

// RemoveScenario notes the id, and the revision where there is one.
func (f *rules) RemoveScenario(_ context.Context, by authority.Caller, id, revision string) error {
	return f.note(&by, "%s", strings.TrimSpace("RemoveScenario "+id+" "+revision))
}

// ListLicences answers one licence.
func (f *rules) ListLicences(context.Context) ([]wire.Licence, error) {
	return []wire.Licence{{ID: "l1", Operator: "duty", Scenarios: []string{"flood", "*"}, Place: "tuen-mun"}}, f.note(nil, "ListLicences")
}

// GrantLicence answers what was asked with an id.
func (f *rules) GrantLicence(_ context.Context, by authority.Caller, in wire.Licence) (wire.Licence, error) {
	in.ID, in.Scenarios = "l1", append([]string{}, in.Scenarios...)
	return in, f.note(&by, "GrantLicence %s %v %s", in.Operator, in.Scenarios, in.Place)
}

// RevokeLicence notes the id.
func (f *rules) RevokeLicence(_ context.Context, by authority.Caller, id string) error {
	return f.note(&by, "RevokeLicence %s", id)
}

// ShowPolicy answers a policy with one rule.
func (f *rules) ShowPolicy(context.Context) (wire.Policy, error) {
	return wire.Policy{Version: 7, Rules: []wire.PolicyRule{{Severity: "Extreme", Approvals: 1}}}, f.note(nil, "ShowPolicy")
}

// PutPolicy notes how many rules there are.
func (f *rules) PutPolicy(_ context.Context, by authority.Caller, in wire.Policy) error {
	return f.note(&by, "PutPolicy %d", len(in.Rules))
}
