package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/storage/alert"
)

// pageBytes bounds one page of facts for a peer.
const pageBytes = 1 << 20

// openFacts opens the journal and the spool and makes the exchange; it runs once
// the cluster does.
func (n *Node) openFacts(context.Context) error {
	journal, err := fact.OpenJournal(fact.JournalOptions{
		Dir: filepath.Join(n.options.Dir, journalDir), Origin: n.ID(),
		AlertsBytes: n.options.JournalBytes, ReceiptsBytes: n.options.SpoolBytes, SegmentBytes: n.options.segmentBytes(),
		Logger: n.log,
	})
	if err != nil {
		return err
	}
	n.journal = journal
	n.flushes.Store(journal)
	n.stop.add("journal", func(context.Context) error { return journal.Close() })
	n.hybrid, err = fact.OpenClock(filepath.Join(n.options.Dir, "clock"), n.options.Clock)
	if err != nil {
		return err
	}
	n.exchange = fact.NewExchange(fact.ExchangeOptions{
		Journal: journal, Clock: n.hybrid, Keys: n.signingKey, Peers: n.peers, PeerID: cluster.PeerID,
		Signer: fact.Signer{Origin: n.ID(), KeyID: n.identity.KeyID, Key: n.identity.SigningKey},
		Call: func(ctx context.Context, peer, path string, body []byte) ([]byte, error) {
			return n.cluster.Call(ctx, peer, path, body)
		},
		Propose: n.adopt, Marks: n.mark, FromStore: n.fromStore, Leaderless: n.Alone, OnNew: n.learn, Logger: n.log,
	})
	return nil
}

// stalled is how long a write of this node to its disk has been running, besides those to
// the raft log: a commit of the state machine, or a flush of the journal, which is all that a
// node without a majority writes.
func (n *Node) stalled() time.Duration {
	stall := n.state.Stalled()
	if j := n.flushes.Load(); j != nil {
		stall = max(stall, j.Stalled())
	}
	return stall
}

// mark is how far the state machine has a stream.
func (n *Node) mark(origin string, stream fact.Stream, epoch uint64) uint64 {
	seq, err := n.state.Mark(origin, stream, epoch)
	if err != nil {
		n.log.Error("reading a mark", "origin", origin, "error", err)
	}
	return seq
}

// fromStore reads adopted facts for a peer that lacks them.
func (n *Node) fromStore(origin string, stream fact.Stream, epoch, seq uint64, most int) ([]fact.Signed, error) {
	return n.state.FactsAfter(origin, stream, epoch, seq, most, pageBytes)
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

// signingKey is the key with which a node signs its facts. Facts of a node that was
// removed since are still facts: it cannot bring new ones, because its certificate
// opens no connection any more.
func (n *Node) signingKey(keyID, origin string) (ed25519.PublicKey, bool) {
	if origin == n.ID() && keyID == n.identity.KeyID {
		return n.identity.SigningPublic(), true
	}
	node, ok, err := n.state.Node(origin)
	if err != nil || !ok || node.KeyID != keyID || len(node.PublicKey) != ed25519.PublicKeySize {
		return n.foreign.get(keyID, origin)
	}
	return node.PublicKey, true
}

// adopt proposes facts for the log. Repeats do no harm.
func (n *Node) adopt(ctx context.Context, facts []fact.Signed) error {
	_, err := n.propose(ctx, n.Name(), &command.AdoptFacts{Facts: facts})
	return err
}

// learn takes a fact that is new to this node and durable here. It does not block:
// devices are served by others.
func (n *Node) learn(f fact.Fact, signed fact.Signed) {
	switch f.Kind {
	case fact.KindAlert:
	case fact.KindApproval:
		n.learnApproval(f, signed)
		return
	default:
		return
	}
	id := signed.ID().String()
	m, err := readMessage(id, f.Body)
	if err != nil {
		n.log.Error("an alert fact cannot be read", "fact", id, "origin", f.Origin, "error", err)
		return
	}
	outcome, fresh := n.desk.add(m)
	if !fresh {
		return
	}
	if outcome == alert.Conflict {
		n.log.Warn("one message came in with two contents", "key", m.entry.Key.String(), "fact", id)
	}
	n.changed()
	_, of := n.desk.standing(m, n.options.Clock())
	n.tallies.touch(of, eventAlert)
}

// adopted hears what the log made of a fact. The raft goroutine calls it.
func (n *Node) adopted(signed fact.Signed, f fact.Fact, outcome command.FactOutcome) {
	n.exchange.Adopted(signed)
	switch f.Kind {
	case fact.KindReceipts:
		n.tallies.touch(alert.ID(outcome.Alert), eventReceipts)
	case fact.KindApproval:
		n.under.forget(signed.ID().String())
	case fact.KindAlert:
		n.under.forget(signed.ID().String())
		n.tallies.touch(alert.ID(outcome.Alert), eventAlert)
	case fact.KindAlone:
		n.splitEnded(f)
	}
}

// stateChanged hears what a commit touched. The raft goroutine calls it.
func (n *Node) stateChanged(what fsm.Change) {
	if what == fsm.ChangedAll {
		n.reread.Store(true)
	}
	if what&fsm.ChangedKeys != 0 {
		n.ringChanged()
	}
	if what&(fsm.ChangedMembers|fsm.ChangedPlaces) != 0 {
		n.shift()
	}
	if what&(fsm.ChangedNodes|fsm.ChangedImports|fsm.ChangedDistrict) != 0 {
		n.duty()
	}
	n.tallies.touchRecords(what)
	n.roster.changed(what)
}

// recall lays on the desk what was agreed and may still matter. The journal's own
// facts follow when the exchange begins.
func (n *Node) recall() error {
	facts, err := n.state.ActiveFacts(n.options.Clock().Add(-alert.MaxLifetime - alert.EndMemory))
	if err != nil {
		return fmt.Errorf("recalling alerts: %w", err)
	}
	for _, signed := range facts {
		f, err := signed.Fact()
		if err != nil {
			return err
		}
		n.learn(f, signed)
	}
	approvals, err := n.state.KeptFacts(fact.KindApproval, 0, 0, 0)
	if err != nil {
		return fmt.Errorf("recalling approvals: %w", err)
	}
	for _, a := range approvals {
		n.learn(a.Fact, a.Signed)
	}
	return nil
}

// Settle implements settler: one block as a fact of this node.
func (n *Node) Settle(ctx context.Context, block []byte) (<-chan struct{}, error) {
	progress, err := n.exchange.Create(ctx, fact.KindReceipts, fact.Receipts, block)
	if errors.Is(err, fact.ErrJournalFull) || errors.Is(err, fact.ErrBacklog) {
		return nil, errReceiptsBusy
	}
	if err != nil {
		return nil, err
	}
	return progress.Committed(), nil
}

// Alone implements settler. A state machine that waits for room on the disk cannot tell
// what is committed.
func (n *Node) Alone() bool { return n.space.full() || !n.cluster.Status().HasQuorum }

// replication says how far the fact has got, as far as this node knows.
func (n *Node) replication(id string) string {
	if agreed, err := n.agreed(id); err == nil && agreed {
		n.under.forget(id)
		return "committed"
	}
	if p := n.under.get(id); p != nil {
		return p.State()
	}
	return "local"
}

// underway holds the progress of this node's own alert facts until they are
// committed. Safe for concurrent use; the zero value is ready.
type underway struct {
	mu    sync.Mutex
	facts map[string]*fact.Progress
}

func (u *underway) put(p *fact.Progress) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.facts == nil {
		u.facts = map[string]*fact.Progress{}
	}
	u.facts[p.ID.String()] = p
	u.settle() // this one may be committed already, and forget will not be called again
}

// settle drops what is committed. mu is held.
func (u *underway) settle() {
	maps.DeleteFunc(u.facts, func(_ string, p *fact.Progress) bool { return p.State() == "committed" })
}

func (u *underway) get(id string) *fact.Progress {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.facts[id]
}

func (u *underway) forget(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.facts, id)
}

func (u *underway) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.settle()
	return len(u.facts)
}
