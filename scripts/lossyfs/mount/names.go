//go:build linux

package mount

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Lookup implements fuse.RawFileSystem.
func (fs *fileSystem) Lookup(_ <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	n, a, err := fs.disk.Lookup(fs.node(in.NodeId), name)
	if err == nil {
		fs.tell(n, a, out)
	}
	return status(err)
}

// Mknod implements fuse.RawFileSystem for plain files.
func (fs *fileSystem) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if kind := in.Mode & unix.S_IFMT; kind != 0 && kind != unix.S_IFREG {
		return fuse.EPERM
	}
	return fs.make(in.NodeId, name, unix.S_IFREG|in.Mode, "", out)
}

// Mkdir implements fuse.RawFileSystem.
func (fs *fileSystem) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return fs.make(in.NodeId, name, unix.S_IFDIR|in.Mode, "", out)
}

// Symlink implements fuse.RawFileSystem.
func (fs *fileSystem) Symlink(_ <-chan struct{}, in *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return fs.make(in.NodeId, name, unix.S_IFLNK|0o777, target, out)
}

func (fs *fileSystem) make(dir uint64, name string, mode uint32, target string, out *fuse.EntryOut) fuse.Status {
	n, a, err := fs.disk.Make(fs.node(dir), name, mode, target)
	if err == nil {
		fs.tell(n, a, out)
	}
	return status(err)
}

// Readlink implements fuse.RawFileSystem.
func (fs *fileSystem) Readlink(_ <-chan struct{}, in *fuse.InHeader) ([]byte, fuse.Status) {
	target, err := fs.disk.Target(fs.node(in.NodeId))
	return []byte(target), status(err)
}

// Link implements fuse.RawFileSystem.
func (fs *fileSystem) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	n := fs.node(in.Oldnodeid)
	a, err := fs.disk.Link(n, fs.node(in.NodeId), name)
	if err == nil {
		fs.tell(n, a, out)
	}
	return status(err)
}

// Unlink implements fuse.RawFileSystem.
func (fs *fileSystem) Unlink(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return status(fs.disk.Remove(fs.node(in.NodeId), name, false))
}

// Rmdir implements fuse.RawFileSystem.
func (fs *fileSystem) Rmdir(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return status(fs.disk.Remove(fs.node(in.NodeId), name, true))
}

// Rename implements fuse.RawFileSystem.
func (fs *fileSystem) Rename(_ <-chan struct{}, in *fuse.RenameIn, name, newName string) fuse.Status {
	if in.Flags&^unix.RENAME_NOREPLACE != 0 {
		return fuse.EINVAL
	}
	keep := in.Flags&unix.RENAME_NOREPLACE != 0
	return status(fs.disk.Rename(fs.node(in.NodeId), name, fs.node(in.Newdir), newName, keep))
}

// OpenDir implements fuse.RawFileSystem.
func (fs *fileSystem) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, _ *fuse.OpenOut) fuse.Status {
	_, err := fs.disk.Attr(fs.node(in.NodeId))
	return status(err)
}

// ReadDir implements fuse.RawFileSystem. A name that goes while the list is read moves
// the others up; nobody here reads and removes at once.
func (fs *fileSystem) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	names, attrs, err := fs.disk.Names(fs.node(in.NodeId))
	for i := int(in.Offset); err == nil && i < len(names); i++ {
		if !out.AddDirEntry(fuse.DirEntry{Name: names[i], Ino: attrs[i].ID, Mode: attrs[i].Mode, Off: uint64(i + 1)}) {
			break
		}
	}
	return status(err)
}

// ReleaseDir implements fuse.RawFileSystem.
func (fs *fileSystem) ReleaseDir(*fuse.ReleaseIn) {}

// FsyncDir implements fuse.RawFileSystem.
func (fs *fileSystem) FsyncDir(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return status(fs.disk.Sync(fs.node(in.NodeId)))
}
