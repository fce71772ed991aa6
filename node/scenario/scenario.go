package scenario

import (
	"fmt"
	"strings"
	"time"

	"almenara/node/judge"
	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capjson"
	"almenara/storage/audience"
	"almenara/storage/rights"
)

// Check refuses a scenario that could not be sent, before it is agreed on. sender is the
// district's own CAP sender.
func Check(s rights.Scenario, sender string, now time.Time) error {
	names := Blanks(s.Alert)
	if len(names) > maxBlanks {
		return wire.Problemf(wire.KindRefused, "the scenario has %d blanks, at most %d are allowed", len(names), maxBlanks)
	}
	if strayBlank(s.Alert) {
		return wire.Problemf(wire.KindRefused, "the scenario's texts hold {{ that is no blank; a blank is {{name}} of letters, digits, _ and -")
	}
	samples := make(map[string]string)
	for _, name := range names {
		samples[name] = "x"
	}
	raw, err := Filled(s, samples, now)
	if err != nil {
		return wire.Problemf(wire.KindRefused, "the scenario's alert is not a JSON object: %v", err)
	}
	a, findings, err := capjson.FromJSON(raw, sender, shortid.New(), now)
	if err != nil {
		return scenarioRefusal(err, findings)
	}
	for _, found := range []alert.Findings{judge.Typed(s.Alert), judge.Over(a, now)} {
		if found.Rejected() {
			return scenarioRefusal(&alert.RejectError{Findings: found}, found)
		}
	}
	if a.MsgType != alert.MsgTypeAlert || len(a.References) > 0 || len(a.Infos) == 0 {
		return wire.Problemf(wire.KindRefused, "a scenario is an Alert with at least one info block and without references")
	}
	if time.Duration(s.Lifetime)*time.Millisecond > alert.MaxLifetime {
		return wire.Problemf(wire.KindRefused, "a scenario holds %d minutes at most", int(alert.MaxLifetime.Minutes()))
	}
	if s.Select != "" {
		if _, err := audience.Parse(s.Select); err != nil {
			return wire.Problemf(wire.KindMalformed, "the scenario's selection cannot be read: %v", err)
		}
	}
	return nil
}

func scenarioRefusal(err error, findings alert.Findings) error {
	p, ok := judge.Refusal(err, findings).(*wire.Problem)
	if !ok {
		return err
	}
	p.Sentence = "the scenario cannot be sent as it is: " + strings.TrimPrefix(p.Sentence, "nothing was sent: ")
	return p
}

// Unusual warns when the scenario usually addresses more or fewer.
func Unusual(s rights.Scenario, total uint64) []string {
	if s.UsualMax == 0 || total >= s.UsualMin && total <= s.UsualMax {
		return nil
	}
	return []string{fmt.Sprintf("the scenario %s usually addresses %d to %d members, and now %d", s.ID, s.UsualMin, s.UsualMax, total)}
}

// Wire is a scenario as the API shows it.
func Wire(s rights.Scenario) wire.Scenario {
	return wire.Scenario{
		ID: s.ID, Title: s.Title, Alert: s.Alert, Blanks: Blanks(s.Alert), Select: s.Select, Approvals: int(s.Approvals),
		Minutes: int(s.Lifetime / time.Minute.Milliseconds()), UsualMin: s.UsualMin, UsualMax: s.UsualMax,
	}
}
