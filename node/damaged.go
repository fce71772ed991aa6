package node

import (
	"context"
	"errors"

	"almenara/cluster/journal"
	"almenara/cluster/marks"
	"almenara/cluster/raftlog"
	"almenara/node/folder"
	"almenara/node/machine"
	"almenara/storage"
)

// checkState reads the whole state before anything of it is believed: Badger takes a
// damaged block for absent records. A damaged one leaves the mark of quarantine: the node
// must not come back under its id with a part of the state.
func checkState(n *Node) error {
	err := n.store.Verify(context.Background())
	if !errors.Is(err, storage.ErrDamaged) {
		return err
	}
	return folder.Damaged(n.options.Dir, n.identity.District, n.options.Clock(), err, n.log)
}

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
