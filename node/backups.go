package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"almenara/cluster"
	"almenara/cluster/fsm"
	"almenara/node/api"
	"almenara/node/backup"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/durable"
)

// restoringFile says that Restore is under way in the folder.
const restoringFile = "restoring"

// Backup implements api.District: everything that is agreed, as this node has it now,
// after all of its tables were verified. Alerts and receipts that are not agreed yet
// are not in it.
func (n *Node) Backup(_ context.Context, by api.Caller) (io.ReadCloser, int64, error) {
	r, size, err := newBackup(n.store, n.options.Dir, n.identity, n.Name(), n.options.Version, n.options.Clock())
	switch {
	case errors.Is(err, storage.ErrBusy):
		return nil, 0, wire.Problemf(wire.KindBusy, "another copy of the state is being written; try again in a while")
	case errors.Is(err, storage.ErrNoSpace):
		return nil, 0, wire.Problemf(wire.KindNotReady, "the node has too little free space to write a copy of its state first: %v", err)
	case err != nil:
		return nil, 0, err
	}
	n.log.Warn("a backup with the district's keys was given out", "by", by.Name, "bytes", size)
	return r, size, nil
}

// BackupFolder makes a backup from the folder of a node that is not running.
func BackupFolder(dir, version string, log *slog.Logger) (io.ReadCloser, int64, error) {
	s, err := loadSettings(dir)
	if err != nil {
		return nil, 0, err
	}
	id, err := cluster.LoadIdentity(identityDir(dir))
	if err != nil {
		return nil, 0, err
	}
	if _, err := os.Stat(filepath.Join(dir, stateDir, "CURRENT")); err != nil {
		return nil, 0, fmt.Errorf("opening the state: %w", err)
	}
	store, err := storage.Open(filepath.Join(dir, stateDir), storage.Options{Logger: log})
	if err != nil {
		return nil, 0, fmt.Errorf("opening the state: %w", err)
	}
	r, size, err := newBackup(store, dir, id, s.Name, version, time.Now())
	if err != nil {
		return nil, 0, errors.Join(err, store.Close())
	}
	return &closing{r, []io.Closer{r, store}}, size, nil
}

// closing is a reader with several things to close.
type closing struct {
	io.Reader
	all []io.Closer
}

// Close closes them in order.
func (c *closing) Close() error {
	var errs []error
	for _, one := range c.all {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

func newBackup(store *storage.Store, dir string, id *cluster.Identity, name, version string, now time.Time) (io.ReadCloser, int64, error) {
	district, err := id.District.Marshal()
	if err != nil {
		return nil, 0, err
	}
	token, err := os.ReadFile(filepath.Join(dir, TokenFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, fmt.Errorf("reading the token: %w", err)
	}
	dump, err := store.Dump()
	if err != nil {
		return nil, 0, err
	}
	r, size, err := backup.NewReader(backup.Header{
		Created: now.UnixMilli(), District: id.District.ID, Name: id.District.Name, Node: id.NodeID, NodeName: name,
		Incarnation: id.Incarnation.Count(), Index: dump.Applied.Index, Program: version,
	}, backup.Secrets{District: district, Statement: id.Incarnation.Text(), Token: strings.TrimSpace(string(token))}, dump, dump.Size)
	if err != nil {
		return nil, 0, errors.Join(err, dump.Close())
	}
	return &closing{r, []io.Closer{dump}}, size, nil
}

// Restored says what Restore made; all of it is durable.
type Restored struct {
	Node, District string
	Incarnation    uint64
	Applied, Audit uint64 // last log entry and audit line in it
	Token          bool   // the administrator's token is in TokenFile
}

// Restore makes an empty folder the only node of the district in a backup, under a new
// id and the next incarnation, so that nodes which still live stop agreeing to what
// this one does not know. The backup has been verified by backup.Open. The audit goes
// on where it was, and says that the district was restored.
//
// It may be repeated after a crash; a folder that holds anything else is refused.
func Restore(options Options, f *backup.File, log *slog.Logger) (Restored, error) {
	if err := emptyFolder(options); err != nil {
		return Restored{}, err
	}
	d, err := cluster.UnmarshalDistrict(f.Secrets.District)
	if err != nil {
		return Restored{}, err
	}
	out := Restored{District: d.Name, Applied: f.Index, Audit: f.Audit, Incarnation: f.Incarnation + 1, Token: f.Secrets.Token != ""}
	id, err := cluster.NewIdentity(d, options.hosts())
	if err != nil {
		return Restored{}, err
	}
	out.Node = id.NodeID
	if err := restoreState(options, f, id, log); err != nil {
		return Restored{}, fmt.Errorf("restoring: %w", err)
	}
	if out.Token {
		if err := durable.WriteFile(filepath.Join(options.Dir, TokenFile), []byte(f.Secrets.Token+"\n")); err != nil {
			return Restored{}, err
		}
	}
	if err := (settings{}).with(options).save(options.Dir); err != nil { // a folder with settings is whole
		return Restored{}, err
	}
	return out, endMark(options.Dir, restoringFile)
}

// emptyFolder makes the folder this restore's own.
func emptyFolder(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	there, err := os.ReadDir(o.Dir)
	if err != nil {
		return fmt.Errorf("looking into the data folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, restoringFile)); err != nil {
		for _, entry := range there {
			if entry.Name() != "lost+found" { // a partition of its own
				return fmt.Errorf("%w: %s; restore into an empty one", ErrNotEmpty, o.Dir)
			}
		}
	}
	if err := leaveMark(o.Dir, restoringFile, "almenara restore\n"); err != nil {
		return err
	}
	for _, part := range []string{stateDir, "raft", "identity"} { // of an interrupted attempt
		if err := os.RemoveAll(filepath.Join(o.Dir, part)); err != nil {
			return fmt.Errorf("removing an earlier attempt: %w", err)
		}
	}
	return nil
}

// restoreState builds state, identity and log.
func restoreState(o Options, f *backup.File, id *cluster.Identity, log *slog.Logger) (err error) {
	statement, err := cluster.Incarnation{
		Number: f.Incarnation + 1, By: id.NodeID, Why: "restore", At: time.Now().UnixMilli(), Index: f.Index, Audit: f.Audit,
	}.Sign(id.District)
	if err != nil {
		return err
	}
	id.Incarnation = statement
	store, err := storage.Open(filepath.Join(o.Dir, stateDir), storage.Options{Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	staged, err := store.Stage(f.Dump, f.Dump.Size(), nil)
	if err != nil {
		return err
	}
	if err := staged.Activate(); err != nil {
		return err
	}
	if err := os.MkdirAll(identityDir(o.Dir), 0o700); err != nil {
		return err
	}
	if err := id.SaveIdentity(identityDir(o.Dir)); err != nil {
		return err
	}
	var halted error
	state, err := fsm.New(store, fsm.Hooks{Halt: func(err error) { halted = err }, Logger: log})
	if err != nil {
		return err
	}
	defer state.Close()
	_, err = cluster.Recover(cluster.RecoverOptions{
		Dir: raftDirOf(o.Dir), Identity: id, Advertise: o.hosts()[0], FSM: state, Snapshots: state.SnapshotStore(),
		Fresh: true, Logger: log,
	})
	if err := errors.Join(halted, err); err != nil {
		return err
	}
	return leaveMark(identityDir(o.Dir), begunFile, id.NodeID+"\n")
}
