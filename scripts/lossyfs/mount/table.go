//go:build linux

package mount

import (
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"almenara/scripts/lossyfs/disk"
)

// forever is how long the kernel may believe what it was told: nobody else changes
// the disk.
const forever = 24 * time.Hour

// fileSystem answers the kernel.
type fileSystem struct {
	fuse.RawFileSystem
	disk *disk.Disk

	mu    sync.Mutex
	nodes map[uint64]*known // by the id that the kernel uses
}

// known is a node that the kernel may name, and how often it was told of it.
type known struct {
	node    *disk.Node
	lookups uint64
}

func newFileSystem(d *disk.Disk) *fileSystem {
	return &fileSystem{
		RawFileSystem: fuse.NewDefaultRawFileSystem(), disk: d,
		nodes: map[uint64]*known{fuse.FUSE_ROOT_ID: {node: d.Root(), lookups: 1}},
	}
}

// String implements fuse.RawFileSystem.
func (fs *fileSystem) String() string { return "lossyfs" }

// node finds what the kernel means. The root's id is FUSE's own.
func (fs *fileSystem) node(id uint64) *disk.Node {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.nodes[id].node
}

// Forget implements fuse.RawFileSystem.
func (fs *fileSystem) Forget(id, times uint64) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	k := fs.nodes[id]
	if k == nil || id == fuse.FUSE_ROOT_ID {
		return
	}
	if k.lookups -= min(times, k.lookups); k.lookups == 0 {
		delete(fs.nodes, id)
	}
}

// tell answers with a node.
func (fs *fileSystem) tell(n *disk.Node, a disk.Attr, out *fuse.EntryOut) {
	id := n.ID
	if n == fs.disk.Root() {
		id = fuse.FUSE_ROOT_ID
	}
	fs.mu.Lock()
	if fs.nodes[id] == nil {
		fs.nodes[id] = &known{node: n}
	}
	fs.nodes[id].lookups++
	fs.mu.Unlock()
	out.NodeId, out.Generation = id, 1
	out.SetEntryTimeout(forever)
	out.SetAttrTimeout(forever)
	describe(a, &out.Attr)
}

func describe(a disk.Attr, out *fuse.Attr) {
	out.Ino, out.Mode, out.Nlink = a.ID, a.Mode, a.Links
	out.Size, out.Blocks, out.Blksize = uint64(a.Size), uint64(a.Space/512), disk.PageSize
	out.SetTimes(&a.Modified, &a.Modified, &a.Modified)
}

// status is the kernel's word for an error.
func status(err error) fuse.Status {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return fuse.Status(errno)
	}
	if err != nil {
		return fuse.EIO
	}
	return fuse.OK
}
