package disk

import (
	"syscall"
	"time"
)

// Node is a file, a directory or a symbolic link. Its fields belong to its Disk's lock.
type Node struct {
	ID uint64 // never reused on its disk

	mode     uint32
	links    int
	modified time.Time
	target   string // of a symbolic link

	names, durable map[string]*Node // of a directory

	pages, synced     map[int64]*page // of a file; a page that is missing is zeros
	dirty             map[int64]struct{}
	size, durableSize int64
	space             bitset // pages that take room on the disk
}

// page is changed in place only while nobody else knows it.
type page struct {
	bytes  [PageSize]byte
	shared bool
}

// Dir says that n is a directory.
func (n *Node) Dir() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }

// Attr is what stat(2) tells of a node.
type Attr struct {
	ID       uint64
	Mode     uint32 // with the type
	Links    uint32
	Size     int64 // bytes
	Space    int64 // bytes that it takes on the disk
	Modified time.Time
}

func (n *Node) attr() Attr {
	return Attr{
		ID: n.ID, Mode: n.mode, Links: uint32(max(n.links, 1)), Size: n.size,
		Space: n.space.count * PageSize, Modified: n.modified,
	}
}

// Attr tells what n is.
func (d *Disk) Attr(n *Node) (Attr, error) {
	if err := d.enter(); err != nil {
		return Attr{}, err
	}
	defer d.mu.Unlock()
	return n.attr(), nil
}

// SetMode changes the permissions.
func (d *Disk) SetMode(n *Node, mode uint32) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	n.mode = n.mode&syscall.S_IFMT | mode&^syscall.S_IFMT
	return nil
}

// SetModified changes the time of the last change.
func (d *Disk) SetModified(n *Node, at time.Time) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	n.modified = at
	return nil
}

// bitset says which pages of a file have space.
type bitset struct {
	words []uint64
	count int64
}

// missing is how many of the pages from first to last, inclusive, are not in the set.
func (b *bitset) missing(first, last int64) (n int64) {
	for i := first; i <= last; i++ {
		if !b.has(i) {
			n++
		}
	}
	return n
}

func (b *bitset) has(i int64) bool {
	return i>>6 < int64(len(b.words)) && b.words[i>>6]&(1<<(i&63)) != 0
}

func (b *bitset) add(first, last int64) {
	for int64(len(b.words)) <= last>>6 {
		b.words = append(b.words, 0)
	}
	for i := first; i <= last; i++ {
		if !b.has(i) {
			b.words[i>>6] |= 1 << (i & 63)
			b.count++
		}
	}
}

// cut removes the pages from first on.
func (b *bitset) cut(first int64) (removed int64) {
	for i := first; i < int64(len(b.words))*64; i++ {
		if b.has(i) {
			b.words[i>>6] &^= 1 << (i & 63)
			removed++
		}
	}
	b.count -= removed
	return removed
}
