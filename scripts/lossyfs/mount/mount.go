//go:build linux

// Package mount gives a disk.Disk to the kernel through FUSE. It needs root and
// /dev/fuse, no helper program. The process that mounts must not touch the mount
// itself: a page fault on a mapped file would wait for this process and in it.
//
// Files are cached by the kernel and may be mapped: msync(2) arrives as a Sync, what was
// only written to the mapping arrives as Write when the kernel likes, at the latest when the
// mapping or the file is closed, and is then volatile on the disk as everything else.
package mount

import (
	"errors"
	"fmt"
	"log"
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"almenara/scripts/lossyfs/disk"
)

// ErrNoFUSE: this machine has no /dev/fuse, or this process may not use it.
var ErrNoFUSE = errors.New("this needs /dev/fuse and root, which are not here")

// Mount is one mounted disk.
type Mount struct {
	dir    string
	server *fuse.Server
}

// Start mounts d on dir, an existing directory. The caller must Stop it.
func Start(dir string, d *disk.Disk) (*Mount, error) {
	probe, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil || os.Geteuid() != 0 {
		return nil, errors.Join(ErrNoFUSE, err)
	}
	if err := probe.Close(); err != nil {
		return nil, err
	}
	server, err := fuse.NewServer(newFileSystem(d), dir, &fuse.MountOptions{
		DirectMountStrict: true, FsName: "lossyfs", Name: "lossyfs", MaxWrite: 1 << 20, MaxBackground: 64,
		DisableXAttrs: true, DisableReadDirPlus: true, AllowOther: true, Logger: log.New(os.Stderr, "lossyfs: ", 0),
	})
	if err != nil {
		return nil, fmt.Errorf("mounting on %s: %w", dir, err)
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		return nil, errors.Join(fmt.Errorf("mounting on %s: %w", dir, err), force(dir))
	}
	return &Mount{dir: dir, server: server}, nil
}

// Stop takes the mount away, also where processes still have files open: they get
// errors. It returns when the server has ended.
func (m *Mount) Stop() error {
	err := syscall.Unmount(m.dir, 0)
	if err != nil {
		err = force(m.dir)
	}
	if err != nil {
		return fmt.Errorf("unmounting %s: %w", m.dir, err)
	}
	m.server.Wait()
	return nil
}

// force ends the connection, then takes the directory out of the name space.
func force(dir string) error {
	if err := syscall.Unmount(dir, syscall.MNT_FORCE); err == nil {
		return nil
	}
	return syscall.Unmount(dir, syscall.MNT_DETACH)
}
