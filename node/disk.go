package node

import (
	"almenara/cluster/exchange"
	"almenara/cluster/journal"
	"almenara/cluster/marks"
	"almenara/cluster/raftlog"
	"almenara/node/machine"
	"almenara/node/receipts/facts"
	"almenara/storage"
)

// diskParts are the parts of everything that this node has on its disk. What is damaged
// quarantines the node: it warns its devices on, and agrees to nothing any more.
func diskParts(n *Node) []machine.Part {
	quarantine := func(cause marks.Cause) func(string) {
		return func(why string) { n.cluster.QuarantineFor(cause, why) }
	}
	return []machine.Part{
		{Name: "the agreed state", Verify: n.store.Verify, Rotten: storage.ErrDamaged, Damaged: quarantine(marks.CauseState)},
		{Name: "the journal", Verify: n.journal.Verify, Rotten: journal.ErrRotten, Damaged: quarantine(marks.CauseJournal)},
		{Name: "the raft log", Verify: n.cluster.CheckLog, Rotten: raftlog.ErrDamaged, Damaged: quarantine(marks.CauseLog)}, // which says so itself
	}
}

// diskChanged tells raft, once there is one.
func (n *Node) diskChanged(full bool) {
	select {
	case <-n.joined:
		n.cluster.SetFull(full)
	default: // openCluster tells it
	}
}

// settlerOf makes facts of receipts.
func settlerOf(n *Node) facts.Settler {
	return facts.Settler{
		Exchange: func() *exchange.Exchange { return n.exchange }, Journal: func() *journal.Journal { return n.journal },
		Full: n.disk.Full, Quorum: func() bool { return n.cluster.HasQuorum() },
	}
}
