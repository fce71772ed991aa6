package node_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// One of three is away, and the other is to be removed: the two that would remain could
// not agree on it. Nothing is done by half: its key stays where it was, and the log has
// nothing of it. The absent one can be removed.
func TestRemoveNode_NothingHappensWhereTheRestCouldNotAgree(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	away, other := d.nodes[2].ID(), d.nodes[1].ID()
	d.kill(2)
	_, before := d.audit(0)
	for _, asked := range []int{0, 1} {
		p := problemOf(d, nil, d.client(asked).RemoveNode(d.ctx(), other))
		require.Equal(t, wire.KindRefused, p.Kind)
		require.Contains(t, p.Sentence, away)
		require.Contains(t, p.Sentence, "nothing was changed")
	}
	_, after := d.audit(0)
	require.Equal(t, before, after)
	require.NoError(t, d.client(1).RemoveNode(d.ctx(), away))
}
