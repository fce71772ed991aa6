package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"almenara/storage/durable"
)

// ballastFile holds space that is given up when the disk is full.
const ballastFile = "ballast"

// ballast is a file of which only the size matters. Safe for concurrent use.
type ballast struct {
	path string
	size int64 // 0 or less is none

	mu sync.Mutex
	on bool // the file is there
}

func newBallast(dir string, size int64) *ballast {
	b := &ballast{path: filepath.Join(dir, ballastFile), size: size}
	info, err := os.Stat(b.path)
	b.on = err == nil && info.Size() >= size
	if size <= 0 && err == nil { // it is not wanted any more
		_ = b.giveUp()
	}
	return b
}

// missing is how many bytes have to be taken back; 0 while the ballast is there.
func (b *ballast) missing() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.on || b.size <= 0 {
		return 0
	}
	return uint64(b.size)
}

// held is how many bytes the ballast holds.
func (b *ballast) held() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.on {
		return 0
	}
	return uint64(b.size)
}

// giveUp deletes the file.
func (b *ballast) giveUp() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = false
	if err := os.Remove(b.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("giving up ballast: %w", err)
	}
	return nil
}

// take makes the file with all its space. Where that fails, nothing is left of it.
func (b *ballast) take() (err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("taking ballast: %w", err)
	}
	err = errors.Join(durable.Reserve(f, b.size), f.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("taking ballast: %w", err), os.Remove(b.path))
	}
	b.on = true
	return nil
}
