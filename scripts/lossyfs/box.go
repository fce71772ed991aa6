//go:build linux

package main

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"almenara/scripts/lossyfs/disk"
	"almenara/scripts/lossyfs/mount"
)

// box is the disk and its mount through several power cuts.
type box struct {
	o    options
	quit chan struct{} // closed by the command quit
	once sync.Once

	mu    sync.Mutex // guards what follows
	disk  *disk.Disk
	mount *mount.Mount // nil while unmounted
	cuts  uint64
}

func open(o options) (*box, error) {
	b := &box{o: o, quit: make(chan struct{}), disk: disk.New(o.seed)}
	b.disk.Ordered = o.ordered
	if err := b.disk.Import(o.store); err != nil {
		return nil, err
	}
	var err error
	b.mount, err = mount.Start(o.mount, b.disk)
	return b, err
}

// now is the disk that is in use.
func (b *box) now() *disk.Disk {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.disk
}

// remount takes the power away, where it is not gone yet, and gives it back.
func (b *box) remount() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disk.Cut()
	if err := b.unmount(); err != nil {
		return err
	}
	b.cuts++
	b.disk = b.disk.Crash(b.cuts)
	var err error
	b.mount, err = mount.Start(b.o.mount, b.disk)
	return err
}

func (b *box) unmount() error {
	if b.mount == nil {
		return nil
	}
	err := b.mount.Stop()
	b.mount = nil
	return err
}

// writeback asks the kernel for its cached pages. The call comes back here as writes,
// which other goroutines answer.
func (b *box) writeback() error {
	dir, err := os.Open(b.o.mount)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return fmt.Errorf("writing back: %w", err)
	}
	return nil
}

// save writes everything that is on the disk into the store; a disk that lost power
// leaves there what a cut leaves.
func (b *box) save() error {
	d := b.now()
	select {
	case <-d.Dark():
		b.mu.Lock()
		d = d.Crash(b.cuts + 1)
		b.mu.Unlock()
	default:
		if err := b.writeback(); err != nil {
			return err
		}
	}
	return replaceTree(b.o.store, d.Export)
}

func (b *box) end() { b.once.Do(func() { close(b.quit) }) }

func (b *box) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disk.Release()
	return b.unmount()
}
