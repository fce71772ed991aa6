package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/api"
	"almenara/node/authority"
	"almenara/node/judge"
	"almenara/node/newest"
	"almenara/node/notes"
	"almenara/node/outcome"
	"almenara/node/records"
	"almenara/node/replication"
	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// intake is one message on its way in: what was sent and who sent it.
type intake struct {
	by       api.Caller
	alert    *alert.Alert
	raw      []byte
	selected string
	limit    audience.Selection // selected, read
	reason   string
	incident string
	scenario storage.Scenario  // that it was made from; the zero one is none
	blanks   map[string]string // that fill the scenario's
	warnings []string
	wait     wire.Wait
	dryRun   bool // say what would be, record nothing
	direct   bool // this node writes the CAP message, maybe under the district's own sender
	made     bool // this node made the identifier
	stamped  bool // this node wrote sent
}

// TakeCAP implements api.Alerts.
func (n *Node) TakeCAP(ctx context.Context, by api.Caller, raw []byte, selection string, wait wire.Wait) (wire.Outcome, error) {
	return n.takeCAP(ctx, intake{by: by, raw: raw, selected: selection, wait: wait})
}

// PreviewCAP implements api.Alerts: TakeCAP up to the record.
func (n *Node) PreviewCAP(ctx context.Context, by api.Caller, raw []byte, selection string) (wire.Outcome, error) {
	return n.takeCAP(ctx, intake{by: by, raw: raw, selected: selection, dryRun: true})
}

func (n *Node) takeCAP(ctx context.Context, in intake) (wire.Outcome, error) {
	a, findings, err := alert.Parse(in.raw)
	if err != nil {
		return wire.Outcome{}, judge.Refusal(err, findings)
	}
	in.alert, in.warnings = a, judge.Sentences(findings)
	if in.raw, err = recordedForm(in.raw, a, findings, func() bool { return n.proposer.Understood(ctx, records.NodeVersionSince) == nil }); err != nil {
		return wire.Outcome{}, err
	}
	return n.take(ctx, in)
}

// recordedForm is what is put on record of a message: the bytes as they came or, as long
// as a node of older software would read something else in them, or nothing, what CAP
// says in its strict form. upgraded reports whether there is no such node.
func recordedForm(raw []byte, a *alert.Alert, found alert.Findings, upgraded func() bool) ([]byte, error) {
	if alert.ReadAlike(raw, found) || upgraded() {
		return raw, nil
	}
	strict, err := a.XML()
	if err != nil {
		return nil, wire.Problemf(wire.KindTooLarge, "some nodes of the district are not upgraded, and the message is too large in the form that they read: %v; nothing was sent", err)
	}
	return strict, nil
}

// SendAlert implements api.Alerts: the same path, from the JSON form.
func (n *Node) SendAlert(ctx context.Context, by api.Caller, in wire.SendAlert, wait wire.Wait) (wire.Outcome, error) {
	return newest.Write(func() (wire.Outcome, error) { return n.takeJSON(ctx, in, intake{by: by, wait: wait, direct: true}) })
}

// PreviewAlert implements api.Alerts: SendAlert up to the record.
func (n *Node) PreviewAlert(ctx context.Context, by api.Caller, in wire.SendAlert) (wire.Outcome, error) {
	return newest.Write(func() (wire.Outcome, error) { return n.takeJSON(ctx, in, intake{by: by, dryRun: true, direct: true}) })
}

func (n *Node) takeJSON(ctx context.Context, sent wire.SendAlert, in intake) (wire.Outcome, error) {
	form, err := n.fromScenario(sent, &in)
	if err != nil {
		return wire.Outcome{}, err
	}
	identifier := shortid.New()
	a, findings, err := alert.FromJSON(form, n.district.SenderOf(in.by), identifier, n.options.Clock().UTC())
	if err != nil {
		return wire.Outcome{}, judge.Refusal(err, findings)
	}
	if err := in.judged(judge.Typed(form)); err != nil {
		return wire.Outcome{}, err
	}
	in.made, in.stamped = a.Identifier == identifier, !newest.SaysSent(form)
	if in.incident, err = n.incidentOf(in.by, in.scenario.ID, sent.Incident, a.Status); err != nil {
		return wire.Outcome{}, err
	}
	if in.scenario.ID != "" && sent.Incident != "" {
		a.Incidents = []string{sent.Incident}
	}
	in.alert = a
	if in.stamped {
		a.Sent = alert.NewDateTime(alert.Later(a.Sent.Time(), newest.After(n.book, in.continues())))
	}
	raw, err := a.XML()
	if err != nil {
		return wire.Outcome{}, wire.Problemf(wire.KindMalformed, "the alert cannot be written as CAP: %v", err)
	}
	in.raw, in.warnings = raw, judge.Sentences(findings)
	in.selected, in.reason = sent.Select, sent.Reason
	return n.take(ctx, in)
}

// take is the one path of every message: verify, record, and let everything else
// follow from the record.
func (n *Node) take(ctx context.Context, in intake) (wire.Outcome, error) {
	err := n.admit(&in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if in.limit.IsZero() { // a correction keeps that of its alert
		if in.limit, err = limits(in.selected, in.scenario, n.state.Index()); err != nil {
			return wire.Outcome{}, err
		}
		own := in.scenario.ID == "" || in.selected != "" // what a scenario selects was not the caller's choice
		if own && in.alert.MsgType != alert.MsgTypeCancel {
			if err := authority.MayAsk(in.by, in.limit, in.alert); err != nil {
				return wire.Outcome{}, err
			}
		}
	}
	known, err := n.known(in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if known != nil { // before anything that may have changed since: a repeat is a repeat
		out := n.answers.Known(ctx, known, in.wait, in.warnings)
		if in.dryRun {
			out = outcome.Asked(out)
		}
		return out, nil
	}
	now := n.options.Clock()
	if in.direct {
		if err := in.judged(judge.Over(in.alert, now)); err != nil {
			return wire.Outcome{}, err
		}
	}
	if err := in.checkTimes(now, n.clock.Trusted(), n.book); err != nil {
		return wire.Outcome{}, err
	}
	if err := checkJoins(board.EntryOf(in.alert, "", now, ""), now, n.book); err != nil {
		return wire.Outcome{}, err
	}
	targets, err := n.targets(&in)
	if err != nil {
		return wire.Outcome{}, err
	}
	right, err := n.rule(in, targets)
	if err != nil {
		return wire.Outcome{}, err
	}
	keep(targets, in.selects(right.Within))
	if in.dryRun {
		return n.preview(ctx, in, targets, right)
	}
	m, progress, err := n.record(ctx, &in, targets, right)
	if err != nil {
		return wire.Outcome{}, err
	}
	if progress == nil {
		return n.usual(in, n.answers.Known(ctx, m, in.wait, in.warnings)), nil
	}
	replication.Await(ctx, progress, in.wait, func() bool { return n.alone.Now().Alone })
	return n.usual(in, n.answers.Recorded(ctx, m, progress, in.wait, in.warnings)), nil
}

// checkTimes refuses a message whose times cannot be meant, and warns its sender of a clock
// or an offset that is wrong.
// trusted says whether now is.
func (in *intake) checkTimes(now time.Time, trusted bool, d *alerts.Book) error {
	return in.judged(in.alert.CheckTimes(now, trusted, func(k alert.Key) bool {
		m, _ := d.First(k, "")
		return m != nil
	}))
}

// checkJoins refuses an Update that would end what is in force or to come, because it joins
// that with an alert that was cancelled: it reads like a correction.
func checkJoins(e board.Entry, now time.Time, d *alerts.Book) error {
	if e.MsgType != alert.MsgTypeUpdate {
		return nil
	}
	if lost := d.Ends(e, now); len(lost) > 0 {
		return wire.Problemf(wire.KindRefused, "nothing was sent: it names an alert that was cancelled beside one that goes on, %s, and both would end; name only what goes on", lost[0].Key)
	}
	return nil
}

// keep keeps targets to a selection, also for those who join later.
func keep(targets []audience.Target, selection string) {
	for i := range targets {
		targets[i].Select = selection
	}
}

// selects is the selection of the message, kept to the places of its author and to that of a
// licence.
func (in *intake) selects(within string) string {
	kept := in.limit
	var own, licensed []string
	if in.alert.MsgType != alert.MsgTypeCancel { // it is for whom its references are for
		own = in.by.Places
	}
	if within != "" {
		licensed = []string{within}
	}
	for _, places := range [][]string{own, licensed} {
		if under, err := authority.Under(places...); err == nil { // no user and no licence has another
			kept = kept.Within(under)
		}
	}
	return kept.String()
}

// written is the message as it would be recorded, and the alerts that it goes on with.
func (in *intake) written(m *alerts.Message) newest.Message {
	return newest.Message{Message: m, Continues: in.continues(), Stamped: in.stamped, Direct: in.direct}
}

// continues lists the keys of the alerts that the message goes on with.
func (in *intake) continues() []alert.Key {
	switch {
	case in.alert.MsgType == alert.MsgTypeUpdate:
		return in.alert.References
	case in.alert.MsgType == alert.MsgTypeAlert && in.scenario.ID != "" && in.incident != "":
		return []alert.Key{alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status)}
	}
	return nil
}

// readLimit reads the selection that narrows the areas; the zero one is no limit.
func readLimit(text string, index *lookup.Index) (audience.Selection, error) {
	if text == "" {
		return audience.Selection{}, nil
	}
	limit, err := audience.Parse(text)
	if err != nil {
		return limit, wire.Problemf(wire.KindMalformed, "the selection cannot be read: %v", err)
	}
	return index.WithSpellings(limit), nil
}

// admit checks what does not change with what is known: whether the caller may speak for
// the sender and name the message, and whether the message says anything that devices can show.
func (n *Node) admit(in *intake) error {
	about := authority.About{Message: authority.Message{Key: in.alert.Key(), MsgType: in.alert.MsgType}, Direct: in.direct, Made: in.made}
	if err := n.rules.Speaks(in.by, about); err != nil {
		return err
	}
	return in.judged(judge.Message(in.alert))
}

// judged refuses what the judgement rejects, and keeps its warnings for the sender.
func (in *intake) judged(found alert.Findings) error {
	if found.Rejected() {
		return judge.Refusal(&alert.RejectError{Findings: found}, found)
	}
	in.warnings = append(in.warnings, judge.Sentences(found)...)
	return nil
}

// targets works out whom each info block addresses. What cannot be read is
// refused, never widened; so is a selection that selects nobody, which is a slip.
func (n *Node) targets(in *intake) ([]audience.Target, error) {
	if !in.limit.IsZero() && in.alert.MsgType != alert.MsgTypeCancel {
		found, err := n.state.Index().Select(in.limit)
		if err != nil {
			return nil, wire.Problemf(wire.KindMalformed, "the selection cannot be answered: %v", err)
		}
		if found.IsEmpty() {
			return nil, wire.Problemf(wire.KindRefused, "nothing was sent: the selection %s selects nobody", in.limit)
		}
	}
	targets, found := judge.Targets(in.alert, in.limit, n.state.Index().KnowsScheme)
	return targets, in.judged(found)
}

// known finds the message when it was taken before. Another content under its key,
// or another selection, is a conflict: the first one stands, and the attempt is put
// on record.
func (n *Node) known(in intake) (*alerts.Message, error) {
	if err := n.incidentIsOver(in); err != nil {
		return nil, err
	}
	if m := n.pressedAlready(in); m != nil {
		return m, nil
	}
	digest := in.alert.Digest().String()
	m, same, err := n.book.Known(in.alert.Key(), digest)
	if err != nil {
		return nil, err
	}
	if m == nil {
		if m, same, err = n.logged(in.alert.Key(), digest); err != nil || m == nil {
			return nil, err
		}
	}
	says, err := m.Brief()
	if err != nil {
		return nil, err
	}
	if same && (in.alert.MsgType == alert.MsgTypeCancel || says.Select == in.selects(says.Issue.Within)) {
		return m, nil
	}
	what := "content"
	if same {
		what = "selection"
	}
	_, id := n.book.Standing(m, n.options.Clock())
	if !in.dryRun {
		n.notes.Refusal(notes.Refused{By: in.by.Name, Key: in.alert.Key().String(), Digest: digest, Selected: in.selected, Alert: id})
	}
	return nil, &wire.Problem{Kind: wire.KindConflict, Alert: string(id), Sentence: fmt.Sprintf(
		"the message %s is known with another %s; this one was refused, the first one stands", in.alert.Key(), what)}
}

// logged finds in the log a message that the book has forgotten: it ran out long ago.
func (n *Node) logged(k alert.Key, digest string) (m *alerts.Message, same bool, err error) {
	s, err := n.stories.Logged(k.ID())
	if err != nil || s == nil {
		return nil, false, err
	}
	for _, other := range slices.Concat(s.Messages, s.Cancels) {
		if other.Entry.Key.Same(k) {
			return other, other.Entry.Digest == digest, nil
		}
	}
	return nil, false, nil
}

// record makes the fact durable on this node. A message that is known already
// gives no new fact: progress is nil.
func (n *Node) record(ctx context.Context, in *intake, targets []audience.Target, right authority.Right) (*alerts.Message, *exchange.Progress, error) {
	if err := n.afford(*in, targets, right, 0, true); err != nil { // before anything of it is written
		return nil, nil, err
	}
	body, large, err := n.recordable(ctx, *in, n.issue(*in, targets, right)) // it may flush 4 MiB: before the lock
	if err != nil {
		return nil, nil, err
	}
	defer large.Done()
	if large != nil {
		in.warnings = append(in.warnings, large.Warnings...)
	}
	m, err := alerts.ReadMessage("", body)
	if err != nil {
		return nil, nil, err
	}
	n.recording.Lock()
	defer n.recording.Unlock()
	if known, err := n.known(*in); known != nil || err != nil { // it may have come in meanwhile
		return known, nil, err
	}
	if err := newest.Check(n.book, in.written(m), n.options.Clock()); err != nil {
		return nil, nil, err
	}
	if err := n.afford(*in, targets, right, len(body), false); err != nil {
		return nil, nil, err
	}
	progress, err := n.exchange.Create(ctx, fact.KindAlert, fact.Alerts, body)
	if err != nil {
		return nil, nil, replication.Unrecorded(err)
	}
	n.progress.Put(progress)
	m.Fact = progress.ID.String()
	m.Entry.Fact = m.Fact
	return m, progress, nil // the book forgets what ran out long ago
}

// issue is what the alert's fact says.
func (n *Node) issue(in intake, targets []audience.Target, right authority.Right) storage.Issue {
	issue := storage.Issue{
		Message: in.raw, Targets: targets, Author: in.by.Name, Reason: in.reason, Incident: in.incident,
		Accepted: n.options.Clock().UnixMilli(), Policy: right.Policy,
		Approvals: right.Approvals, Demand: right.Demand, Scenario: in.scenario.ID, Blanks: in.blanks, Licence: right.Licence, Within: right.Within,
	}
	if right.Alone {
		issue.Alone, issue.PolicyAge = right.Since.UnixMilli(), right.Age.Milliseconds()
	}
	return issue
}

// preview says what record would make of the message, and makes nothing: the message
// is laid on a copy of the book. Whether the journal has room shows only later.
func (n *Node) preview(ctx context.Context, in intake, targets []audience.Target, right authority.Right) (wire.Outcome, error) {
	if err := n.afford(in, targets, right, 0, true); err != nil {
		return wire.Outcome{}, err
	}
	body, large, err := n.recordable(ctx, in, n.issue(in, targets, right))
	if err != nil {
		return wire.Outcome{}, err
	}
	if large != nil {
		in.warnings = append(in.warnings, large.Warnings...)
	}
	if err := n.afford(in, targets, right, len(body), true); err != nil {
		return wire.Outcome{}, err
	}
	m, err := alerts.ReadMessage("", body)
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := newest.Check(n.book, in.written(m), n.options.Clock()); err != nil {
		return wire.Outcome{}, err
	}
	return n.usual(in, n.answers.Expected(ctx, n.book.With(m), m, in.wait, in.warnings)), nil
}
