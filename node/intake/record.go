package intake

import (
	"context"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/budget/counted"
	"almenara/node/newest"
	"almenara/node/noise"
	"almenara/node/originals"
	"almenara/node/replication"
	"almenara/node/wire"
	"almenara/node/wire/caution"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

// record makes the fact durable on this node. A message that is known already
// gives no new fact: progress is nil.
func (t *Intake) record(ctx context.Context, in *incoming, targets []audience.Target, right authority.Right) (*alerts.Message, *exchange.Progress, error) {
	if err := t.afford(*in, in.further.says.Everybody(targets), right, 0, true); err != nil { // before anything of it is written
		return nil, nil, err
	}
	body, large, err := t.recordable(ctx, *in, t.issue(*in, targets, right)) // it may flush 4 MiB: before the lock
	if err != nil {
		return nil, nil, err
	}
	defer large.Done()
	in.warnings = append(in.warnings, large.Said()...)
	m, err := alerts.MessageOf(body, in.parsed(large))
	if err != nil {
		return nil, nil, err
	}
	t.recording.Lock()
	defer t.recording.Unlock()
	if known, err := t.known(*in); known != nil || err != nil { // it may have come in meanwhile
		return known, nil, err
	}
	if err := newest.Check(t.book, in.written(m), t.clock()); err != nil {
		return nil, nil, err
	}
	if err := t.afford(*in, in.further.says.Everybody(targets), right, len(body), false); err != nil {
		return nil, nil, err
	}
	t.book.Making(body, m)
	progress, err := t.exchange.Create(ctx, fact.KindAlert, fact.Alerts, body)
	if err != nil {
		return nil, nil, replication.Unrecorded(err)
	}
	t.progress.Put(progress)
	m.Fact = progress.ID.String()
	m.Entry.Fact = m.Fact
	return m, progress, nil // the book forgets what ran out long ago, once it is agreed
}

// parsed is what the message on record says, where that was read from the same bytes; nil where it
// was not.
func (in incoming) parsed(large *originals.Large) *alert.Alert {
	if !in.read || large != nil {
		return nil
	}
	return in.alert
}

// issue is what the alert's fact says.
func (t *Intake) issue(in incoming, targets []audience.Target, right authority.Right) factbody.Issue {
	issue := factbody.Issue{
		Message: in.raw, Targets: targets, Author: in.by.Name, Reason: in.reason, Incident: in.incident,
		Accepted: t.clock().UnixMilli(), Policy: right.Policy,
		Approvals: right.Approvals, Demand: right.Demand, Scenario: in.scenario.ID, Blanks: in.blanks, Licence: right.Licence, Within: right.Within,
		Escalation: in.further.says, Remind: in.remind,
	}
	if right.Alone {
		issue.Alone, issue.PolicyAge = right.Since.UnixMilli(), right.Age.Milliseconds()
	}
	return issue
}

// preview says what record would make of the message, and makes nothing: the message
// is laid on a copy of the book. Whether the journal has room shows only later.
func (t *Intake) preview(ctx context.Context, in incoming, targets []audience.Target, right authority.Right) (wire.Outcome, error) {
	if err := t.afford(in, in.further.says.Everybody(targets), right, 0, true); err != nil {
		return wire.Outcome{}, err
	}
	body, large, err := t.recordable(ctx, in, t.issue(in, targets, right))
	if err != nil {
		return wire.Outcome{}, err
	}
	in.warnings = append(in.warnings, large.Said()...)
	if err := t.afford(in, in.further.says.Everybody(targets), right, len(body), true); err != nil {
		return wire.Outcome{}, err
	}
	m, err := alerts.MessageOf(body, in.parsed(large))
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := newest.Check(t.book, in.written(m), t.clock()); err != nil {
		return wire.Outcome{}, err
	}
	loud := t.noise(in, in.further.says.Everybody(targets)) // before other nodes are asked, which gives the turn to the next one
	out := t.usual(in, t.answers.Expected(ctx, t.book.With(m), m, in.wait, in.warnings))
	out.Noise = loud
	if in.replaces != nil {
		added, ended, err := t.answers.Difference(in.replaces, m)
		if err != nil {
			return wire.Outcome{}, err
		}
		out.Added, out.Ended = &added, &ended
	}
	return t.grouped(m, out)
}

// recordable is the body of an alert's fact. Where the message is too large for one, it
// is on this disk beside the fact, until Done is called on large if no fact names it.
func (t *Intake) recordable(ctx context.Context, in incoming, issue factbody.Issue) (body []byte, large *originals.Large, err error) {
	if body, err = issue.Encode(); err != nil || len(body) <= fact.MaxBody {
		return body, nil, err
	}
	if large, err = t.originals.Take(ctx, issue, in.alert, urgent(t.book, in.alert, t.clock()), in.dryRun); err != nil {
		return nil, nil, err
	}
	return large.Body, large, nil
}

// noise is how loud it has been lately where the message goes; nil for emergencies, and where it was quiet.
func (t *Intake) noise(in incoming, targets []audience.Target) *caution.Noise {
	if len(in.alert.Infos) == 0 || alert.PresentationOf(in.alert.Status, in.alert.Infos).Tier != alert.TierAdvisory {
		return nil
	}
	now := t.clock()
	return noise.Of(t.book, alerts.Since(t.book, now.Add(-noise.Within)), func(of []audience.Target) []string { return counted.Blocks(t.audience(), of) }, targets, now)
}
