package raftfix

import (
	"fmt"
	"sync"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/raftlog"
)

// rotten has no entry that can be read.
type rotten struct{ raftlog.Store }

func (rotten) GetLog(index uint64, _ *raft.Log) error {
	return fmt.Errorf("reading entry %d: %w", index, raftlog.ErrDamaged)
}

func TestUnreadable_EndsRaftsGoroutineOnceItRuns(t *testing.T) {
	var running, came bool
	var found error
	log := NewUnreadable(rotten{}, func() bool { return running }, func(err error) { found = err })
	require.ErrorIs(t, log.GetLog(3, &raft.Log{}), raftlog.ErrDamaged, "before raft runs its caller gets the error")
	require.NoError(t, found)

	running = true
	var reader sync.WaitGroup
	reader.Go(func() {
		_ = log.GetLog(4, &raft.Log{})
		came = true
	})
	reader.Wait()
	require.False(t, came, "raft would panic with what comes back")
	require.ErrorContains(t, found, "entry 4")
}
