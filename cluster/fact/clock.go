package fact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sync"
	"time"

	"almenara/storage/durable"
)

const (
	// maxJump is how far ahead another node's clock may be to be followed: one box
	// with a bad clock must not drag the district into another year.
	maxJump = 60 * time.Second
	// clockLead is how far ahead the ceiling on disk is; a restart begins at most
	// this far ahead of where the clock stood.
	clockLead = 10 * time.Second
)

// Clock is a hybrid logical clock (Kulkarni et al. 2014): 48 bits of milliseconds
// since 1970 and 16 of counter. It never goes back, across restarts either, and is
// ahead of everything it observed. It orders and displays; it decides nothing that
// matters for safety.
type Clock struct {
	path string
	wall func() time.Time

	mu      sync.Mutex
	last    uint64
	ceiling uint64 // on disk: last is below it
}

// OpenClock reads the ceiling in path, a small file of its own, which it makes. wall is
// the time of day, asked from any goroutine; nil is time.Now.
func OpenClock(path string, wall func() time.Time) (*Clock, error) {
	if wall == nil {
		wall = time.Now
	}
	c := &Clock{path: path, wall: wall}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("opening clock: %w", err)
	}
	if len(b) == 12 && ceilingSum(b[:8]) == binary.LittleEndian.Uint32(b[8:]) {
		c.last = binary.LittleEndian.Uint64(b)
	}
	c.ceiling = c.last
	return c, nil
}

// Wall is the time of day that the clock goes by.
func (c *Clock) Wall() time.Time { return c.wall() }

// HLC is the hybrid time of t with counter 0.
func HLC(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) << 16 }

// WallTime is the wall clock part of a hybrid time.
func WallTime(hlc uint64) time.Time { return time.UnixMilli(int64(hlc >> 16)).UTC() }

// Now returns a time above every one before. About every 10 seconds it writes and
// syncs the ceiling; when that fails the time is still good for this run, and the
// error says that a restart may repeat it.
func (c *Clock) Now() (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last+1, HLC(c.wall()))
	return c.last, c.persist()
}

// Observe takes another node's time into account. It returns false, and does not
// follow, when that is more than 60 s ahead of this node's wall clock.
func (c *Clock) Observe(remote uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if remote > HLC(c.wall().Add(maxJump)) {
		return false
	}
	c.last = max(c.last, remote)
	return true
}

func (c *Clock) persist() error {
	if c.last < c.ceiling {
		return nil
	}
	ceiling := c.last + uint64(clockLead.Milliseconds())<<16
	b := binary.LittleEndian.AppendUint64(nil, ceiling)
	b = binary.LittleEndian.AppendUint32(b, ceilingSum(b))
	if err := durable.WriteFile(c.path, b); err != nil {
		return fmt.Errorf("writing clock's ceiling: %w", err)
	}
	c.ceiling = ceiling
	return nil
}

func ceilingSum(ceiling []byte) uint32 {
	return crc32.Checksum(ceiling, crc32.MakeTable(crc32.Castagnoli))
}
