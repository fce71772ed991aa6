package folder

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"almenara/cluster/identity"
	"almenara/node/access"
	"almenara/node/backup"
	"almenara/node/originals"
	"almenara/storage"
)

// BackupFolder makes a backup from the folder of a node that is not running.
func BackupFolder(dir, version string, log *slog.Logger) (io.ReadCloser, int64, error) {
	s, err := Load(dir)
	if err != nil {
		return nil, 0, err
	}
	id, err := identity.Load(IdentityDir(dir))
	if err != nil {
		return nil, 0, err
	}
	if _, err := os.Stat(filepath.Join(StateDir(dir), "CURRENT")); err != nil {
		return nil, 0, fmt.Errorf("opening the state: %w", err)
	}
	store, err := storage.Open(StateDir(dir), storage.Options{Logger: log})
	if err != nil {
		return nil, 0, fmt.Errorf("opening the state: %w", err)
	}
	large, err := originals.ArchiveFolder(OriginalsDir(dir))
	if err != nil {
		return nil, 0, errors.Join(err, store.Close())
	}
	r, size, err := NewBackup(store, dir, BackupOf{ID: id, Name: s.Name, Version: version, Now: time.Now(), Originals: large})
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

// BackupOf says whose backup it is.
type BackupOf struct {
	ID            *identity.Identity
	Name, Version string // of the node, and of its program
	Now           time.Time
	Originals     *originals.Archive // closed with the backup, or with the error
}

// NewBackup is a backup of the agreed state of a node with its folder, after all of its
// tables were verified. Errors are storage's: ErrBusy while another copy is being written,
// ErrNoSpace. The caller closes the reader.
func NewBackup(store *storage.Store, dir string, of BackupOf) (_ io.ReadCloser, _ int64, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, of.Originals.Close())
		}
	}()
	id := of.ID
	district, err := id.District.Marshal()
	if err != nil {
		return nil, 0, err
	}
	token, err := os.ReadFile(filepath.Join(dir, access.TokenFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, fmt.Errorf("reading the token: %w", err)
	}
	dump, err := store.Dump()
	if err != nil {
		return nil, 0, err
	}
	r, size, err := backup.NewReader(backup.Header{
		Created: of.Now.UnixMilli(), District: id.District.ID, Name: id.District.Name, Node: id.NodeID, NodeName: of.Name,
		Incarnation: id.Incarnation.Count(), Index: dump.Applied.Index, Program: of.Version,
	}, backup.Secrets{District: district, Statement: id.Incarnation.Text(), Token: strings.TrimSpace(string(token))},
		backup.Part{Reader: dump, Size: dump.Size}, backup.Part{Reader: of.Originals, Size: of.Originals.Size})
	if err != nil {
		return nil, 0, errors.Join(err, dump.Close())
	}
	return &closing{r, []io.Closer{dump, of.Originals}}, size, nil
}
