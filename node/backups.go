package node

import (
	"context"
	"errors"
	"io"

	"almenara/node/api"
	"almenara/node/folder"
	"almenara/node/wire"
	"almenara/storage"
)

// Backup implements api.District: everything that is agreed, as this node has it now,
// after all of its tables were verified. Alerts and receipts that are not agreed yet
// are not in it.
func (n *Node) Backup(_ context.Context, by api.Caller) (io.ReadCloser, int64, error) {
	r, size, err := folder.NewBackup(n.store, n.options.Dir, folder.BackupOf{
		ID: n.identity, Name: n.Name(), Version: n.options.Version, Now: n.options.Clock(), Originals: n.originals.Archive(),
	})
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
