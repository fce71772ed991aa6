package receipts

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// loneSettler keeps every block and commits none, as a node without the others does.
type loneSettler struct{ blocks int }

func (s *loneSettler) Settle(context.Context, []byte) (<-chan struct{}, error) {
	s.blocks++
	return make(chan struct{}), nil
}

func (s *loneSettler) CanCommit() bool { return false }

// Each alert makes a block of its own. A node that was alone waited a quarter of a
// second for every block after the other, so that the PUBACKs of a bad night, with
// its many alerts, came half a minute late.
func TestCollector_AloneDoesNotWaitForEachBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settler := &loneSettler{}
		c := newCollector(settler, func(err error) { t.Error(err) })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); c.Run(ctx) }()
		var rs []receipt.Receipt
		for i := range 100 {
			key := alert.Key{Sender: "a", Identifier: fmt.Sprint(i), Sent: alert.NewDateTime(time.Now())}
			rs = append(rs, receipt.Receipt{Alert: key.ID(), Revision: 1, Member: 7, Rung: receipt.Presented, At: time.Now()})
		}
		begun := time.Now()
		kept := make(chan error, 1)
		c.Take(channels.Endpoint{}, rs, func(err error) { kept <- err })
		require.NoError(t, <-kept)
		require.Equal(t, 100, settler.blocks)
		require.Less(t, time.Since(begun), 2*quorumCheck)
		cancel()
		<-ended
	})
}
