package disk

import (
	"syscall"
	"time"
)

// Read fills buf from offset at and returns how much there was.
func (d *Disk) Read(n *Node, at int64, buf []byte) (int, error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	end := min(at+int64(len(buf)), n.size)
	if at >= end {
		return 0, nil
	}
	buf = buf[:end-at]
	for done := int64(0); done < int64(len(buf)); {
		i, off := (at+done)/PageSize, (at+done)%PageSize
		part := buf[done:min(done+PageSize-off, int64(len(buf)))]
		if p := n.pages[i]; p != nil {
			copy(part, p.bytes[off:])
		} else {
			clear(part)
		}
		done += int64(len(part))
	}
	return len(buf), nil
}

// Write puts data at offset at: volatile until Sync. ENOSPC leaves everything as it
// was.
func (d *Disk) Write(n *Node, at int64, data []byte) error {
	if err := d.await(false); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if len(data) == 0 {
		return nil
	}
	first, last := at/PageSize, (at+int64(len(data))-1)/PageSize
	if err := d.take(n.space.missing(first, last)); err != nil {
		return err
	}
	n.space.add(first, last)
	for done := int64(0); done < int64(len(data)); {
		off := (at + done) % PageSize
		done += int64(copy(n.change((at + done) / PageSize).bytes[off:], data[done:]))
	}
	n.size = max(n.size, at+int64(len(data)))
	n.modified = time.Now()
	d.last = lastWrite{n, first, last}
	return nil
}

// change returns page i to be written to.
func (n *Node) change(i int64) *page {
	p := n.pages[i]
	switch {
	case p == nil:
		p = &page{}
	case p.shared:
		p = &page{bytes: p.bytes}
	}
	n.pages[i], n.dirty[i] = p, struct{}{}
	return p
}

// SetSize cuts the file or lengthens it with zeros that take no space.
func (d *Disk) SetSize(n *Node, size int64) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if n.Dir() {
		return syscall.EISDIR
	}
	if size < n.size {
		d.used -= n.space.cut((size + PageSize - 1) / PageSize)
		n.truncate(size)
	}
	n.size, n.modified = size, time.Now()
	return nil
}

// truncate drops what is beyond size.
func (n *Node) truncate(size int64) {
	for i := range n.pages {
		if i*PageSize >= size {
			delete(n.pages, i)
			n.dirty[i] = struct{}{}
		}
	}
	if off := size % PageSize; off != 0 && n.pages[size/PageSize] != nil {
		clear(n.change(size / PageSize).bytes[off:])
	}
}

// Allocate gives space to a range, and with grow lengthens the file to its end.
func (d *Disk) Allocate(n *Node, at, length int64, grow bool) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	first, last := at/PageSize, (at+length-1)/PageSize
	if err := d.take(n.space.missing(first, last)); err != nil {
		return err
	}
	n.space.add(first, last)
	if grow {
		n.size = max(n.size, at+length)
	}
	return nil
}

// Sync is one flush: of a file its content, of a directory its names. Durable on
// return; after an error nothing is known.
func (d *Disk) Sync(n *Node) error {
	n0, err := d.flush()
	if err != nil {
		return err
	}
	defer d.mu.Unlock()
	if n0 == d.cutAt {
		if d.random(n0).IntN(2) == 0 { // the flush took place, its caller never heard of it
			d.settle(n)
		}
		d.power()
		return syscall.EIO
	}
	if d.failing {
		return syscall.EIO
	}
	d.settle(n)
	return nil
}

func (d *Disk) settle(n *Node) {
	if n.Dir() {
		d.syncNames(n)
		return
	}
	n.sync()
	if d.last.node == n {
		d.last = lastWrite{}
	}
	if d.Ordered {
		d.syncNames(nil)
	}
}

func (n *Node) sync() {
	for i := range n.dirty {
		if p := n.pages[i]; p != nil {
			p.shared = true
			n.synced[i] = p
		} else {
			delete(n.synced, i)
		}
	}
	clear(n.dirty)
	n.durableSize = n.size
}
