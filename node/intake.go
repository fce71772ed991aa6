package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"almenara/cluster/fact"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
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
	scenario storage.Scenario // that it was made from; the zero one is none
	warnings []string
	wait     api.Wait
	dryRun   bool // say what would be, record nothing
}

// TakeCAP implements api.Alerts.
func (n *Node) TakeCAP(ctx context.Context, by api.Caller, raw []byte, selection string, wait api.Wait) (wire.Outcome, error) {
	return n.takeCAP(ctx, intake{by: by, raw: raw, selected: selection, wait: wait})
}

// PreviewCAP implements api.Alerts: TakeCAP up to the record.
func (n *Node) PreviewCAP(ctx context.Context, by api.Caller, raw []byte, selection string) (wire.Outcome, error) {
	return n.takeCAP(ctx, intake{by: by, raw: raw, selected: selection, dryRun: true})
}

func (n *Node) takeCAP(ctx context.Context, in intake) (wire.Outcome, error) {
	a, findings, err := alert.Parse(in.raw)
	if err != nil {
		return wire.Outcome{}, refusal(err, findings)
	}
	in.alert, in.warnings = a, sentences(findings)
	return n.take(ctx, in)
}

// SendAlert implements api.Alerts: the same path, from the JSON form.
func (n *Node) SendAlert(ctx context.Context, by api.Caller, in wire.SendAlert, wait api.Wait) (wire.Outcome, error) {
	return n.takeJSON(ctx, in, intake{by: by, wait: wait})
}

// PreviewAlert implements api.Alerts: SendAlert up to the record.
func (n *Node) PreviewAlert(ctx context.Context, by api.Caller, in wire.SendAlert) (wire.Outcome, error) {
	return n.takeJSON(ctx, in, intake{by: by, dryRun: true})
}

func (n *Node) takeJSON(ctx context.Context, sent wire.SendAlert, in intake) (wire.Outcome, error) {
	form, err := n.fromScenario(sent, &in)
	if err != nil {
		return wire.Outcome{}, err
	}
	a, findings, err := alert.FromJSON(form, n.senderOf(in.by), newIdentifier(), n.options.Clock().UTC())
	if err != nil {
		return wire.Outcome{}, refusal(err, findings)
	}
	if in.scenario.ID != "" && sent.Incident != "" {
		a.Incidents = []string{sent.Incident}
	}
	raw, err := a.XML()
	if err != nil {
		return wire.Outcome{}, wire.Problemf(wire.KindMalformed, "the alert cannot be written as CAP: %v", err)
	}
	in.alert, in.raw, in.warnings = a, raw, sentences(findings)
	in.selected, in.reason, in.incident = sent.Select, sent.Reason, sent.Incident
	return n.take(ctx, in)
}

// CancelAlert implements api.Alerts: it writes a CAP Cancel for every message of the
// alert that this node knows. One of them would do here, but other nodes may know
// others. A caller that speaks for some senders only speaks for the alert's own.
func (n *Node) CancelAlert(ctx context.Context, by api.Caller, id string, in wire.CancelAlert, wait api.Wait) (wire.Outcome, error) {
	parsed, err := alert.ParseID(id)
	if err != nil {
		return wire.Outcome{}, wire.Problemf(wire.KindMalformed, "%v", err)
	}
	card, ok := n.desk.card(parsed)
	if !ok {
		return wire.Outcome{}, wire.Problemf(wire.KindNotFound, "no alert %s is known here", id)
	}
	keys := cancelled(card.Keys, by)
	a := &alert.Alert{
		Identifier: newIdentifier(), Sender: n.sender(), Sent: alert.NewDateTime(n.options.Clock().UTC()),
		Status: card.Status, MsgType: alert.MsgTypeCancel, Scope: alert.ScopePublic,
		Note: printable(in.Reason), References: keys,
	}
	if len(by.Senders) > 0 {
		a.Sender = keys[len(keys)-1].Sender
	}
	raw, err := a.XML()
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("writing the cancel: %w", err)
	}
	return n.take(ctx, intake{by: by, alert: a, raw: raw, reason: in.Reason, wait: wait})
}

// cancelled is what a Cancel of an alert references: the newest keys, which are ordered
// by sent, and the incident's own, so that it also ends what is still to come of that.
// A caller that speaks for some senders only ends what is known.
func cancelled(keys []alert.Key, by api.Caller) []alert.Key {
	var incident []alert.Key
	if keys[0].Sender == alert.IncidentSender {
		if len(by.Senders) == 0 {
			incident = keys[:1]
		}
		keys = keys[1:]
	}
	newest := keys[max(0, len(keys)-alert.MaxReferences+1):]
	return slices.Concat(incident, newest)
}

// take is the one path of every message: verify, record, and let everything else
// follow from the record.
func (n *Node) take(ctx context.Context, in intake) (wire.Outcome, error) {
	err := n.admit(in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if in.limit, err = limits(in.selected, in.scenario); err != nil {
		return wire.Outcome{}, err
	}
	known, err := n.known(in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if known != nil { // before anything that may have changed since: a repeat is a repeat
		out := n.outcome(known, nil, in.warnings)
		if in.dryRun {
			out.State = wire.StateDryRun
		}
		return out, nil
	}
	targets, err := n.targets(in)
	if err != nil {
		return wire.Outcome{}, err
	}
	right, err := n.rule(in, targets)
	if err != nil {
		return wire.Outcome{}, err
	}
	keep(targets, in.selects(right.within))
	if in.dryRun {
		return n.preview(in, targets, right)
	}
	m, progress, err := n.record(ctx, in, targets, right)
	if err != nil {
		return wire.Outcome{}, err
	}
	if progress != nil {
		n.await(ctx, progress, in.wait)
	}
	return n.usual(in, n.outcome(m, progress, in.warnings)), nil
}

// keep keeps targets to a selection, also for those who join later.
func keep(targets []audience.Target, selection string) {
	for i := range targets {
		targets[i].Select = selection
	}
}

// selects is the selection of the message, kept to the place of a licence.
func (in *intake) selects(within string) string {
	if within == "" {
		return in.limit.String()
	}
	under, err := underPlaces([]string{within})
	if err != nil {
		return in.limit.String() // no licence has such a place
	}
	return in.limit.And(under).String()
}

// readLimit reads the selection that narrows the areas; the zero one is no limit.
func readLimit(text string) (audience.Selection, error) {
	if text == "" {
		return audience.Selection{}, nil
	}
	limit, err := audience.Parse(text)
	if err != nil {
		return limit, wire.Problemf(wire.KindMalformed, "the selection cannot be read: %v", err)
	}
	return limit, nil
}

// admit checks what needs no state: who may say this, and whether it says anything.
func (n *Node) admit(in intake) error {
	if len(in.by.Senders) > 0 && !slices.Contains(in.by.Senders, in.alert.Sender) {
		return wire.Problemf(wire.KindForbidden, "%s may not speak for the CAP sender %s", in.by.Name, in.alert.Sender)
	}
	if err := ownReferences(in); err != nil {
		return err
	}
	switch in.alert.MsgType {
	case alert.MsgTypeAck, alert.MsgTypeError:
		return wire.Problemf(wire.KindRefused, "a CAP %s answers a message and warns nobody; nothing was done", in.alert.MsgType)
	case alert.MsgTypeCancel:
		return nil
	}
	if len(in.alert.Infos) == 0 {
		return wire.Problemf(wire.KindRefused, "the message has no info block, so there is nothing to show and no area")
	}
	return nil
}

// ownReferences keeps a caller that speaks for some senders from updating or
// cancelling the messages of others.
func ownReferences(in intake) error {
	if len(in.by.Senders) == 0 {
		return nil
	}
	for _, ref := range in.alert.References {
		if !slices.Contains(in.by.Senders, ref.Sender) {
			return wire.Problemf(wire.KindForbidden, "%s may not change a message of the CAP sender %s", in.by.Name, ref.Sender)
		}
	}
	return nil
}

// targets works out whom each info block addresses. What cannot be read is
// refused, never widened; so is a selection that selects nobody, which is a slip.
func (n *Node) targets(in intake) ([]audience.Target, error) {
	if in.alert.MsgType == alert.MsgTypeCancel {
		return nil, nil
	}
	if !in.limit.IsZero() {
		found, err := n.state.Index().Select(in.limit)
		if err != nil {
			return nil, wire.Problemf(wire.KindMalformed, "the selection cannot be answered: %v", err)
		}
		if found.IsEmpty() {
			return nil, wire.Problemf(wire.KindRefused, "nothing was sent: the selection %s selects nobody", in.limit)
		}
	}
	var targets []audience.Target
	for _, info := range in.alert.Infos {
		t, err := audience.TargetOf(info, in.alert.Scope, in.alert.Addresses, in.limit, n.state.Index().KnowsScheme)
		if err != nil {
			return nil, wire.Problemf(wire.KindRefused, "nothing was sent: %v", err)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// known finds the message when it was taken before. Another content under its key,
// or another selection, is a conflict: the first one stands, and the attempt is put
// on record.
func (n *Node) known(in intake) (*message, error) {
	if err := n.incidentIsOver(in); err != nil {
		return nil, err
	}
	if m := n.pressedAlready(in); m != nil {
		return m, nil
	}
	digest := in.alert.Digest().String()
	m, same := n.desk.known(in.alert.Key(), digest)
	if m == nil {
		var err error
		if m, same, err = n.logged(in.alert.Key(), digest); err != nil || m == nil {
			return nil, err
		}
	}
	if same && (in.alert.MsgType == alert.MsgTypeCancel || m.selects() == in.selects(m.issue.Within)) {
		return m, nil
	}
	what := "content"
	if same {
		what = "selection"
	}
	_, id := n.desk.standing(m, n.options.Clock())
	if !in.dryRun {
		n.noteRefusal(in, id, digest)
	}
	return nil, &wire.Problem{Kind: wire.KindConflict, Alert: string(id), Sentence: fmt.Sprintf(
		"the message %s is known with another %s; this one was refused, the first one stands", in.alert.Key(), what)}
}

// logged finds in the log a message that the desk has forgotten: it ran out long ago.
func (n *Node) logged(k alert.Key, digest string) (m *message, same bool, err error) {
	view, ok, err := n.state.Alert(k.ID())
	if err != nil || !ok {
		return nil, false, err
	}
	s := loggedStory(view)
	for _, other := range slices.Concat(s.messages, s.cancels) {
		if other.entry.Key.Same(k) {
			return other, other.entry.Digest == digest, nil
		}
	}
	return nil, false, nil
}

// record makes the fact durable on this node. A message that is known already
// gives no new fact: progress is nil.
func (n *Node) record(ctx context.Context, in intake, targets []audience.Target, right ruling) (*message, *fact.Progress, error) {
	n.recording.Lock()
	defer n.recording.Unlock()
	if known, err := n.known(in); known != nil || err != nil { // it may have come in meanwhile
		return known, nil, err
	}
	body, err := n.issue(in, targets, right)
	if err != nil {
		return nil, nil, err
	}
	progress, err := n.exchange.Create(ctx, fact.KindAlert, fact.Alerts, body)
	if err != nil {
		return nil, nil, unrecorded(err)
	}
	n.under.put(progress)
	m, err := readMessage(progress.ID.String(), body) // the desk forgets what ran out long ago
	return m, progress, err
}

// issue writes the body of the alert's fact.
func (n *Node) issue(in intake, targets []audience.Target, right ruling) ([]byte, error) {
	issue := storage.Issue{
		Message: in.raw, Targets: targets, Author: in.by.Name, Reason: in.reason, Incident: in.incident,
		Accepted: n.options.Clock().UnixMilli(), Policy: right.policy,
		Approvals: right.approvals, Scenario: in.scenario.ID, Licence: right.licence, Within: right.within,
	}
	if right.alone {
		issue.Alone, issue.PolicyAge = right.since.UnixMilli(), right.age.Milliseconds()
	}
	body, err := issue.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding the alert: %w", err)
	}
	return body, nil
}

// preview says what record would make of the message, and makes nothing: the message
// is laid on a copy of the desk. Whether the journal has room shows only later.
func (n *Node) preview(in intake, targets []audience.Target, right ruling) (wire.Outcome, error) {
	body, err := n.issue(in, targets, right)
	if err != nil {
		return wire.Outcome{}, err
	}
	if len(body) > fact.MaxBody {
		return wire.Outcome{}, unrecorded(fact.ErrTooLarge)
	}
	m, err := readMessage("", body)
	if err != nil {
		return wire.Outcome{}, err
	}
	return n.usual(in, n.expect(n.desk.with(m), m, wire.StateDryRun, in.warnings)), nil
}

// unrecorded tells the sender why the journal did not take an alert. Nothing of it
// is kept or sent.
func unrecorded(err error) error {
	switch {
	case errors.Is(err, fact.ErrTooLarge):
		return wire.Problemf(wire.KindTooLarge, "the message, its areas and its reason are together larger than %d bytes, the most that the nodes pass on; nothing was sent", fact.MaxBody)
	case errors.Is(err, fact.ErrJournalFull), errors.Is(err, fact.ErrBacklog):
		return wire.Problemf(wire.KindBusy, "too many alerts wait for a majority of the district's nodes; nothing was sent, try again")
	}
	return fmt.Errorf("recording the alert: %w", err)
}

// sender is the CAP sender of messages that this district writes itself.
func (n *Node) sender() string {
	return "almenara." + strings.ToLower(strings.Join(strings.FieldsFunc(n.district().Name, func(r rune) bool {
		return strings.ContainsRune(" ,<&\t\n", r)
	}), "-"))
}

// senderOf is the CAP sender of what a caller writes without naming one: the
// district, or the caller's own where it may speak for some senders only.
func (n *Node) senderOf(by api.Caller) string {
	if len(by.Senders) > 0 {
		return by.Senders[0]
	}
	return n.sender()
}

// printable leaves out what XML cannot hold (XML 1.0 §2.2): a reason typed in haste
// must not keep a cancel from going out.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}

func newIdentifier() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
