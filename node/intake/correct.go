package intake

import (
	"context"
	"errors"
	"slices"
	"time"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/budget"
	"almenara/node/correction"
	"almenara/node/intake/narrowed"
	"almenara/node/judge"
	"almenara/node/newest"
	"almenara/node/shortid"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/capjson"
	"almenara/storage/alert/capxml"
	"almenara/storage/factbody"
)

// UpdateAlert implements service.Alerts: it writes a CAP Update of the alert in force that keeps its
// areas and whatever else is not given.
func (t *Intake) UpdateAlert(ctx context.Context, by authority.Caller, id string, in wire.UpdateAlert, wait wire.Wait) (wire.Outcome, error) {
	return newest.Write(func() (wire.Outcome, error) {
		s, err := t.stories.Find(id)
		if err != nil {
			return wire.Outcome{}, err
		}
		m := s.Current()
		switch state := t.stories.State(s); {
		case m == nil:
			return wire.Outcome{}, stories.NotKnown(id)
		case state.Over():
			return wire.Outcome{}, wire.Problemf(wire.KindRefused, "nothing was sent: the alert is %s, so no device shows it; send a new one", state).Because(why.AlertOver)
		}
		if m, err = m.Whole(); err != nil {
			return wire.Outcome{}, err
		}
		return (corrector{t, s, m}).correct(ctx, by, in, wait)
	})
}

// correct writes the Update and takes it like any other.
func (c corrector) correct(ctx context.Context, by authority.Caller, in wire.UpdateAlert, wait wire.Wait) (_ wire.Outcome, err error) {
	t, m := c.t, c.m
	taken := incoming{by: by, reason: in.Reason, wait: wait, direct: true, made: true, stamped: true, incident: m.Issue.Incident, dryRun: in.DryRun, selected: in.Select, replaces: m}
	if in.Select == "" { // else take reads it, as that of a new message
		if taken.limit, err = narrowed.Read(m.Select(), t.audience()); err != nil {
			return wire.Outcome{}, err
		}
	}
	if err := c.write(&taken, in); err != nil {
		return wire.Outcome{}, err
	}
	if err := c.keepFurther(&taken, in.Select != ""); err != nil {
		return wire.Outcome{}, err
	}
	t.nameSender(&taken)
	if taken.raw, err = capxml.Write(taken.alert); err != nil {
		return wire.Outcome{}, wire.Problemf(wire.KindMalformed, "the correction cannot be written as CAP: %v", err).Because(why.NotCAP, err)
	}
	a, findings, err := capxml.Parse(taken.raw) // it is judged as a new message is
	if err != nil {
		return wire.Outcome{}, judge.Refusal(err, findings)
	}
	taken.alert, taken.read, taken.warnings = a, true, append(taken.warnings, judge.Sentences(judge.Selected(findings, in.Select, m.Select()))...)
	return t.take(ctx, taken)
}

// corrector writes the Update of one alert, whose message in force is m.
type corrector struct {
	t *Intake
	s *stories.Story
	m *alerts.Message
}

// write writes the Update into taken: the scenario with other blanks, or the texts of
// before with other words.
func (c corrector) write(taken *incoming, in wire.UpdateAlert) (err error) {
	update := correction.Update{
		Identifier: shortid.New(), Sender: c.t.district.SenderOf(taken.by), Now: c.sent(),
		References: c.references(), Reason: judge.Printable(in.Reason),
		Severity: in.Severity, Urgency: in.Urgency, Certainty: in.Certainty, Areas: areasOf(in.Areas), Elsewhere: in.Select != "",
	}
	if taken.by.Speaks(c.m.Entry.Key.Sender) {
		update.Sender = c.m.Entry.Key.Sender
	}
	current := c.m.Alert
	if len(in.Blanks) > 0 {
		if current, err = c.refilled(taken, in.Blanks); err != nil {
			return err
		}
		if in.Blanks = nil; in.Empty() {
			correction.Address(current, update)
			taken.alert = current
			return nil
		}
	}
	var texts []correction.Text
	for _, text := range in.Texts {
		texts = append(texts, correction.Text{Language: text.Language, Headline: text.Headline, Description: text.Description, Instruction: text.Instruction})
	}
	taken.alert, taken.warnings, err = correction.Make(current, texts, in.Expires, update)
	var refused *correction.Refused
	if errors.As(err, &refused) {
		return wire.Problemf(wire.KindRefused, "%s", refused.Sentence).Because(refused.Why.Reason, refused.Why.With...)
	}
	return err
}

// areasOf reads the areas of an update.
func areasOf(in []wire.UpdateAreas) (out []correction.Areas) {
	for _, of := range in {
		areas := correction.Areas{Language: of.Language}
		for _, a := range of.Area {
			area := alert.Area{Description: a.AreaDesc, Polygons: a.Polygon, Circles: a.Circle, Altitude: a.Altitude, Ceiling: a.Ceiling}
			for _, g := range a.Geocode {
				area.Geocodes = append(area.Geocodes, alert.Named{Name: g.ValueName, Value: g.Value})
			}
			areas.Areas = append(areas.Areas, area)
		}
		out = append(out, areas)
	}
	return out
}

// sent is now, or the second after what is known of the alert.
func (c corrector) sent() time.Time {
	return alert.Later(c.t.clock().UTC(), newest.After(c.t.book, c.references()))
}

// refilled is the scenario's alert with other texts in the blanks; those that are not
// given are as they were. Its ends stay, unless the correction gives others.
func (c corrector) refilled(taken *incoming, blanks map[string]string) (*alert.Alert, error) {
	t, m := c.t, c.m
	made, err := c.madeFrom()
	if err != nil {
		return nil, err
	}
	if made.Scenario == "" {
		return nil, wire.Problemf(wire.KindRefused, "nothing was sent: the alert was not made from a scenario, so it has no blanks; give its texts").Because(why.NoBlanks)
	}
	all := make(map[string]string)
	for name, text := range made.Blanks {
		all[name] = text
	}
	for name, text := range blanks {
		all[name] = text
	}
	raw, err := t.fromScenario(wire.SendAlert{Scenario: made.Scenario, Blanks: all}, taken)
	if err != nil {
		return nil, err
	}
	a, findings, err := capjson.FromJSON(raw, t.district.SenderOf(taken.by), shortid.New(), t.clock().UTC())
	if err != nil {
		return nil, judge.Refusal(err, findings)
	}
	a.Incidents, taken.blanks = m.Alert.Incidents, all
	for i := range a.Infos {
		if i < len(m.Alert.Infos) {
			a.Infos[i].Expires = m.Alert.Infos[i].Expires
		}
	}
	return a, nil
}

// madeFrom is the newest issue of the alert that was made from a scenario; the zero one
// where none was.
func (c corrector) madeFrom() (factbody.Issue, error) {
	for _, m := range slices.Backward(c.s.Messages) {
		says, err := m.Brief()
		if err == nil && says.Issue.Scenario == "" {
			continue
		}
		if m, err = m.Whole(); err != nil {
			return factbody.Issue{}, err
		}
		return m.Issue, nil
	}
	return factbody.Issue{}, nil
}

// references are the newest messages of the alert, as many as are taken.
func (c corrector) references() []alert.Key {
	var keys []alert.Key
	for _, m := range c.s.Messages {
		keys = append(keys, m.Entry.Key)
	}
	return keys[max(0, len(keys)-budget.MaxReferences):]
}
