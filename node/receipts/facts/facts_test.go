package facts_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/receipts"
	"almenara/node/receipts/facts"
)

var _ receipts.Settler = facts.Settler{}

// A state machine that waits for room on the disk cannot tell what is committed.
func TestCanCommit_NeedsAMajorityAndRoom(t *testing.T) {
	is := func(v bool) func() bool { return func() bool { return v } }
	for _, c := range []struct{ full, quorum, can bool }{{false, true, true}, {true, true, false}, {false, false, false}} {
		require.Equal(t, c.can, facts.Settler{Full: is(c.full), Quorum: is(c.quorum)}.CanCommit())
	}
}
