package replication

import (
	"context"
	"time"

	"almenara/cluster/exchange"
	"almenara/node/inflight"
	"almenara/node/wire"
)

const (
	answerTime = 3 * time.Second        // how long an answer waits for a fact to get further than this node
	aloneTime  = 200 * time.Millisecond // the same on a node that is alone, where nothing can be agreed: others of its half may hold it
)

// Await waits until the fact is as far as the caller wants, the time is over, or ctx ends. alone
// reports whether the node is without a majority.
func Await(ctx context.Context, p *exchange.Progress, wait wire.Wait, alone func() bool) {
	if wait == wire.WaitLocal {
		return
	}
	inflight.Recorded(ctx)
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	soon := time.NewTimer(aloneTime)
	defer soon.Stop()
	for {
		select {
		case <-p.Committed():
			return
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-look.C:
			if k, _ := p.Reached(); wait == wire.WaitHeld && k > 1 {
				return
			}
		case <-soon.C:
			if alone() {
				return
			}
		}
	}
}

// Reach is how far a fact has got.
type Reach struct {
	level  exchange.Level
	by, of int // nodes that have it of all nodes, where it is held
}

// Now is how far a fact has got that is followed.
func Now(p *exchange.Progress) Reach {
	r := Reach{level: p.Level()}
	if r.level == exchange.Held {
		r.by, r.of = p.Reached()
	}
	return r
}

// Wire gives it as answers say it.
func (r Reach) Wire() (_ wire.Replication, by, of int) {
	return [...]wire.Replication{
		exchange.InMemory: wire.ReplicationMemory, exchange.Local: wire.ReplicationLocal, exchange.Held: wire.ReplicationHeld,
		exchange.Committed: wire.ReplicationCommitted,
	}[r.level], r.by, r.of
}
