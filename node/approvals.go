package node

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/api"
	"almenara/node/authority"
	"almenara/node/events"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert/board"
)

// approvalVersion is the command version that an approval needs.
const approvalVersion = 2

// ApproveAlert implements api.Approvals: the approval is a fact of this node, so it
// works without quorum, and it may reach a node before the alert does.
func (n *Node) ApproveAlert(ctx context.Context, by api.Caller, id string, in wire.Approve, wait wire.Wait) (wire.Outcome, error) {
	s, err := n.stories.Find(id)
	if err != nil {
		return wire.Outcome{}, err
	}
	m, err := n.approvable(s, in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if slices.ContainsFunc(n.book.Approvers(m), func(a board.Approval) bool { return a.By == by.Name }) {
		return withReachable(ctx, n, m, wait, n.outcome(m, nil, []string{by.Name + " has approved it before"})), nil
	}
	right, err := n.rules.Check(by, authority.Approve, authority.About{Message: weighed(m)})
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := n.proposer.Understood(ctx, approvalVersion); err != nil {
		return wire.Outcome{}, err
	}
	return n.approve(ctx, by, m, right.Policy, in.Reason, wait)
}

// approve records the approval.
func (n *Node) approve(ctx context.Context, by api.Caller, m *alerts.Message, version uint64, reason string, wait wire.Wait) (wire.Outcome, error) {
	raw, err := hex.DecodeString(m.Fact)
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("reading fact id %q: %w", m.Fact, err)
	}
	body, err := storage.Approval{
		Fact: raw, Digest: m.Entry.Digest, By: by.Name, Policy: version, Reason: reason,
		At: n.options.Clock().UnixMilli(), Expires: m.Entry.Expires.UnixMilli(),
	}.Encode()
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("encoding the approval: %w", err)
	}
	progress, err := n.exchange.Create(ctx, fact.KindApproval, fact.Alerts, body)
	if err != nil {
		return wire.Outcome{}, unrecorded(err)
	}
	n.progress.Put(progress)
	replication.Await(ctx, progress, wait, func() bool { return n.alone.Now().Alone })
	return withReachable(ctx, n, m, wait, n.expect(n.book, m, replication.Now(progress), nil)), nil
}

// approvable is the message of the alert that waits for approvals, as the caller has
// read it.
func (n *Node) approvable(s *stories.Story, in wire.Approve) (*alerts.Message, error) {
	i := slices.IndexFunc(s.Messages, func(m *alerts.Message) bool {
		return slices.Contains(s.Pending, m.Fact) && (in.Digest == "" || m.Entry.Digest == in.Digest)
	})
	switch {
	case i < 0 && in.Digest != "" && len(s.Pending) > 0:
		return nil, wire.Problemf(wire.KindConflict, "the alert %s does not say what you have read any more; read it again; nothing was approved", s.ID)
	case i < 0 || len(s.Cancels) > 0:
		return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it is %s", s.ID, n.stories.State(s))
	}
	m := s.Messages[i]
	now := n.options.Clock()
	standing, _ := n.book.Standing(m, now)
	switch {
	case standing == board.Pending:
		return m.Whole()
	case !now.Before(m.Entry.Expires): // it is in s.Pending
		return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it ran out before it was approved", s.ID)
	}
	return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it is %s", s.ID, stories.StateOf(standing))
}

// learnApproval lays an approval on the book, also before its alert.
func (n *Node) learnApproval(f fact.Fact, signed fact.Signed) {
	a, err := storage.DecodeApproval(f.Body)
	if err != nil {
		n.log.Error("an approval fact cannot be read", "fact", signed.ID().String(), "origin", f.Origin, "error", err)
		return
	}
	n.book.Approve(a.OnBoard())
	n.budget.Approved()
	n.toPresent.Set()
	if m := n.book.Message(hex.EncodeToString(a.Fact)); m != nil {
		_, of := n.book.Standing(m, n.options.Clock())
		n.events.Touch(of, events.Alert)
	}
}
