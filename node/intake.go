package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/cluster/fact"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

// answerTime is how long an answer waits for a fact to get further than this node.
const answerTime = 3 * time.Second

// intake is one message on its way in: what was sent and who sent it.
type intake struct {
	by       api.Caller
	alert    *alert.Alert
	raw      []byte
	selected string
	reason   string
	incident string
	warnings []string
	wait     api.Wait
}

// TakeCAP implements api.Alerts.
func (n *Node) TakeCAP(ctx context.Context, by api.Caller, raw []byte, selection string, wait api.Wait) (wire.Outcome, error) {
	a, findings, err := alert.Parse(raw)
	if err != nil {
		return wire.Outcome{}, refusal(err, findings)
	}
	return n.take(ctx, intake{by: by, alert: a, raw: raw, selected: selection, warnings: sentences(findings), wait: wait})
}

// SendAlert implements api.Alerts: the same path, from the JSON form.
func (n *Node) SendAlert(ctx context.Context, by api.Caller, in wire.SendAlert, wait api.Wait) (wire.Outcome, error) {
	a, findings, err := alert.FromJSON(in.Alert, n.sender(), newIdentifier(), n.options.Clock().UTC())
	if err != nil {
		return wire.Outcome{}, refusal(err, findings)
	}
	raw, err := a.XML()
	if err != nil {
		return wire.Outcome{}, wire.Problemf(wire.KindMalformed, "the alert cannot be written as CAP: %v", err)
	}
	return n.take(ctx, intake{
		by: by, alert: a, raw: raw, selected: in.Select, reason: in.Reason, incident: in.Incident,
		warnings: sentences(findings), wait: wait,
	})
}

// CancelAlert implements api.Alerts: it writes a CAP Cancel for every message of the
// alert that this node knows.
func (n *Node) CancelAlert(ctx context.Context, by api.Caller, id string, in wire.CancelAlert, wait api.Wait) (wire.Outcome, error) {
	parsed, err := alert.ParseID(id)
	if err != nil {
		return wire.Outcome{}, wire.Problemf(wire.KindMalformed, "%v", err)
	}
	card, ok := n.desk.card(parsed)
	if !ok {
		return wire.Outcome{}, wire.Problemf(wire.KindNotFound, "no alert %s is known here", id)
	}
	now := n.options.Clock()
	a := &alert.Alert{
		Identifier: newIdentifier(), Sender: n.sender(), Sent: alert.NewDateTime(now.UTC()),
		Status: card.Status, MsgType: alert.MsgTypeCancel, Scope: alert.ScopePublic,
		Note: in.Reason, References: card.Keys,
	}
	raw, err := a.XML()
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("writing the cancel: %w", err)
	}
	return n.take(ctx, intake{by: by, alert: a, raw: raw, reason: in.Reason, wait: wait})
}

// take is the one path of every message: verify, record, and let everything else
// follow from the record.
func (n *Node) take(ctx context.Context, in intake) (wire.Outcome, error) {
	if err := n.admit(in); err != nil {
		return wire.Outcome{}, err
	}
	targets, err := n.targets(in)
	if err != nil {
		return wire.Outcome{}, err
	}
	m, progress, err := n.record(ctx, in, targets)
	if err != nil {
		return wire.Outcome{}, err
	}
	if progress != nil {
		n.await(ctx, progress, in.wait)
	}
	return n.outcome(m, progress, in.warnings), nil
}

// admit checks what needs no state: who may say this, and whether it says anything.
func (n *Node) admit(in intake) error {
	if len(in.by.Senders) > 0 && !slices.Contains(in.by.Senders, in.alert.Sender) {
		return wire.Problemf(wire.KindForbidden, "%s may not speak for the CAP sender %s", in.by.Name, in.alert.Sender)
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

// targets works out whom each info block addresses. What cannot be read is
// refused, never widened.
func (n *Node) targets(in intake) ([]audience.Target, error) {
	if in.alert.MsgType == alert.MsgTypeCancel {
		return nil, nil
	}
	var limit audience.Selection
	if in.selected != "" {
		var err error
		if limit, err = audience.Parse(in.selected); err != nil {
			return nil, wire.Problemf(wire.KindMalformed, "the selection cannot be read: %v", err)
		}
	}
	var targets []audience.Target
	for _, info := range in.alert.Infos {
		t, err := audience.TargetOf(info, in.alert.Scope, in.alert.Addresses, limit, n.state.Index().KnowsScheme)
		if err != nil {
			return nil, wire.Problemf(wire.KindRefused, "refused, nothing was sent: %v", err)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// record makes the fact durable on this node. A message that is known already
// gives no new fact: progress is nil.
func (n *Node) record(ctx context.Context, in intake, targets []audience.Target) (*message, *fact.Progress, error) {
	n.recording.Lock()
	defer n.recording.Unlock()
	known, same := n.desk.known(in.alert.Key(), in.alert.Digest().String())
	switch {
	case same:
		return known, nil, nil
	case known != nil:
		_, id := n.desk.standing(known, n.options.Clock())
		return nil, nil, &wire.Problem{Kind: wire.KindConflict, Alert: string(id), Sentence: fmt.Sprintf(
			"the message %s is known with other content; it was refused, the first one stands", in.alert.Key())}
	}
	body, err := storage.Issue{
		Message: in.raw, Targets: targets, Author: in.by.Name, Reason: in.reason, Incident: in.incident,
		Accepted: n.options.Clock().UnixMilli(), Policy: n.state.Applied(),
	}.Encode()
	if err != nil {
		return nil, nil, fmt.Errorf("encoding the alert: %w", err)
	}
	progress, err := n.exchange.Create(ctx, fact.KindAlert, fact.Alerts, body)
	if err != nil {
		return nil, nil, fmt.Errorf("recording the alert: %w", err)
	}
	n.under.put(progress)
	m, ok := n.desk.message(progress.ID.String())
	if !ok {
		return nil, nil, errors.New("the recorded alert is not on the desk")
	}
	return m, progress, nil
}

// await waits until the fact is as far as the caller wants, the time is over, or
// ctx ends.
func (n *Node) await(ctx context.Context, p *fact.Progress, wait api.Wait) {
	if wait == api.WaitLocal {
		return
	}
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-p.Committed():
			return
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-look.C:
			if k, _ := p.Reached(); wait == api.WaitReached && k > 1 {
				return
			}
		}
	}
}

// outcome tells the sender what became of the message.
func (n *Node) outcome(m *message, p *fact.Progress, warnings []string) wire.Outcome {
	standing, id := n.desk.standing(m, n.options.Clock())
	out := wire.Outcome{
		Alert: string(id), Revision: uint64(m.entry.Revision), Key: m.entry.Key.String(),
		Effect: effectOf(standing), Warnings: warnings, State: n.replication(m.fact),
	}
	if p == nil {
		out.Effect = "duplicate"
	} else {
		out.State = p.State()
	}
	if reach, err := n.reach(m); err == nil {
		out.Addressed, out.Unlocated = n.counts(reach.members), reach.unlocated
		out.Connected = n.connectedOf(reach.members)
		if reach.members.IsEmpty() && m.alert.MsgType != alert.MsgTypeCancel {
			out.Warnings = append(out.Warnings, "the area holds no member of this district: nobody is addressed")
		}
	}
	return out
}

func effectOf(s alert.Standing) string {
	switch s {
	case alert.InForce:
		return "in-force"
	case alert.Future:
		return "future"
	case alert.Superseded, alert.Contradicted:
		return "superseded"
	case alert.Cancelled:
		return "cancelled"
	case alert.Expired:
		return "expired"
	case alert.Ends:
		return "ended"
	default:
		return "recorded"
	}
}

// refusal turns the parser's verdict into the caller's problem.
func refusal(err error, findings alert.Findings) error {
	p := wire.Problemf(wire.KindRefused, "refused, nothing was sent: %v", err)
	var rejected *alert.RejectError
	if errors.As(err, &rejected) {
		p.Sentence = "refused, nothing was sent: " + rejected.Findings.Reason()
	}
	p.Details = sentences(findings)
	return p
}

func sentences(findings alert.Findings) []string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s: %s", f.Level, f.Detail))
	}
	return out
}

// sender is the CAP sender of messages that this district writes itself.
func (n *Node) sender() string {
	return "almenara." + strings.ToLower(strings.Join(strings.FieldsFunc(n.district().Name, func(r rune) bool {
		return strings.ContainsRune(" ,<&\t\n", r)
	}), "-"))
}

func newIdentifier() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
