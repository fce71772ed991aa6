//go:build !lossy

package raftlog

import (
	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
)

// logFiles is raft-wal's own way to its segments.
func logFiles(dir string) types.SegmentFiler { return segment.NewFiler(dir, fs.New()) }
