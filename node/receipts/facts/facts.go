// Package facts makes facts of this node of the blocks of receipts, and says how much of the journal
// they fill. It implements receipts.Settler over the exchange. It decides nothing, and never imports
// another part of node but receipts.
package facts

import (
	"context"
	"errors"
	"time"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/node/receipts"
)

// Settler implements receipts.Settler. Its methods may be called from any goroutine; the functions
// are asked at each call, so that they may have nothing to give before the first one.
type Settler struct {
	Exchange func() *exchange.Exchange
	Journal  func() *journal.Journal
	Full     func() bool // the disk is: a state machine that waits for room cannot tell what is committed
	Quorum   func() bool
}

// Settle implements receipts.Settler: one block as a fact of this node.
func (s Settler) Settle(ctx context.Context, block []byte) (<-chan struct{}, error) {
	progress, err := s.Exchange().Create(ctx, fact.KindReceipts, fact.Receipts, block)
	if errors.Is(err, journal.ErrFull) || errors.Is(err, exchange.ErrBacklog) {
		return nil, receipts.ErrBusy
	}
	if err != nil {
		return nil, err
	}
	return progress.Committed(), nil
}

// CanCommit implements receipts.Settler.
func (s Settler) CanCommit() bool { return !s.Full() && s.Quorum() }

// Spool is the part of the journal that holds receipts.
func (s Settler) Spool() receipts.Spool {
	return receipts.Spool{
		Bytes:  func() (int64, int64) { return s.Journal().Usage(fact.Receipts) },
		Blocks: func() (int, int) { return s.Exchange().Backlog() },
		Oldest: func() (time.Time, bool) {
			hlc, any := s.Journal().Oldest(fact.Receipts)
			if !any {
				return time.Time{}, false
			}
			return fact.WallTime(hlc), true
		},
	}
}
