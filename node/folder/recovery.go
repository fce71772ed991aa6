package folder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
	"almenara/cluster/raftlog"
	"almenara/cluster/recovery"
	"almenara/node/folder/voters"
	"almenara/storage"
	"almenara/storage/audit"
	"almenara/storage/durable"
	"almenara/storage/noderecord"
)

// Sentinels of Recover.
var (
	// ErrQuorumLives refuses to recover a node while enough others answer to agree with
	// it. Nothing was changed.
	ErrQuorumLives = errors.New("enough nodes of the district answer to agree; the quorum is not lost")

	// ErrNewerLives refuses to recover a node that a newer incarnation has quarantined
	// while that one answers. Nothing was changed.
	ErrNewerLives = errors.New("the district goes on without this node, in a newer incarnation; let this one join it with almenara rejoin, " +
		"or stop the other one if it was not meant to be")

	// ErrRecovering is returned by New for a folder in which Recover or Rejoin was
	// interrupted: the same command must be run again first.
	ErrRecovering = errors.New("the folder is between two lives")
)

// recoveringFile says that Recover is under way in the folder. It holds the statement
// of the new incarnation.
const recoveringFile = "recovering"

// Recovery is a node that is not running and may begin its district anew. It holds
// the folder until Close.
type Recovery struct {
	RecoverySurvey
	dir      string
	log      *slog.Logger
	settings Settings
	identity *identity.Identity
	store    *storage.Store
	pending  string // statement of an attempt that was interrupted; "" for none
}

// RecoverySurvey is what a person must know before a district is begun anew.
type RecoverySurvey struct {
	Node, Name  string
	District    string
	Incarnation uint64
	Applied     uint64         // raft index of the last entry in the state
	LastAt      time.Time      // of the last audit line, by the clock of who did it; zero for none
	LastAction  string         // of the last audit line
	LogEnd      uint64         // last index in the log; what is above Applied may not be committed
	NewID       string         // why it cannot go on under its id, in half a sentence; "" when it can
	Quarantined uint64         // the newer incarnation that it has met; 0 for none
	Newer       *voters.Voter  // the node that the newer incarnation began with, where its address is known
	Voters      []voters.Voter // of the last configuration, without this node
	Done        bool           // it is the only voter of an incarnation of its own already
}

// OpenRecovery reads the folder of a node that is not running, and asks the other
// voters whether they live, for 5 s at most. durable.ErrInUse says that the node runs.
func OpenRecovery(ctx context.Context, dir string, log *slog.Logger) (*Recovery, error) {
	r := &Recovery{dir: dir, log: log}
	var err error
	if r.settings, err = Load(dir); err != nil {
		return nil, err
	}
	if r.identity, err = identity.Load(IdentityDir(dir)); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, stateDir, "CURRENT")); err != nil {
		return nil, fmt.Errorf("%w in %s; restore a backup instead", recovery.ErrNothing, dir)
	}
	if r.store, err = storage.Open(StateDir(dir), storage.Options{Logger: log}); err != nil {
		return nil, fmt.Errorf("opening the state: %w", err)
	}
	if err := r.survey(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close gives the folder back. It may be called again.
func (r *Recovery) Close() error { return r.store.Close() }

// survey fills in what the folder and the peers say.
func (r *Recovery) survey(ctx context.Context) error {
	r.Node, r.Name, r.District = r.identity.NodeID, r.settings.Name, r.identity.District.Name
	r.Incarnation = r.identity.Incarnation.Count()
	raw, err := os.ReadFile(filepath.Join(r.dir, recoveringFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading what was begun: %w", err)
	}
	r.pending = string(raw)
	q, err := marks.LoadQuarantine(RaftDir(r.dir), r.identity.District)
	if err != nil {
		return err
	}
	if q != nil && q.Cause == marks.CauseState {
		return fmt.Errorf("recovering from %s: %w: %s", r.dir, storage.ErrDamaged, q.Reason)
	}
	if q != nil && q.By != nil {
		r.Quarantined = q.By.Number
	}
	var conf raft.Configuration
	var nodes []noderecord.Node
	var applied storage.Applied
	err = r.store.View(func(t *storage.Txn) (err error) {
		if applied, err = storage.AppliedRecord.Value(t); err != nil {
			return err
		}
		if nodes, err = noderecord.Nodes.All(t); err != nil {
			return err
		}
		return r.lastLine(t)
	})
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	if applied.Index == 0 {
		return fmt.Errorf("%w in %s; restore a backup instead", recovery.ErrNothing, r.dir)
	}
	r.Applied = applied.Index
	if len(applied.Configuration) > 0 {
		conf = raft.DecodeConfiguration(applied.Configuration)
	}
	r.NewID, r.LogEnd = lookAtLog(RaftDir(r.dir), applied.Index, r.log)
	if q != nil && q.By == nil && r.NewID == "" {
		r.NewID = "its disk does not hold what it wrote: " + q.Reason
	}
	r.Voters = voters.Of(conf, nodes, r.Node)
	voters.Ask(ctx, r.identity, r.Voters)
	r.askNewer(ctx, q, nodes)
	alone := len(r.Voters) == 0 && applied.ConfigurationIndex == 1 && len(conf.Servers) == 1
	r.Done = alone && r.pending == "" && r.NewID == "" && r.Quarantined == 0 &&
		r.identity.Incarnation != nil && r.identity.Incarnation.By == r.Node
	return nil
}

// lastLine reads the end of the audit chain.
func (r *Recovery) lastLine(t *storage.Txn) error {
	head, err := audit.End(t)
	if err != nil || head.N == 0 {
		return err
	}
	return audit.Each(t, head.N, head.N, func(e audit.Entry) (bool, error) {
		r.LastAt, r.LastAction = time.UnixMilli(e.At).UTC(), e.Action
		return true, nil
	})
}

// lookAtLog says why the log cannot be gone on with, or where it ends.
func lookAtLog(dir string, applied uint64, log *slog.Logger) (lost string, end uint64) {
	if _, err := os.Stat(filepath.Join(dir, "raft.removed")); err == nil {
		return "this node was removed from the district", 0
	}
	state, err := raftlog.Inspect(filepath.Join(dir, "raft"), log)
	switch {
	case err != nil:
		return "its raft log cannot be read: " + err.Error(), 0
	case !state.Begun || state.First > applied+1:
		return "its raft log is lost", 0
	}
	return "", state.Last
}

// ComeBack adds to an error after which this node must never run under its id what a
// person can do.
func ComeBack(err error) error {
	for _, lost := range []error{marks.ErrAmnesia, outcome.ErrRemoved, raftlog.ErrDamaged, storage.ErrDamaged} {
		if errors.Is(err, lost) {
			return fmt.Errorf("%w; this node can come back under a new id, with an invitation of another node and almenara rejoin, "+
				"or, when no other node is left, with almenara recover or a backup", err)
		}
	}
	return err
}

// CheckMarks refuses a folder in which Recover or Rejoin was interrupted.
func CheckMarks(dir string) error {
	for file, command := range map[string]string{recoveringFile: "recover", rejoiningFile: "rejoin", restoringFile: "restore"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return fmt.Errorf("%w: almenara %s was interrupted; run it again", ErrRecovering, command)
		}
	}
	return nil
}

// leaveMark makes one of these marks, endMark ends it; both are on this disk on return.
func leaveMark(dir, file, text string) error {
	return durable.WriteFile(filepath.Join(dir, file), []byte(text))
}

func endMark(dir, file string) error {
	if err := os.Remove(filepath.Join(dir, file)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing a mark: %w", err)
	}
	return durable.SyncDir(dir)
}

// askNewer asks the node with which the newer incarnation began that quarantined this one.
func (r *Recovery) askNewer(ctx context.Context, q *marks.Quarantine, nodes []noderecord.Node) {
	if q == nil || q.By == nil {
		return
	}
	newer := voters.Voter{ID: q.By.By}
	if q.Peer == q.By.By {
		newer.Address = q.Addr
	}
	for _, n := range nodes {
		if n.ID == newer.ID {
			newer.Name, newer.Address = n.Name, cmp.Or(n.Internode, newer.Address)
		}
	}
	if newer.Address == "" {
		return
	}
	one := []voters.Voter{newer}
	voters.Ask(ctx, r.identity, one)
	r.Newer = &one[0]
}
