// Package approvals takes the word of persons who stand by an alert that waits for it. An approval
// is a fact of this node, so it works without a majority, and it may reach a node before the
// alert does.
//
//	alert ─> stories ─> the message that waits, as it was read ─> Rules.Check ─> Exchange.Create
//
// Who may approve is authority's. It never imports api, channels or another part of node but
// alerts, authority, outcome, replication, stories and wire.
package approvals

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/outcome"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
)

// Exchange makes facts; *exchange.Exchange is one.
type Exchange interface {
	Create(ctx context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error)
}

// Options say what Approvals need. None may be nil.
type Options struct {
	Book     *alerts.Book
	Stories  *stories.Finder
	Rules    *authority.Rules
	Exchange Exchange
	Progress *replication.Facts
	Answers  *outcome.Answers
	// Understood reports an error while a node of the district does not understand commands of
	// that version.
	Understood func(ctx context.Context, version uint64) error
	Alone      func() bool // there is no majority
	Clock      func() time.Time
}

// Approvals answers service.Approvals. Its methods may be called from any goroutine.
type Approvals struct {
	book       *alerts.Book
	stories    *stories.Finder
	rules      *authority.Rules
	exchange   Exchange
	progress   *replication.Facts
	answers    *outcome.Answers
	understood func(ctx context.Context, version uint64) error
	alone      func() bool
	clock      func() time.Time
}

// New makes one.
func New(o Options) *Approvals {
	return &Approvals{
		book: o.Book, stories: o.Stories, rules: o.Rules, exchange: o.Exchange, progress: o.Progress, answers: o.Answers,
		understood: o.Understood, alone: o.Alone, clock: o.Clock,
	}
}

// approvalVersion is the command version that an approval needs.
const approvalVersion = 2

// ApproveAlert implements service.Approvals: the approval is a fact of this node, so it
// works without quorum, and it may reach a node before the alert does.
func (a *Approvals) ApproveAlert(ctx context.Context, by authority.Caller, id string, in wire.Approve, wait wire.Wait) (wire.Outcome, error) {
	s, err := a.stories.Find(id)
	if err != nil {
		return wire.Outcome{}, err
	}
	m, err := a.approvable(s, in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if slices.ContainsFunc(a.book.Approvers(m), func(given board.Approval) bool { return given.By == by.Name }) {
		return a.answers.Known(ctx, m, wait, []string{by.Name + " has approved it before"}), nil
	}
	right, err := a.rules.Check(by, authority.Approve, authority.About{Message: authority.Message{
		Key: m.Entry.Key, MsgType: m.Entry.MsgType, Status: m.Entry.Status, Author: m.Entry.Author, Targets: m.Targets,
	}})
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := a.understood(ctx, approvalVersion); err != nil {
		return wire.Outcome{}, err
	}
	return a.approve(ctx, by, m, right.Policy, in.Reason, wait)
}

// approve records the approval.
func (a *Approvals) approve(ctx context.Context, by authority.Caller, m *alerts.Message, version uint64, reason string, wait wire.Wait) (wire.Outcome, error) {
	raw, err := hex.DecodeString(m.Fact)
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("reading fact id %q: %w", m.Fact, err)
	}
	body, err := factbody.Approval{
		Fact: raw, Digest: m.Entry.Digest, By: by.Name, Policy: version, Reason: reason,
		At: a.clock().UnixMilli(), Expires: m.Entry.Expires.UnixMilli(),
	}.Encode()
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("encoding the approval: %w", err)
	}
	progress, err := a.exchange.Create(ctx, fact.KindApproval, fact.Alerts, body)
	if err != nil {
		return wire.Outcome{}, replication.Unrecorded(err)
	}
	a.progress.Put(progress)
	replication.Await(ctx, progress, wait, a.alone)
	return a.answers.Recorded(ctx, m, progress, wait, nil), nil
}

// approvable is the message of the alert that waits for approvals, as the caller has
// read it.
func (a *Approvals) approvable(s *stories.Story, in wire.Approve) (*alerts.Message, error) {
	i := slices.IndexFunc(s.Messages, func(m *alerts.Message) bool {
		return slices.Contains(s.Pending, m.Fact) && (in.Digest == "" || m.Entry.Digest == in.Digest)
	})
	switch {
	case i < 0 && in.Digest != "" && len(s.Pending) > 0:
		return nil, wire.Problemf(wire.KindConflict, "the alert %s does not say what you have read any more; read it again; nothing was approved", s.ID)
	case i < 0 || len(s.Cancels) > 0:
		return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it is %s", s.ID, a.stories.State(s))
	}
	m := s.Messages[i]
	now := a.clock()
	standing, _ := a.book.Standing(m, now)
	switch {
	case standing == board.Pending:
		return m.Whole()
	case !now.Before(m.Entry.Expires): // it is in s.Pending
		return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it ran out before it was approved", s.ID)
	}
	return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it is %s", s.ID, stories.StateOf(standing))
}
