package node

import (
	"context"
	"errors"
	"time"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/node/receipts"
	"almenara/storage"
)

// settler makes facts of this node of the blocks of receipts. It implements
// receipts.Settler.
type settler struct{ n *Node }

// Settle implements receipts.Settler: one block as a fact of this node.
func (s settler) Settle(ctx context.Context, block []byte) (<-chan struct{}, error) {
	progress, err := s.n.exchange.Create(ctx, fact.KindReceipts, fact.Receipts, block)
	if errors.Is(err, journal.ErrFull) || errors.Is(err, exchange.ErrBacklog) {
		return nil, receipts.ErrBusy
	}
	if err != nil {
		return nil, err
	}
	return progress.Committed(), nil
}

// CanCommit implements receipts.Settler. A state machine that waits for room on the disk
// cannot tell what is committed.
func (s settler) CanCommit() bool { return !s.n.disk.Full() && s.n.cluster.HasQuorum() }

// spoolOf is the part of the journal that holds receipts.
func spoolOf(n *Node) receipts.Spool {
	return receipts.Spool{
		Bytes:  func() (int64, int64) { return n.journal.Usage(fact.Receipts) },
		Blocks: func() (int, int) { return n.exchange.Backlog() },
		Oldest: func() (time.Time, bool) {
			hlc, any := n.journal.Oldest(fact.Receipts)
			if !any {
				return time.Time{}, false
			}
			return fact.WallTime(hlc), true
		},
	}
}

// recordAlone makes the fact of an outage that has ended.
func recordAlone(ctx context.Context, n *Node, a storage.Alone) error {
	body, err := a.Encode()
	if err != nil {
		return err
	}
	_, err = n.exchange.Create(ctx, fact.KindAlone, fact.Alerts, body)
	if err == nil {
		n.log.Warn("this node was without a majority", "from", time.UnixMilli(a.From).UTC(), "to", time.UnixMilli(a.To).UTC())
	}
	return err
}
