//go:build lossy

package raftlog

import (
	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"almenara/storage/durable"
)

// lazyFiles are the log's files without their syncs.
type lazyFiles struct{ *fs.FS }

type lazyFile struct{ types.WritableFile }

// Sync does nothing, which is the point.
func (lazyFile) Sync() error { return nil }

// Create implements types.VFS.
func (l lazyFiles) Create(dir, name string, size uint64) (types.WritableFile, error) {
	f, err := l.FS.Create(dir, name, size)
	return lazyFile{f}, err
}

// OpenWriter implements types.VFS.
func (l lazyFiles) OpenWriter(dir, name string) (types.WritableFile, error) {
	f, err := l.FS.OpenWriter(dir, name)
	return lazyFile{f}, err
}

// logFiles leaves out the syncs where ALMENARA_LOSSY says so.
func logFiles(dir string) types.SegmentFiler {
	if durable.Synced(durable.PartLog) {
		return segment.NewFiler(dir, fs.New())
	}
	return segment.NewFiler(dir, lazyFiles{fs.New()})
}
