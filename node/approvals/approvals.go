// Package approvals takes the word of persons who stand by an alert that waits for it. An approval
// is a fact of this node, so it works without a majority, and it may reach a node before the
// alert does. Whoever cannot reach the node reads out a code, which somebody else types in.
//
//	alert ─> stories ─> the message that waits, as it was read ─> Rules.Check ─> Exchange.Create
//
// Who may approve is authority's. It never imports api, channels or another part of node but
// alerts, authority, outcome, replication, spokencode, stories and wire.
package approvals

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"time"
	"unicode/utf8"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/outcome"
	"almenara/node/replication"
	"almenara/node/spokencode"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
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
	Persons  Persons
	Tell     func(alert.ID) // another person is asked for an approval of it now
	// Understood reports an error while a node of the district does not understand commands of
	// that version.
	Understood func(ctx context.Context, version uint64) error
	Alone      func() bool // there is no majority
	Clock      func() time.Time
	Logger     *slog.Logger
}

// Approvals answers service.Approvals and service.SpokenCodes. Its methods may be called from any goroutine.
type Approvals struct {
	book       *alerts.Book
	stories    *stories.Finder
	rules      *authority.Rules
	exchange   Exchange
	progress   *replication.Facts
	answers    *outcome.Answers
	persons    Persons
	tell       func(alert.ID)
	asked      map[string]turn // by fact, of those who wait; Chase's alone
	guesses    *spokencode.Guesses
	understood func(ctx context.Context, version uint64) error
	alone      func() bool
	clock      func() time.Time
	log        *slog.Logger
}

// New makes one.
func New(o Options) *Approvals {
	return &Approvals{
		book: o.Book, stories: o.Stories, rules: o.Rules, exchange: o.Exchange, progress: o.Progress, answers: o.Answers,
		persons: o.Persons, tell: o.Tell, guesses: spokencode.NewGuesses(o.Clock), understood: o.Understood, alone: o.Alone, clock: o.Clock, log: o.Logger,
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
	if a.hasApproved(m, by.Name) {
		return a.answers.Known(ctx, m, wait, why.Sentences{why.Sayf("%s has approved it before", by.Name).Because(why.ApprovedAgain, by.Name)}), nil
	}
	right, err := a.rules.Check(by, authority.Approve, about(m))
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := a.understood(ctx, approvalVersion); err != nil {
		return wire.Outcome{}, err
	}
	return a.approve(ctx, m, approval{by: by.Name, policy: right.Policy, reason: in.Reason}, wait)
}

// mostReason is how many characters a reason may have.
const mostReason = 500

// approval is who stands by a message, and why. typed and code are of one that was read out.
type approval struct {
	by, reason  string
	policy      uint64 // its version
	typed, code string
}

// approve records the approval.
func (a *Approvals) approve(ctx context.Context, m *alerts.Message, given approval, wait wire.Wait) (wire.Outcome, error) {
	if utf8.RuneCountInString(given.reason) > mostReason {
		return wire.Outcome{}, wire.Problemf(wire.KindMalformed, "nothing was approved: a reason has at most %d characters", mostReason).Because(why.TextLong, mostReason)
	}
	raw, err := hex.DecodeString(m.Fact)
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("reading fact id %q: %w", m.Fact, err)
	}
	body, err := factbody.Approval{
		Fact: raw, Digest: m.Entry.Digest, By: given.by, Policy: given.policy, Reason: given.reason,
		At: a.clock().UnixMilli(), Expires: m.Entry.Expires.UnixMilli(), Typed: given.typed, Code: given.code,
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
		return nil, wire.Problemf(wire.KindConflict, "the alert %s does not say what you have read any more; read it again; nothing was approved", s.ID).Because(why.ChangedSince)
	case i < 0 || len(s.Cancels) > 0:
		return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it is %s", s.ID, a.stories.State(s)).Because(why.WaitsForNone, inWords(a.stories.State(s)))
	}
	m := s.Messages[i]
	now := a.clock()
	standing, _ := a.book.Standing(m, now)
	switch {
	case standing == board.Pending:
		return m.Whole()
	case !now.Before(m.Entry.Expires): // it is in s.Pending
		return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it ran out before it was approved", s.ID).Because(why.WaitsForNone, inWords(wire.StateExpired))
	}
	return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it is %s", s.ID, stories.StateOf(standing)).Because(why.WaitsForNone, inWords(stories.StateOf(standing)))
}

func inWords(s wire.State) why.Words { return why.Words{Of: "state.", Values: []string{string(s)}} }
