package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/fsm"
	"almenara/cluster/identity"
	"almenara/cluster/recovery"
	"almenara/node/access"
	"almenara/node/backup"
	"almenara/node/folder/voters"
	"almenara/node/originals"
	"almenara/node/reachable"
	"almenara/storage"
)

// restoringFile says that Restore is under way in the folder.
const restoringFile = "restoring"

// RestoreOptions say what is made of a backup.
type RestoreOptions struct {
	Dir string
	reachable.Addresses
	File *backup.File // verified by backup.Open
	// Isolated makes a copy for a drill: with keys of its own, so that it and the nodes and
	// devices of the district do not believe each other, and neither is asked anything.
	Isolated bool
	// Force goes on while nodes of the district answer.
	Force bool
	// Confirm is shown what is about to be done, before anything is changed; its error ends
	// Restore. Nil agrees.
	Confirm func(RestoreSurvey) error
	Logger  *slog.Logger // nil discards
}

// RestoreSurvey is what a person must know before a district is begun anew.
type RestoreSurvey struct {
	District    string
	Incarnation uint64 // that will be
	Isolated    bool
	Voters      []voters.Voter // of the backup, and what they answer; none were asked for an isolated copy
}

// Restored says what Restore made; all of it is durable.
type Restored struct {
	Node, District string
	Incarnation    uint64
	Applied, Audit uint64 // last log entry and audit line in it
	Token          bool   // the administrator's token is in access.TokenFile
}

// Restore makes an empty folder the only node of the district in a backup, under a new
// id and the next incarnation, so that nodes which come back later stop agreeing to what
// this one does not know. The audit goes on where it was, and says that the district was
// restored. It returns ErrQuorumLives while a majority of the backup's nodes answers, or
// one that says that it agrees with one; what the nodes of today are, only they know.
//
// It may be repeated after a crash; a folder that holds anything else is refused.
func Restore(ctx context.Context, o RestoreOptions) (Restored, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := mayRestore(o.Dir, o.Addresses); err != nil {
		return Restored{}, err
	}
	f := o.File
	d, err := identity.UnmarshalDistrict(f.Secrets.District)
	if err != nil {
		return Restored{}, err
	}
	survey := RestoreSurvey{District: d.Name, Incarnation: f.Incarnation + 1, Isolated: o.Isolated}
	if o.Isolated {
		if d, err = identity.NewDistrict(d.Name); err != nil {
			return Restored{}, err
		}
	} else if survey.Voters, err = votersOfBackup(ctx, d, f); err != nil {
		return Restored{}, err
	}
	if voters.QuorumLives(survey.Voters, 0) && !o.Force {
		return Restored{}, fmt.Errorf("restoring %s: %w", d.Name, ErrQuorumLives)
	}
	if o.Confirm != nil {
		if err := o.Confirm(survey); err != nil {
			return Restored{}, err
		}
	}
	if err := emptyFolder(o.Dir); err != nil {
		return Restored{}, err
	}
	return restoreInto(o, d)
}

// restoreInto fills the folder.
func restoreInto(o RestoreOptions, d *identity.District) (Restored, error) {
	f := o.File
	out := Restored{District: d.Name, Applied: f.Index, Audit: f.Audit, Incarnation: f.Incarnation + 1, Token: f.Secrets.Token != ""}
	id, err := identity.New(d, o.Hosts())
	if err != nil {
		return Restored{}, err
	}
	out.Node = id.NodeID
	if err := restoreState(o, f, id, o.Logger); err != nil {
		return Restored{}, fmt.Errorf("restoring: %w", err)
	}
	if err := originals.Unpack(OriginalsDir(o.Dir), io.NewSectionReader(f.Originals, 0, f.Originals.Size())); err != nil {
		return Restored{}, fmt.Errorf("restoring: %w", err)
	}
	if err := (access.Access{Token: f.Secrets.Token, Authority: access.PEM(d.CA.Raw), URL: o.URL()}).Write(o.Dir); err != nil {
		return Restored{}, err
	}
	if err := (Settings{}).With(o.Addresses).Save(o.Dir); err != nil { // a folder with settings is whole
		return Restored{}, err
	}
	return out, endMark(o.Dir, restoringFile)
}

// votersOfBackup asks those who had a vote when the backup was written.
func votersOfBackup(ctx context.Context, d *identity.District, f *backup.File) ([]voters.Voter, error) {
	id, err := identity.New(d, nil)
	if err != nil {
		return nil, err
	}
	if id.Incarnation, err = identity.ParseIncarnation(f.Secrets.Statement, d); err != nil {
		return nil, err
	}
	if len(f.Applied.Configuration) == 0 {
		return nil, nil
	}
	all := voters.Of(raft.DecodeConfiguration(f.Applied.Configuration), nil, "")
	voters.Ask(ctx, id, all)
	return all, nil
}

// mayRestore refuses a folder that holds anything but an interrupted attempt.
func mayRestore(dir string, a reachable.Addresses) error {
	if err := check(dir, a); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, restoringFile)); err == nil {
		return nil
	}
	there, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("looking into the data folder: %w", err)
	}
	for _, entry := range there {
		if entry.Name() != "lost+found" { // a partition of its own
			return fmt.Errorf("%w: %s; restore into an empty one", ErrNotEmpty, dir)
		}
	}
	return nil
}

// emptyFolder makes the folder this restore's own; mayRestore has looked at it.
func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if err := leaveMark(dir, restoringFile, "almenara restore\n"); err != nil {
		return err
	}
	for _, part := range []string{stateDir, "raft", "identity"} { // of an interrupted attempt
		if err := os.RemoveAll(filepath.Join(dir, part)); err != nil {
			return fmt.Errorf("removing an earlier attempt: %w", err)
		}
	}
	return nil
}

// restoreState builds state, identity and log.
func restoreState(o RestoreOptions, f *backup.File, id *identity.Identity, log *slog.Logger) (err error) {
	statement, err := identity.Incarnation{
		Number: f.Incarnation + 1, By: id.NodeID, Why: identity.WhyRestore, At: time.Now().UnixMilli(), Index: f.Index, Audit: f.Audit,
	}.Sign(id.District)
	if err != nil {
		return err
	}
	id.Incarnation = statement
	store, err := storage.Open(StateDir(o.Dir), storage.Options{Logger: log})
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
	if err := os.MkdirAll(IdentityDir(o.Dir), 0o700); err != nil {
		return err
	}
	if err := id.Save(IdentityDir(o.Dir)); err != nil {
		return err
	}
	var halted error
	state, err := fsm.New(store, fsm.Hooks{Halt: func(err error) { halted = err }, Logger: log})
	if err != nil {
		return err
	}
	_, err = recovery.Recover(recovery.Options{
		Dir: RaftDir(o.Dir), Identity: id, Advertise: o.Hosts()[0], FSM: state, Snapshots: state.SnapshotStore(),
		Fresh: true, Logger: log,
	})
	if err := errors.Join(halted, err); err != nil {
		return err
	}
	return leaveMark(IdentityDir(o.Dir), begunFile, id.NodeID+"\n")
}
