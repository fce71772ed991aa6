package node_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
)

// TestJoin_ANodeThatNeverStartsBlocksNothing: it said what it understands when it was
// admitted, to whichever node, and that is on record everywhere.
func TestJoin_ANodeThatNeverStartsBlocksNothing(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	for i := range 2 { // by the leader and by the other
		invited := agreed(d, func() (wire.Invited, error) { return d.client(i).Invite(d.ctx(), wire.Invite{}) })
		o := d.options()
		o.Name = "absent"
		require.NoError(t, node.Join(d.ctx(), o, invited.Token))
		for j := range 2 {
			agreed(d, func() (struct{}, error) {
				return struct{}{}, d.client(j).PutPolicy(d.ctx(), wire.Policy{Rules: []wire.PolicyRule{{Severity: "Extreme", Approvals: i + j + 1}}})
			})
		}
	}
	s, err := d.nodes[0].Services().Status.Status(d.ctx(), false)
	require.NoError(t, err)
	absent := 0
	for _, n := range s.Nodes {
		if n.NeverSeen {
			absent++
			require.NotZero(t, n.CommandVersion)
		}
	}
	require.Equal(t, 2, absent)
	require.Contains(t, d.board(0), "admitted, never seen")
}

// TestJoin_WhoWasNeverSeenIsNamedSo: software of before says nothing when it joins.
func TestJoin_WhoWasNeverSeenIsNamedSo(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	invited := agreed(d, func() (wire.Invited, error) { return d.client(0).Invite(d.ctx(), wire.Invite{}) })
	o := d.options()
	o.CommandVersion = 1
	require.NoError(t, node.Join(d.ctx(), o, invited.Token))
	err := d.client(0).PutPolicy(d.ctx(), wire.Policy{Rules: []wire.PolicyRule{{Severity: "Extreme", Approvals: 1}}})
	require.ErrorContains(t, err, "admitted and never seen: start it, or remove it")
}
