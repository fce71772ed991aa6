package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"almenara/cluster/fsm"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/recovery"
	"almenara/node/folder/voters"
	"almenara/storage"
	"almenara/storage/audit"
)

// Recovered says what Recover made; all of it is durable.
type Recovered struct {
	Node        string // its id, a new one where the log was lost
	Incarnation uint64
	Applied     uint64 // raft index that it goes on after
	Taken       uint64 // entries of the log that were not known to be committed and are now
	Already     bool   // nothing was done: it had been recovered before, and nobody joined since
}

// Recover makes the node the only voter of the district's next incarnation. In the
// order in which it becomes durable: a mark that it is under way, the identity with
// the signed incarnation (the fence against the old majority), the configuration, the
// end of the mark. A crash in between leaves a folder that does not serve until the
// command has been repeated; the repeat goes on under the same incarnation.
//
// Without force it returns ErrQuorumLives while enough others answer that are not
// quarantined themselves, and ErrNewerLives while the incarnation that quarantined it does. progress may be
// nil; it is told what is being done. The Recovery is closed in any case.
func (r *Recovery) Recover(force bool, progress func(string)) (out Recovered, err error) {
	defer func() { err = errors.Join(err, r.Close()) }()
	if progress == nil {
		progress = func(string) {}
	}
	if r.Done {
		return Recovered{Node: r.Node, Incarnation: r.Incarnation, Applied: r.Applied, Already: true}, nil
	}
	if !force && r.Newer != nil && r.Newer.Standing == internode.StandingAgrees {
		return out, ErrNewerLives
	}
	if !force && voters.QuorumLives(r.Voters, 1) {
		return out, ErrQuorumLives
	}
	progress("verifying the state")
	if err := r.store.Verify(context.Background()); err != nil { // it is about to be the only truth
		return out, fmt.Errorf("%w; restore a backup instead", err)
	}
	progress("fencing the old majority")
	if err := r.fence(); err != nil {
		return out, err
	}
	progress("taking over the log")
	index, err := r.takeOver()
	if err != nil {
		return out, err
	}
	if err := leaveMark(IdentityDir(r.dir), begunFile, r.identity.NodeID+"\n"); err != nil {
		return out, err
	}
	out = Recovered{
		Node: r.identity.NodeID, Incarnation: r.identity.Incarnation.Count(), Applied: index, Taken: index - r.Applied,
	}
	return out, endMark(r.dir, recoveringFile)
}

// fence gives the identity the next incarnation, unless an interrupted attempt did.
func (r *Recovery) fence() error {
	if r.pending != "" && r.identity.Incarnation.Text() == r.pending {
		return nil
	}
	next := *r.identity
	if r.NewID != "" {
		fresh, err := identity.New(r.identity.District, r.settings.Hosts())
		if err != nil {
			return err
		}
		next = *fresh
	}
	statement, err := r.statement(next.NodeID)
	if err != nil {
		return err
	}
	next.Incarnation = statement
	if err := leaveMark(r.dir, recoveringFile, statement.Text()); err != nil {
		return err
	}
	if r.NewID != "" { // before the id changes: the new one says whom it stands for
		r.settings.Replaces = append(r.settings.Replaces, r.identity.NodeID)
		if err := r.settings.Save(r.dir); err != nil {
			return err
		}
	}
	r.identity = &next
	return r.identity.Save(IdentityDir(r.dir))
}

// statement is the next incarnation, above all that this node knows of.
func (r *Recovery) statement(by string) (*identity.Incarnation, error) {
	var head audit.Head
	err := r.store.View(func(t *storage.Txn) (err error) {
		head, err = audit.End(t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the audit's end: %w", err)
	}
	return identity.Incarnation{
		Number: max(r.Incarnation, r.Quarantined) + 1, By: by, Why: identity.WhyRecover, At: time.Now().UnixMilli(),
		Index: r.Applied, Audit: head.N, AuditHash: head.Hash,
	}.Sign(r.identity.District)
}

// takeOver runs raft's part over the state machine.
func (r *Recovery) takeOver() (index uint64, err error) {
	fresh := r.NewID != ""
	if fresh {
		if err := r.newLives(); err != nil {
			return 0, err
		}
	}
	var halted error
	state, err := fsm.New(r.store, fsm.Hooks{Halt: func(err error) { halted = err }, Logger: r.log})
	if err != nil {
		return 0, err
	}
	index, err = recovery.Recover(recovery.Options{
		Dir: RaftDir(r.dir), Identity: r.identity, Advertise: r.settings.Hosts()[0],
		FSM: state, Snapshots: state.SnapshotStore(), Fresh: fresh, Logger: r.log,
	})
	return index, errors.Join(halted, err)
}

// newLives moves an unusable log aside, and lets the journal begin a new epoch: its
// old numbers belong to the old id. What it holds stays, and is adopted as facts of
// that id.
func (r *Recovery) newLives() error {
	lost := filepath.Join(r.dir, "raft.lost")
	if _, err := os.Stat(RaftDir(r.dir)); err == nil && marks.BegunBy(RaftDir(r.dir)) != r.identity.NodeID {
		if err := os.RemoveAll(lost); err != nil {
			return fmt.Errorf("moving the old log aside: %w", err)
		}
		if err := os.Rename(RaftDir(r.dir), lost); err != nil {
			return fmt.Errorf("moving the old log aside: %w", err)
		}
	}
	return endMark(filepath.Join(r.dir, journalDir), "epoch")
}
