// Package disk is a model of a disk that keeps, after a power cut, what was synced
// and of the rest only what a seed decides. It is a file system in memory without a
// kernel: package mount puts one in front of it.
//
// The model. Writes, sizes and names are volatile first.
//
//   - Sync of a file makes its content and size durable, nothing else.
//   - Names (create, link, rename, unlink, mkdir) become durable with the Sync of their
//     directory. A rename is atomic. Ordered disks (ext4 with its journal) keep names
//     in the order in which they were changed, and any Sync makes all earlier ones
//     durable; others (what POSIX promises) keep the order within one directory only.
//   - At a cut every 4 KiB page that was not synced is the old or the new one; a page
//     of the last write may be torn at a sector of 512 bytes. A size that was not
//     synced is the old or the new one; what was never written reads as zeros.
//   - Names that were not synced: for each directory (ordered: for the disk) the first
//     few changes are there, how many is the seed's choice.
//   - One cut in four drops everything that was not synced, one in four keeps all of
//     it, the others choose page by page.
//
// Not modelled: a page in a version between its last sync and its last write; modes and
// times (durable at once); bit rot; a disk that lies about its cache.
package disk

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// PageSize is the unit of what survives, in bytes; SectorSize that of a torn page.
const (
	PageSize   = 4096
	SectorSize = 512
)

// Disk is one disk with one file system. Methods may be called from any goroutine.
// After Cut every one that can fail answers EIO.
type Disk struct {
	Ordered bool // names as a journaling file system keeps them; set before use

	mu     sync.Mutex
	root   *Node
	lastID uint64
	renew  uint64 // order of name changes
	names  []*rename
	last   lastWrite

	used, capacity int64 // pages; capacity 0 is without end

	seed    uint64
	dead    bool
	cut     chan struct{} // closed by Cut
	flushes uint64
	cutAt   uint64
	failing bool
	slow    time.Duration
	stalled chan struct{} // non-nil while flushes block; closed to let them go

	// Flushing is called before each flush has an effect, with its number, from 1, and
	// may call Crash. Nil is nothing. Set before use.
	Flushing func(n uint64)
}

type lastWrite struct {
	node     *Node
	from, to int64 // pages, inclusive
}

// New makes an empty disk. The same seed and the same calls leave the same after a
// cut.
func New(seed uint64) *Disk {
	d := &Disk{seed: seed, cut: make(chan struct{})}
	d.root = d.node(syscall.S_IFDIR | 0o755)
	return d
}

// Root is the directory that everything is in.
func (d *Disk) Root() *Node { return d.root }

func (d *Disk) node(mode uint32) *Node {
	d.lastID++
	n := &Node{ID: d.lastID, mode: mode, modified: time.Now()}
	if n.Dir() {
		n.names, n.durable = map[string]*Node{}, map[string]*Node{}
	} else {
		n.pages, n.synced, n.dirty = map[int64]*page{}, map[int64]*page{}, map[int64]struct{}{}
	}
	return n
}

// enter locks the disk; every call that reads or changes begins with it.
func (d *Disk) enter() error {
	d.mu.Lock()
	if d.dead {
		d.mu.Unlock()
		return syscall.EIO
	}
	return nil
}

// random is the source of one crash's choices.
func (d *Disk) random(salt uint64) *rand.Rand { return rand.New(rand.NewPCG(d.seed, salt)) }

// take accounts for pages that get space on the disk.
func (d *Disk) take(pages int64) error {
	if d.capacity > 0 && d.used+pages > d.capacity {
		return syscall.ENOSPC
	}
	d.used += pages
	return nil
}

// Space is the size of the disk and what is used, in bytes. A disk without a capacity
// tells 1 TiB.
func (d *Disk) Space() (total, used int64, err error) {
	if err := d.enter(); err != nil {
		return 0, 0, err
	}
	defer d.mu.Unlock()
	total = int64(1) << 40
	if d.capacity > 0 {
		total = d.capacity * PageSize
	}
	return total, d.used * PageSize, nil
}
