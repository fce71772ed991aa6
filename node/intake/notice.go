package intake

import (
	"context"
	"encoding/json"

	"almenara/node/authority"
	"almenara/node/newest"
	"almenara/node/wire"
	"almenara/storage/rights"
)

// Passed is a planned notice that every level has passed, or would be.
type Passed struct {
	Alert    json.RawMessage // in the JSON form that SendAlert takes; with sent and identifier it is the same message each time
	Scenario rights.Scenario // that it was made from; the zero one is none
	Select   string          // selection that narrows its areas
	Reason   string
}

// SendNotice sends a planned notice in its author's name, by the same path as every message; the levels
// that it has passed are not asked for again. A dry run records nothing.
func (t *Intake) SendNotice(ctx context.Context, author authority.Caller, p Passed, dryRun bool) (wire.Outcome, error) {
	in := incoming{by: author, wait: wire.WaitLocal, direct: true, passed: true, scenario: p.Scenario, dryRun: dryRun}
	return newest.Write(func() (wire.Outcome, error) {
		return t.takeJSON(ctx, wire.SendAlert{Alert: p.Alert, Scenario: p.Scenario.ID, Select: p.Select, Reason: p.Reason}, in)
	})
}
