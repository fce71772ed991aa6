package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"almenara/node/authority"
	"almenara/node/scenario"
	"almenara/node/wire"
	"almenara/node/wire/looks"
	"almenara/node/wire/why"
	"almenara/node/wording"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/rights"
)

// fromScenario fills in what a request leaves to a scenario.
func (t *Intake) fromScenario(sent wire.SendAlert, in *incoming) (json.RawMessage, error) {
	if sent.Scenario == "" {
		if len(sent.Blanks) > 0 {
			return nil, wire.Problemf(wire.KindMalformed, "blanks belong to a scenario; nothing was sent").Because(why.FormWrong)
		}
		return sent.Alert, nil
	}
	var s rights.Scenario
	var known bool
	err := t.store.View(func(txn *storage.Txn) (err error) {
		s, known, err = rights.Scenarios.Get(txn, sent.Scenario)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading scenario %s: %w", sent.Scenario, err)
	}
	if !known || s.Removed {
		return nil, wire.Problemf(wire.KindNotFound, "no scenario %q is known here; nothing was sent", sent.Scenario).Because(why.NoScenario, sent.Scenario)
	}
	in.scenario, in.blanks = s, sent.Blanks
	return scenario.Filled(s, sent.Blanks, t.clock())
}

// usual adds a warning when the outcome is not what the scenario usually does.
func (t *Intake) usual(in incoming, out wire.Outcome) wire.Outcome {
	out.Warnings = append(out.Warnings, scenario.Unusual(in.scenario, out.Addressed.Total)...)
	out.Usual = scenario.Range(in.scenario, out.Addressed.Total)
	if in.dryRun {
		out.Checklist, out.Words = in.scenario.Checklist, wording.Check(in.alert, in.scenario.Sensitive)
		if len(in.alert.Infos) > 0 {
			look := alert.PresentationOf(in.alert.Status, in.alert.Infos)
			out.Look = &looks.Look{Tier: look.Tier, Sound: look.Sound, Confirm: look.Confirm}
			if t.speech != nil {
				out.Look.Speech = t.speech(in.alert.Status, in.alert.Infos)
			}
		}
	}
	return out
}

// maxIncident is how many characters an incident's id may have.
const maxIncident = 100

// incidentOf is the incident id that goes on record. Whoever is limited begins one of their own
// limits, "i-7 of tuen-mun/on-ting": under the bare id others may have begun one that this
// node has not heard of, which a Cancel would end. One that is known here they join.
func (t *Intake) incidentOf(by authority.Caller, made, id string, status alert.Status) (string, error) {
	if id == "" {
		return "", nil
	}
	if wrong := scenario.BadText(id, maxIncident); wrong != nil {
		return "", wire.Problemf(wire.KindRefused, "nothing was sent: the incident id %s", wrong).Because(why.IncidentUnfit, maxIncident)
	}
	if made == "" || !by.Limited() || t.stories.OnBook(alert.IncidentKey(made, id, status).ID()) != nil {
		return id, nil
	}
	return id + " of " + strings.Join(slices.Sorted(slices.Values(slices.Concat(by.Places, by.Senders))), ", "), nil
}
