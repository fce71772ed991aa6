package node

import (
	"context"
	"slices"
	"time"

	"almenara/cluster/exchange"
	"almenara/cluster/peers"
	"almenara/node/alerts"
	"almenara/node/inflight"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert"
)

const (
	answerTime = 3 * time.Second        // how long an answer waits for a fact to get further than this node
	aloneTime  = 200 * time.Millisecond // the same on a node that is alone, where nothing can be agreed: others of its half may hold it
)

// await waits until the fact is as far as the caller wants, the time is over, or
// ctx ends.
func (n *Node) await(ctx context.Context, p *exchange.Progress, wait wire.Wait) {
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
			if n.alone.Now().Alone {
				return
			}
		}
	}
}

// outcome tells the sender what became of the message.
func (n *Node) outcome(m *alerts.Message, p *exchange.Progress, warnings []string) wire.Outcome {
	if p != nil {
		return n.expect(n.book, m, replicationOf(p), warnings)
	}
	out := n.expect(n.book, m, n.replication(m.Fact), warnings)
	out.Duplicate = true
	return out
}

// replication is how far a fact has got.
type replication struct {
	level  exchange.Level
	by, of int // nodes that have it of all nodes, where it is held
}

func replicationOf(p *exchange.Progress) replication {
	r := replication{level: p.Level()}
	if r.level == exchange.Held {
		r.by, r.of = p.Reached()
	}
	return r
}

// wire gives it as answers say it.
func (r replication) wire() (_ wire.Replication, by, of int) {
	return [...]wire.Replication{
		exchange.InMemory: wire.ReplicationMemory, exchange.Local: wire.ReplicationLocal, exchange.Held: wire.ReplicationHeld,
		exchange.Committed: wire.ReplicationCommitted,
	}[r.level], r.by, r.of
}

// expect says what a message on a book does now, and to whom.
func (n *Node) expect(d *alerts.Book, m *alerts.Message, got replication, warnings []string) wire.Outcome {
	standing, id := d.Standing(m, n.options.Clock())
	out := wire.Outcome{
		Alert: string(id), Revision: uint64(m.Entry.Revision), Key: m.Entry.Key.String(),
		MsgType: string(m.Entry.MsgType), State: stories.StateOf(standing), Effect: stories.EffectOf(standing, m.Entry), Warnings: warnings,
		Licence: m.Issue.Licence,
	}
	if out.Effect != wire.EffectNone { // otherwise nobody can approve it
		out.Approvals = approvalsOut(m.Issue, d.Approvers(m))
	}
	out.Replication, out.HeldBy, out.HeldOf = got.wire()
	if reach, err := n.addressed.Now(m); err == nil {
		out.Addressed, out.Unlocated = n.members.Counts(reach.Members), reach.Unlocated
		out.Connected = n.connectedOf(reach.Members)
		if reach.Members.IsEmpty() && m.Entry.MsgType != alert.MsgTypeCancel {
			out.Warnings = append(out.Warnings, "the area holds no member of this district: nobody is addressed")
		}
	}
	return out
}

// withReachable adds to an answer how many of those addressed can be reached in the district,
// where anybody is or will be warned. Who does not wait for others is told what is known here,
// and a node that is alone asks nobody.
func withReachable(ctx context.Context, n *Node, m *alerts.Message, wait wire.Wait, out wire.Outcome) wire.Outcome {
	if !slices.Contains([]wire.Effect{wire.EffectWarns, wire.EffectLater, wire.EffectWaits}, out.Effect) {
		return out
	}
	reach, err := n.addressed.Now(m)
	if err != nil {
		return out
	}
	var reachable func(string) bool
	if wait != wire.WaitLocal && !n.alone.Now().Alone {
		servers := n.cluster.Status().Peers
		reachable = func(id string) bool {
			return slices.ContainsFunc(servers, func(p peers.Peer) bool { return p.ID == id && p.Reachable })
		}
	}
	inflight.Waits(ctx)
	connected, silent := n.whereabouts.Connected(ctx, reach.Members, reachable)
	count := connected.GetCardinality()
	out.Reachable, out.Unanswered = &count, silent
	return out
}

// onlyAsked is the outcome of what was not recorded.
func onlyAsked(out wire.Outcome) wire.Outcome {
	out.DryRun, out.Replication, out.HeldBy, out.HeldOf = true, "", 0, 0
	return out
}
