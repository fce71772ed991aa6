package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/table"

	"almenara/storage/tablefiles"
)

// Verify reads every block of every table and checks its checksum: some 2 s per GB,
// more on slow media. Badger's reads take a damaged block for absent records, so a
// node should verify after its start and daily, and stop on ErrDamaged. A dump is
// preceded by it. It reads the files themselves, not through Badger: Badger would keep
// what it read in its cache and in maps, in place of what the node works with. When ctx
// ends Verify returns its cause within one block.
func (s *Store) Verify(ctx context.Context) (err error) {
	h, err := s.acquire()
	if err != nil {
		return err
	}
	defer s.release(h)
	defer func() {
		if r := recover(); r != nil { // an index whose checksum is right and which is none
			err = fmt.Errorf("%w: verifying: %v", ErrDamaged, r)
		}
	}()
	for id := range h.tables() {
		err := tablefiles.Verify(ctx, filepath.Join(h.dir, table.IDToFilename(id)))
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist) && !h.tables()[id]: // merged into others meanwhile
		default:
			return fmt.Errorf("%w: verifying table %d: %w", ErrDamaged, id, err)
		}
	}
	return nil
}

// tables are those that the database consists of now.
func (h *handle) tables() map[uint64]bool {
	ids := map[uint64]bool{}
	for _, info := range h.db.Tables() {
		ids[info.ID] = true
	}
	return ids
}
