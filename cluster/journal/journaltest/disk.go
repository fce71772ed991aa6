package journaltest

import (
	"errors"
	"io"
	"sync"
)

// Disk is files in memory that lose at a power cut what was not synced. It may be used
// from any goroutine.
type Disk struct {
	mu    sync.Mutex
	files map[string]*File
	syncs int
	skip  bool          // Sync does nothing and says nothing
	fails error         // what Sync answers; nil when it works
	hold  chan struct{} // non-nil: Sync waits for it
}

// NewDisk is an empty disk.
func NewDisk() *Disk { return &Disk{files: map[string]*File{}} }

// Open opens the file at path, which is made with size bytes of zeros, durably.
func (d *Disk) Open(path string, size int64) *File {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[path]
	if f == nil {
		f = &File{d: d, live: make([]byte, size), stable: make([]byte, size)}
		d.files[path] = f
	}
	return f
}

// Crash forgets what was not synced.
func (d *Disk) Crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		f.live = append([]byte(nil), f.stable...)
	}
}

// SkipSyncs makes every Sync do nothing and say nothing: the guard is taken away.
func (d *Disk) SkipSyncs(skip bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.skip = skip
}

// FailSyncs makes every Sync answer err and keep nothing; nil makes it work again.
func (d *Disk) FailSyncs(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails = err
}

// HoldSyncs makes every Sync wait until release is called, which may be repeated.
func (d *Disk) HoldSyncs() (release func()) {
	hold := make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hold = hold
	return sync.OnceFunc(func() { close(hold) })
}

// Syncs is how many Syncs were made.
func (d *Disk) Syncs() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs
}

// File is one file of a Disk, of a fixed size.
type File struct {
	d            *Disk
	live, stable []byte
}

// ReadAt is io.ReaderAt.
func (f *File) ReadAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if n := copy(b, f.live[min(at, int64(len(f.live))):]); n < len(b) {
		return n, io.EOF
	}
	return len(b), nil
}

// WriteAt is io.WriterAt; what lies beyond the file's size is refused.
func (f *File) WriteAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if at+int64(len(b)) > int64(len(f.live)) {
		return 0, errors.New("no space left on device")
	}
	return copy(f.live[at:], b), nil
}

// Sync makes what was written survive a power cut.
func (f *File) Sync() error {
	f.d.mu.Lock()
	hold := f.d.hold
	f.d.mu.Unlock()
	if hold != nil {
		<-hold
	}
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.d.syncs++
	if f.d.fails != nil {
		return f.d.fails
	}
	if !f.d.skip {
		copy(f.stable, f.live)
	}
	return nil
}

// Close does nothing.
func (f *File) Close() error { return nil }
