package approvals_test

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/peers"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/alone"
	"almenara/node/approvals"
	"almenara/node/authority"
	"almenara/node/members"
	"almenara/node/outcome"
	"almenara/node/records/recordstest"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/rights"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

const (
	here  = "d/here"
	there = "d/there"
)

// court is a district with two members in each of two places, and as much of a node as takes
// approvals.
type court struct {
	*approvals.Approvals
	book  *alerts.Book
	link  alone.State // of the node to the majority
	old   error       // why an approval is not understood everywhere
	asked []uint64    // versions that were asked for
	told  []alert.ID  // of whom somebody else is asked now
	users []storage.User
	now   time.Time // noon where it is zero
	persons
	facts [][]byte // that were made
}

// clock is noon, or what a test says.
func (c *court) clock() time.Time {
	if c.now.IsZero() {
		return noon
	}
	return c.now
}

// Create implements approvals.Exchange.
func (c *court) Create(_ context.Context, _ fact.Kind, _ fact.Stream, body []byte) (*exchange.Progress, error) {
	c.facts = append(c.facts, body)
	return &exchange.Progress{ID: fact.ID{byte(len(c.facts))}}, nil
}

func newCourt(t *testing.T, policy rights.Policy) *court {
	t.Helper()
	log := recordstest.New(t, clock)
	var raw [][]byte
	for _, place := range []string{here, there} {
		for _, number := range []string{"1", "2"} {
			raw = append(raw, audience.EncodeMember(&audience.Member{ID: place[2:] + number, Kind: audience.KindScreen, Place: audience.Path(place)}))
		}
	}
	for _, what := range []command.Payload{&command.PutMembers{Members: raw}, &command.PutPolicy{Policy: policy}} {
		_, err := log.Propose(t.Context(), "chief", what)
		require.NoError(t, err)
	}
	c := &court{book: alerts.NewBook(nil), persons: persons{}}
	f := stories.New(c.book, log.State, c.clock)
	progress := replication.New(f.Agreed)
	answers := outcome.New(outcome.Options{
		Book: c.book, Addressed: addressed.New(log.State, f), Members: members.New(log.State.Index, log.Store), Progress: progress,
		Connected: nobody{}, Here: func(*roaring.Bitmap) int { return 0 }, Peers: func() []peers.Peer { return nil },
		Alone: func() bool { return c.link.Alone }, Clock: clock,
	})
	rules := authority.New(authority.Sources{
		Agreed: log.State.Authority, Audience: log.State.Index, Clock: clock, Sender: func() string { return "almenara.d" },
		Users:  func() ([]storage.User, error) { return c.users, nil },
		Alone:  func() authority.Loneliness { return authority.Loneliness(c.link) },
		Recent: func(string, alert.Status, time.Time) []authority.Message { return nil },
		Heard:  func(string, string) bool { return false },
	})
	c.Approvals = approvals.New(approvals.Options{
		Book: c.book, Stories: f, Rules: rules, Exchange: c, Progress: progress, Answers: answers,
		Persons: c.persons, Tell: func(id alert.ID) { c.told = append(c.told, id) }, Logger: slog.New(slog.DiscardHandler), Clock: c.clock, Alone: func() bool { return c.link.Alone },
		Understood: func(_ context.Context, version uint64) error { c.asked = append(c.asked, version); return c.old },
	})
	return c
}

// nobody has a device connected.
type nobody struct{}

func (nobody) Connected(context.Context, *roaring.Bitmap, func(string) bool) (*roaring.Bitmap, []string) {
	return roaring.New(), nil
}

// isolate makes the node alone, with a policy of that age; a negative one is that it never had
// quorum.
func (c *court) isolate(age time.Duration) {
	c.link = alone.State{Alone: true, Since: noon.Add(-time.Minute), Age: max(age, -1)}
}

// to addresses every member of a place.
func to(t *testing.T, place string) []audience.Target {
	t.Helper()
	s, err := authority.Under(place)
	require.NoError(t, err)
	return []audience.Target{{Select: s.String()}}
}

// lay puts a message on the book, as the fact with this name.
func (c *court) lay(t *testing.T, fact string, a *alert.Alert, i factbody.Issue) {
	t.Helper()
	id := hex.EncodeToString([]byte(fact))
	i.Accepted = noon.Add(-time.Minute).UnixMilli()
	_, fresh := c.book.Add(&alerts.Message{Fact: id, Issue: i, Alert: a, Entry: i.Entry(a, a.Digest().String(), id)})
	require.True(t, fresh)
}

// saying is a message that was sent ten minutes before noon.
func saying(name string, infos ...alert.Info) *alert.Alert {
	return &alert.Alert{
		Identifier: name, Sender: "almenara.d", Sent: alert.NewDateTime(noon.Add(-10 * time.Minute)),
		Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: infos,
	}
}

// TestApproval says who may approve what, and when.
func TestApproval(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(c *court, by *authority.Caller, in *wire.Approve)
		policy  rights.Policy
		kind    string
		refused string
	}{
		"an approver":   {change: func(*court, *authority.Caller, *wire.Approve) {}},
		"what was read": {change: func(c *court, _ *authority.Caller, in *wire.Approve) { in.Digest = c.heldMessage().Entry.Digest }},
		"an administrator": {change: func(_ *court, by *authority.Caller, _ *wire.Approve) {
			by.Roles = []string{authority.RoleAdministrator}
		}},
		"in that place":          {change: func(_ *court, by *authority.Caller, _ *wire.Approve) { by.Places = []string{"d"} }},
		"alone":                  {change: func(c *court, _ *authority.Caller, _ *wire.Approve) { c.isolate(alone.StaleAfter) }},
		"a composer":             {change: func(_ *court, by *authority.Caller, _ *wire.Approve) { by.Roles = []string{authority.RoleComposer} }, kind: wire.KindForbidden, refused: "bob is none of these"},
		"nobody":                 {change: func(_ *court, by *authority.Caller, _ *wire.Approve) { by.Roles = nil }, kind: wire.KindForbidden, refused: "which bob does not have"},
		"a central system":       {change: func(_ *court, by *authority.Caller, _ *wire.Approve) { by.System = true }, kind: wire.KindForbidden, refused: "only a person can approve"},
		"of another sender":      {change: func(_ *court, by *authority.Caller, _ *wire.Approve) { by.Senders = []string{"hko"} }, kind: wire.KindForbidden, refused: "may not approve a message of the CAP sender almenara.d"},
		"a role of the policy":   {policy: rights.Policy{Approvers: []string{authority.RoleComposer}}, change: func(_ *court, by *authority.Caller, _ *wire.Approve) { by.Roles = []string{authority.RoleComposer} }},
		"not one of its":         {policy: rights.Policy{Approvers: []string{authority.RoleComposer}}, change: func(*court, *authority.Caller, *wire.Approve) {}, kind: wire.KindForbidden, refused: "bob is none of these"},
		"of another place":       {change: func(_ *court, by *authority.Caller, _ *wire.Approve) { by.Places = []string{there} }, kind: wire.KindForbidden, refused: "2 members outside d/there"},
		"the author":             {change: func(_ *court, by *authority.Caller, _ *wire.Approve) { by.Name = "amy" }, kind: wire.KindForbidden, refused: "somebody else must approve"},
		"something else":         {change: func(_ *court, _ *authority.Caller, in *wire.Approve) { in.Digest = "another" }, kind: wire.KindConflict, refused: "read it again"},
		"alone by an old one":    {change: func(c *court, _ *authority.Caller, _ *wire.Approve) { c.isolate(alone.StaleAfter + 1) }, kind: wire.KindRefused, refused: "older than 72 hours"},
		"alone, and never any":   {change: func(c *court, _ *authority.Caller, _ *wire.Approve) { c.isolate(-1) }, kind: wire.KindRefused, refused: "older than 72 hours"},
		"what is in force":       {change: func(c *court, _ *authority.Caller, _ *wire.Approve) { c.approveBy("carol") }, kind: wire.KindRefused, refused: "waits for no approval; it is in-force"},
		"what was withdrawn":     {change: func(c *court, _ *authority.Caller, _ *wire.Approve) { c.withdraw(t) }, kind: wire.KindRefused, refused: "waits for no approval; it is cancelled"},
		"after the author's own": {change: func(c *court, _ *authority.Caller, _ *wire.Approve) { c.approveBy("amy") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			court := newCourt(t, c.policy)
			held := saying("held", alert.Info{
				Event: "Fire", Severity: "Extreme", Urgency: "Immediate", Certainty: "Observed", Expires: alert.NewDateTime(noon.Add(time.Hour)),
			})
			court.lay(t, "held", held, factbody.Issue{Targets: to(t, here), Author: "amy", Approvals: 1})
			by, in := authority.Caller{Name: "bob", Roles: []string{authority.RoleApprover}}, wire.Approve{}
			c.change(court, &by, &in)
			out, err := court.ApproveAlert(t.Context(), by, string(held.Key().ID()), in, wire.WaitLocal)
			if c.refused == "" {
				require.NoError(t, err)
				require.Equal(t, wire.StatePending, out.State, "it is laid on the book when the fact is learnt")
				require.Len(t, court.facts, 1)
				given, err := factbody.DecodeApproval(court.facts[0])
				require.NoError(t, err)
				require.Equal(t, []any{by.Name, court.heldMessage().Entry.Digest}, []any{given.By, given.Digest})
				return
			}
			require.Empty(t, court.facts)
			var problem *wire.Problem
			require.ErrorAs(t, err, &problem)
			require.Equal(t, c.kind, problem.Kind)
			require.Contains(t, problem.Sentence, c.refused)
		})
	}
}

// heldMessage is the one message of the book that waits.
func (c *court) heldMessage() *alerts.Message {
	return c.book.Message(hex.EncodeToString([]byte("held")))
}

func (c *court) approveBy(name string) {
	m := c.heldMessage()
	c.book.Approve(board.Approval{Fact: m.Fact, Digest: m.Entry.Digest, By: name, At: noon, Expires: m.Entry.Expires})
}

func (c *court) withdraw(t *testing.T) {
	stop := saying("stop")
	stop.MsgType, stop.References = alert.MsgTypeCancel, []alert.Key{c.heldMessage().Entry.Key}
	c.lay(t, "stop", stop, factbody.Issue{Approvals: 3, Author: "amy"})
}

func TestApproval_WaitsUntilAllUnderstandIt(t *testing.T) {
	court := newCourt(t, rights.Policy{})
	held := saying("held", alert.Info{Event: "Fire", Expires: alert.NewDateTime(noon.Add(time.Hour))})
	court.lay(t, "held", held, factbody.Issue{Targets: to(t, here), Author: "amy", Approvals: 2})
	by := authority.Caller{Name: "bob", Roles: []string{authority.RoleApprover}}
	court.old = errors.New("one node is old")
	_, err := court.ApproveAlert(t.Context(), by, string(held.Key().ID()), wire.Approve{}, wire.WaitLocal)
	require.ErrorIs(t, err, court.old)
	require.Empty(t, court.facts)
	court.old = nil
	court.approveBy("bob")
	out, err := court.ApproveAlert(t.Context(), by, string(held.Key().ID()), wire.Approve{}, wire.WaitLocal)
	require.NoError(t, err)
	require.True(t, out.Duplicate)
	require.Equal(t, []string{"bob has approved it before"}, out.Warnings.Texts())
	require.Empty(t, court.facts, "once is enough")
}
