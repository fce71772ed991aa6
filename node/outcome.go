package node

import (
	"context"
	"slices"

	"almenara/cluster/exchange"
	"almenara/cluster/peers"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// outcome tells the sender what became of the message.
func (n *Node) outcome(m *alerts.Message, p *exchange.Progress, warnings []string) wire.Outcome {
	if p != nil {
		return n.expect(n.book, m, replication.Now(p), warnings)
	}
	out := n.expect(n.book, m, n.progress.Of(m.Fact), warnings)
	out.Duplicate = true
	return out
}

// expect says what a message on a book does now, and to whom.
func (n *Node) expect(d *alerts.Book, m *alerts.Message, got replication.Reach, warnings []string) wire.Outcome {
	standing, id := d.Standing(m, n.options.Clock())
	out := wire.Outcome{
		Alert: string(id), Revision: uint64(m.Entry.Revision), Key: m.Entry.Key.String(),
		MsgType: string(m.Entry.MsgType), State: stories.StateOf(standing), Effect: stories.EffectOf(standing, m.Entry), Warnings: warnings,
		Licence: m.Issue.Licence,
	}
	if out.Effect != wire.EffectNone { // otherwise nobody can approve it
		out.Approvals = authority.ApprovalsOut(m.Issue, d.Approvers(m))
	}
	out.Replication, out.HeldBy, out.HeldOf = got.Wire()
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
