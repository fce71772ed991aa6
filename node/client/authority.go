package client

import (
	"context"

	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/caution"
)

// ApproveAlert approves an alert that waits for it.
func (c Alerts) ApproveAlert(ctx context.Context, id string, in wire.Approve, wait string) (out wire.Outcome, err error) {
	err = c.call(ctx, request{method: "POST", path: path("alerts", id, "approve"), query: values("wait", wait)}, in, &out)
	return out, err
}

// MarkTold says that a person told members of an alert.
func (c Alerts) MarkTold(ctx context.Context, id string, in acts.MarkTold, wait string) (out acts.Told, err error) {
	err = c.call(ctx, request{method: "POST", path: path("alerts", id, "told"), query: values("wait", wait)}, in, &out)
	return out, err
}

// Remind has devices present an alert again on which nobody has confirmed it.
func (c Alerts) Remind(ctx context.Context, id string, in acts.Remind, wait string) (out acts.Reminded, err error) {
	err = c.call(ctx, request{method: "POST", path: path("alerts", id, "remind"), query: values("wait", wait)}, in, &out)
	return out, err
}

// Contradictions lists real alerts in force by which two senders tell the same people contrary things.
func (c Alerts) Contradictions(ctx context.Context) (out caution.Contradictions, err error) {
	err = c.call(ctx, request{method: "GET", path: path("contradictions")}, nil, &out)
	return out, err
}

// SpokenCode makes the caller's own code for an alert, or for the number of one.
func (c Alerts) SpokenCode(ctx context.Context, in acts.AskCode) (out acts.SpokenCode, err error) {
	err = c.call(ctx, request{method: "POST", path: path("spoken-codes")}, in, &out)
	return out, err
}

// ApproveSpoken approves an alert in the name of the person who has read out the code.
func (c Alerts) ApproveSpoken(ctx context.Context, id string, in acts.TypeApproval, wait string) (out wire.Outcome, err error) {
	err = c.call(ctx, request{method: "POST", path: path("alerts", id, "spoken-approval"), query: values("wait", wait)}, in, &out)
	return out, err
}

// ListScenarios lists the prepared alerts.
func (c Rules) ListScenarios(ctx context.Context) (out []wire.Scenario, err error) {
	err = c.call(ctx, request{method: "GET", path: path("scenarios")}, nil, &out)
	return out, err
}

// ShowScenario is one prepared alert.
func (c Rules) ShowScenario(ctx context.Context, id string) (out wire.Scenario, err error) {
	err = c.call(ctx, request{method: "GET", path: path("scenarios", id)}, nil, &out)
	return out, err
}

// PutScenario adds or changes a prepared alert. It is committed on return.
func (c Rules) PutScenario(ctx context.Context, in wire.Scenario) error {
	return c.call(ctx, request{method: "PUT", path: path("scenarios", in.ID)}, in, nil)
}

// CheckScenario says what is to be said of a prepared alert, refuses it as PutScenario would, and
// changes nothing.
func (c Rules) CheckScenario(ctx context.Context, in wire.Scenario) (out wire.PutScenario, err error) {
	err = c.call(ctx, request{method: "PUT", path: path("scenarios", in.ID), query: values("dry_run", "true")}, in, &out)
	return out, err
}

// RemoveScenario removes a prepared alert; with a revision, only where that is the one that it has.
func (c Rules) RemoveScenario(ctx context.Context, id, revision string) error {
	return c.call(ctx, request{method: "DELETE", path: path("scenarios", id), query: values("revision", revision)}, nil, nil)
}

// ListLicences lists the rights to warn from a node that is alone.
func (c Rules) ListLicences(ctx context.Context) (out []wire.Licence, err error) {
	err = c.call(ctx, request{method: "GET", path: path("licences")}, nil, &out)
	return out, err
}

// GrantLicence grants such a right; the answer has its id.
func (c Rules) GrantLicence(ctx context.Context, in wire.Licence) (out wire.Licence, err error) {
	err = c.call(ctx, request{method: "POST", path: path("licences")}, in, &out)
	return out, err
}

// RevokeLicence revokes a licence for good.
func (c Rules) RevokeLicence(ctx context.Context, id string) error {
	return c.call(ctx, request{method: "DELETE", path: path("licences", id)}, nil, nil)
}

// ShowPolicy is which alerts need approvals.
func (c Rules) ShowPolicy(ctx context.Context) (out wire.Policy, err error) {
	err = c.call(ctx, request{method: "GET", path: path("policy")}, nil, &out)
	return out, err
}

// PutPolicy replaces the policy.
func (c Rules) PutPolicy(ctx context.Context, in wire.Policy) error {
	return c.call(ctx, request{method: "PUT", path: path("policy")}, in, nil)
}
