//go:build linux

package mount

import (
	"os"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// GetAttr implements fuse.RawFileSystem.
func (fs *fileSystem) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	a, err := fs.disk.Attr(fs.node(in.NodeId))
	out.SetTimeout(forever)
	describe(a, &out.Attr)
	return status(err)
}

// SetAttr implements fuse.RawFileSystem. Owners are not kept.
func (fs *fileSystem) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	n := fs.node(in.NodeId)
	if mode, ok := in.GetMode(); ok {
		if err := fs.disk.SetMode(n, mode); err != nil {
			return status(err)
		}
	}
	if size, ok := in.GetSize(); ok {
		if err := fs.disk.SetSize(n, int64(size)); err != nil {
			return status(err)
		}
	}
	if at, ok := in.GetMTime(); ok {
		if err := fs.disk.SetModified(n, at); err != nil {
			return status(err)
		}
	}
	a, err := fs.disk.Attr(n)
	out.SetTimeout(forever)
	describe(a, &out.Attr)
	return status(err)
}

// Open implements fuse.RawFileSystem: the kernel keeps what it has cached.
func (fs *fileSystem) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n := fs.node(in.NodeId)
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	if in.Flags&uint32(os.O_TRUNC) != 0 {
		return status(fs.disk.SetSize(n, 0))
	}
	_, err := fs.disk.Attr(n)
	return status(err)
}

// Create implements fuse.RawFileSystem.
func (fs *fileSystem) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	n, a, err := fs.disk.Make(fs.node(in.NodeId), name, unix.S_IFREG|in.Mode, "")
	if err == nil {
		fs.tell(n, a, &out.EntryOut)
		out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	}
	return status(err)
}

// Read implements fuse.RawFileSystem.
func (fs *fileSystem) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	got, err := fs.disk.Read(fs.node(in.NodeId), int64(in.Offset), buf)
	return fuse.ReadResultData(buf[:got]), status(err)
}

// Write implements fuse.RawFileSystem.
func (fs *fileSystem) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if err := fs.disk.Write(fs.node(in.NodeId), int64(in.Offset), data); err != nil {
		return 0, status(err)
	}
	return uint32(len(data)), fuse.OK
}

// Flush implements fuse.RawFileSystem: closing a file makes nothing durable.
func (fs *fileSystem) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }

// Release implements fuse.RawFileSystem.
func (fs *fileSystem) Release(<-chan struct{}, *fuse.ReleaseIn) {}

// Fsync implements fuse.RawFileSystem: fsync, fdatasync and msync.
func (fs *fileSystem) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return status(fs.disk.Sync(fs.node(in.NodeId)))
}

// Fallocate implements fuse.RawFileSystem for taking space, nothing else.
func (fs *fileSystem) Fallocate(_ <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	if in.Mode&^unix.FALLOC_FL_KEEP_SIZE != 0 {
		return fuse.Status(unix.EOPNOTSUPP)
	}
	err := fs.disk.Allocate(fs.node(in.NodeId), int64(in.Offset), int64(in.Length), in.Mode == 0)
	return status(err)
}

// StatFs implements fuse.RawFileSystem.
func (fs *fileSystem) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	total, used, err := fs.disk.Space()
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	out.Blocks, out.Bfree = uint64(total/4096), uint64(max(total-used, 0)/4096)
	out.Bavail = out.Bfree
	out.Files, out.Ffree = 1<<20, 1<<20
	return status(err)
}
