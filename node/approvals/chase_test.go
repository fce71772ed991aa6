package approvals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/approvals"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// An alert that nobody approves asks one after the other, and says so at each turn, once.
func TestChase_NamesTheNextInLine(t *testing.T) {
	c, id := newSpoken(t)
	c.users = []storage.User{
		{Name: "amy", Roles: []string{authority.RoleApprover}}, // wrote it
		{Name: "root", Roles: []string{authority.RoleAdministrator}},
		{Name: "zoe", Roles: []string{authority.RoleApprover}},
		{Name: "bob", Roles: []string{authority.RoleApprover}},
		{Name: "eve", Roles: []string{authority.RoleApprover}, Places: []string{there}},
		{Name: "gone", Roles: []string{authority.RoleApprover}, Revoked: true},
		{Name: "cat", Roles: []string{authority.RoleViewer}},
		{Name: "hko", Roles: []string{authority.RoleComposer}, Senders: []string{"hko"}, Kind: storage.UserSystem},
	}
	m := c.heldMessage()
	at := func(after time.Duration) *wire.Approvals {
		c.now = m.Entry.Accepted.Add(after)
		require.NoError(t, c.Chase(t.Context()))
		given := c.book.Approvers(m)
		out, err := c.Asked(m, given)
		require.NoError(t, err)
		return out
	}
	first := at(0)
	require.Equal(t, []string{"bob", "zoe", "root"}, first.MayApprove, "approvers first, administrators last; nobody who may not")
	require.Equal(t, []any{"bob", 0, m.Entry.Accepted.Add(approvals.TurnTime)}, []any{first.Next, first.Missed, first.NextUntil})
	require.Empty(t, c.told, "the first one is asked by the alert itself")

	require.Equal(t, "bob", at(approvals.TurnTime-time.Second).Next)
	require.Empty(t, c.told)
	second := at(approvals.TurnTime)
	require.Equal(t, []any{"zoe", 1}, []any{second.Next, second.Missed})
	require.Equal(t, []alert.ID{alert.ID(id)}, c.told)
	at(approvals.TurnTime + time.Minute)
	require.Len(t, c.told, 1, "once")
	require.Equal(t, "root", at(2*approvals.TurnTime).Next)
	require.Equal(t, "bob", at(3*approvals.TurnTime).Next, "it begins again")
	require.Len(t, c.told, 3)

	c.approveBy("bob") // at noon, a minute after it was accepted
	next := at(10 * time.Minute)
	require.Equal(t, []string{"zoe", "root"}, next.MayApprove)
	require.Equal(t, []any{"root", 1}, []any{next.Next, next.Missed}, "the time of the next ones begins with the approval")
	late := at(59 * time.Minute)
	require.Equal(t, m.Entry.Expires, late.NextUntil, "nobody is asked for longer than it holds")
	c.approveBy("zoe")
	require.Empty(t, at(20*time.Minute).Next, "enough have approved it")
	require.Empty(t, at(2*time.Hour).MayApprove)
}

// A node whose clock is ahead by hours says when somebody approved: the others are asked all the same.
func TestChase_GoesOnAfterAnApprovalOfTonight(t *testing.T) {
	c, _ := newSpoken(t)
	c.users = []storage.User{{Name: "zoe", Roles: []string{authority.RoleApprover}}, {Name: "bob", Roles: []string{authority.RoleApprover}}, {Name: "eve", Roles: []string{authority.RoleApprover}}}
	m := c.heldMessage()
	c.now = m.Entry.Accepted.Add(7 * time.Minute)
	given := []board.Approval{{Fact: m.Fact, By: "bob", At: c.now.Add(5 * time.Hour)}}
	out, err := c.Asked(m, given)
	require.NoError(t, err)
	require.Equal(t, []any{"zoe", 1, m.Entry.Accepted.Add(10 * time.Minute)}, []any{out.Next, out.Missed, out.NextUntil})
	given[0].At = c.now.Add(30 * time.Second) // clocks differ by so much
	out, err = c.Asked(m, given)
	require.NoError(t, err)
	require.Equal(t, []any{"eve", 0}, []any{out.Next, out.Missed})
}
