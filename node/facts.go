package node

import (
	"context"
	"path/filepath"
	"time"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/internode"
	"almenara/cluster/journal"
	"almenara/node/folder"
	"almenara/node/notes"
	"almenara/node/reached"
	"almenara/node/sounds"
)

// factPage bounds one page of facts for a peer.
const factPage = 1 << 20

// openFacts opens the journal and the spool and makes the exchange; it runs once
// the cluster does.
func (n *Node) openFacts(context.Context) error {
	j, err := journal.Open(journal.Options{
		Dir: folder.JournalDir(n.options.Dir), Origin: n.ID(),
		AlertsBytes: n.options.JournalBytes, ReceiptsBytes: n.options.SpoolBytes, SegmentBytes: n.options.segmentBytes(),
		Logger: n.log, Clock: n.options.Clock,
	})
	if err != nil {
		return err
	}
	n.journal = j
	alone := func() bool { return !settlerOf(n).CanCommit() }
	n.reached = reached.New(n.state, j, alone)
	n.read, n.answers = newReader(n), newAnswers(n)
	n.flushes.Store(j)
	n.stop.AddStore("journal", func(context.Context) error { return j.Close() })
	n.hybrid, err = fact.OpenClock(filepath.Join(n.options.Dir, "clock"), n.options.Clock)
	if err != nil {
		return err
	}
	n.exchange = exchange.New(exchange.Options{
		Journal: j, Clock: n.hybrid, Keys: n.ring.Key, Peers: n.peers, PeerID: internode.PeerID,
		Signer:  fact.Signer{Origin: n.ID(), KeyID: n.identity.KeyID, Key: n.identity.SigningKey},
		Call:    n.callPeer,
		Propose: func(ctx context.Context, facts []fact.Signed) error { return adopt(ctx, n, facts) },
		Marks:   func(origin string, stream fact.Stream, epoch uint64) uint64 { return mark(n, origin, stream, epoch) },
		FromStore: func(origin string, stream fact.Stream, epoch, seq uint64, most int) ([]fact.Signed, error) {
			return n.state.FactsAfter(origin, stream, epoch, seq, most, factPage)
		},
		Leaderless: alone, OnNew: n.learner.Learn, Logger: n.log,
	})
	n.approvals, n.reports, n.acts, n.residents = newApprovals(n), newReports(n), newFollowUps(n), newResidents(n)
	n.notes = notes.New(n.exchange, n.options.Clock, n.log)
	n.checkIns = newCheckIns(n)
	n.sounds = sounds.New(sounds.Options{InForce: n.presenter.Last, Speech: sounds.WithClips(n.options.Dir, n.log), Clock: n.options.Clock, Logger: n.log}) // for speakers that are a page
	n.intake = newIntake(n)
	n.notices = newNotices(n)
	return nil
}

// stalled is how long a write of this node to its disk has been running, besides those to
// the raft log: a commit of the state machine, or a flush of the journal, which is all that a
// node without a majority writes.
func stalled(n *Node) time.Duration {
	stall := n.machine.Stalled()
	if j := n.flushes.Load(); j != nil {
		stall = max(stall, j.Stalled())
	}
	return stall
}

// mark is how far the state machine has a stream.
func mark(n *Node, origin string, stream fact.Stream, epoch uint64) uint64 {
	seq, err := n.state.Mark(origin, stream, epoch)
	if err != nil {
		n.log.Error("reading a mark", "origin", origin, "error", err)
	}
	return seq
}

// callPeer asks another node. It is for parts that are made before the cluster is.
func (n *Node) callPeer(ctx context.Context, peer, path string, body []byte) ([]byte, error) {
	return n.cluster.Call(ctx, peer, path, body)
}

// peers are the other nodes of the district.
func (n *Node) peers() []string {
	var out []string
	for _, id := range n.cluster.Members() {
		if id != n.ID() {
			out = append(out, id)
		}
	}
	return out
}

// adopt proposes facts for the log. Repeats do no harm.
func adopt(ctx context.Context, n *Node, facts []fact.Signed) error {
	_, err := n.proposer.Propose(ctx, n.Name(), &command.AdoptFacts{Facts: facts})
	return err
}

// stateChanged hears what a commit touched. The raft goroutine calls it.
func (n *Node) stateChanged(what apply.Change) {
	if what == apply.ChangedAll {
		n.presenter.StateReplaced()
	}
	if what&apply.ChangedKeys != 0 {
		if err := n.ring.Reread(); err != nil {
			n.log.Error("it is not known whether devices believe this node", "error", err)
		}
		n.presenter.Changed()
	}
	if what&(apply.ChangedMembers|apply.ChangedPlaces) != 0 {
		n.addressed.Changed()
		n.presenter.AudienceChanged()
	}
	if what&(apply.ChangedNodes|apply.ChangedImports|apply.ChangedDistrict|apply.ChangedPersonal) != 0 {
		n.duty()
	}
	n.events.TouchRecords(what)
	n.external.Changed(what)
}
