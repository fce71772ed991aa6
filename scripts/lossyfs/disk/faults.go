package disk

import "time"

// Flushes is how many flushes there were.
func (d *Disk) Flushes() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flushes
}

// CutAt cuts the power at flush n, counted as in Flushes: the flush may have taken
// place or not, its caller gets EIO. 0 takes it back.
func (d *Disk) CutAt(n uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cutAt = n
}

// Cut cuts the power now.
func (d *Disk) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.power()
}

func (d *Disk) power() {
	if !d.dead {
		d.dead = true
		close(d.cut)
	}
}

// Dark is closed when the power was cut.
func (d *Disk) Dark() <-chan struct{} { return d.cut }

// Slow makes every write and flush take this much longer; 0 ends it.
func (d *Disk) Slow(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slow = by
}

// Stall makes flushes block until Release, or the cut.
func (d *Disk) Stall() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stalled == nil {
		d.stalled = make(chan struct{})
	}
}

// Release ends Stall.
func (d *Disk) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stalled != nil {
		close(d.stalled)
		d.stalled = nil
	}
}

// Fail makes every flush answer EIO without effect, until Fail(false).
func (d *Disk) Fail(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing = on
}

// Free leaves room for so many bytes more: then writes and allocations get ENOSPC.
// Less than 0 takes the limit away.
func (d *Disk) Free(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.capacity = 0; bytes >= 0 {
		d.capacity = max(d.used+bytes/PageSize, 1)
	}
}

// await waits as the faults want, and returns with the lock held unless it fails.
func (d *Disk) await(flush bool) error {
	if err := d.enter(); err != nil {
		return err
	}
	slow, stalled := d.slow, d.stalled
	if slow == 0 && (!flush || stalled == nil) {
		return nil
	}
	d.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-d.cut:
		}
	}
	if flush && stalled != nil {
		select {
		case <-stalled:
		case <-d.cut:
		}
	}
	return d.enter()
}

// flush numbers a flush and tells Flushing of it. The lock is held on return unless
// it fails.
func (d *Disk) flush() (n uint64, err error) {
	if err := d.await(true); err != nil {
		return 0, err
	}
	d.flushes++
	n = d.flushes
	if d.Flushing == nil {
		return n, nil
	}
	d.mu.Unlock()
	d.Flushing(n)
	return n, d.enter()
}
