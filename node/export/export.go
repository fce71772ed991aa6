// Package export gives out what the district has agreed on, as this node has it: a backup, and the
// lines of the audit.
//
// It changes nothing. It never imports api, channels or another part of node but authority, folder
// and wire.
package export

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"almenara/node/authority"
	"almenara/node/folder"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audit"
	"almenara/storage/wait"
)

// Options say what an Export needs. None may be nil.
type Options struct {
	Store  *storage.Store
	Dir    string                 // the data folder
	Of     func() folder.BackupOf // whose backup it is, now
	Logger *slog.Logger
}

// Export answers service.Backups and service.Audit. Its methods may be called from any goroutine.
type Export struct{ o Options }

// New makes one.
func New(o Options) *Export { return &Export{o} }

// othersCopy is how many seconds a backup waits for another copy of the state: a minute is what an answer may take.
const othersCopy = 20

// Backup implements service.Backups: everything that is agreed, as this node has it now,
// after all of its tables were verified. Alerts and receipts that are not agreed yet
// are not in it. Nodes write copies for each other, too: it waits for one that is being written, 20 s at most.
func (e *Export) Backup(ctx context.Context, by authority.Caller) (io.ReadCloser, int64, error) {
	r, size, err := folder.NewBackup(e.o.Store, e.o.Dir, e.o.Of())
	for i := 0; i < othersCopy && errors.Is(err, storage.ErrBusy) && wait.Sleep(ctx, time.Second); i++ {
		r, size, err = folder.NewBackup(e.o.Store, e.o.Dir, e.o.Of())
	}
	switch {
	case errors.Is(err, storage.ErrBusy):
		return nil, 0, wire.Problemf(wire.KindBusy, "another copy of the state is being written; try again in a while").Because(why.CopyBeingWritten)
	case errors.Is(err, storage.ErrNoSpace):
		return nil, 0, wire.Problemf(wire.KindNotReady, "the node has too little free space to write a copy of its state first: %v", err).Because(why.DiskFull, err)
	case err != nil:
		return nil, 0, err
	}
	e.o.Logger.Warn("a backup with the district's keys was given out", "by", by.Name, "bytes", size)
	return r, size, nil
}

// ExportAudit implements service.Audit.
func (e *Export) ExportAudit(_ context.Context, w io.Writer, from, to uint64) error {
	err := audit.Export(e.o.Store, w, from, to)
	if errors.Is(err, audit.ErrNoLine) {
		return wire.Problemf(wire.KindNotFound, "the audit has no line %d yet", from).Because(why.NoAuditLine, from)
	}
	return err
}
