package receipts

import (
	"hash/maphash"
	"sync"

	"almenara/storage/receipt"
)

// repeatsMost is how many receipts one generation of repeats holds: some 3 MB.
const repeatsMost = 1 << 17

// repeats remembers, as hashes, what devices have told lately and was recorded: one that
// repeats itself, because the PUBACK was lost on the way, is answered from memory and
// makes no entry of the log. What is forgotten is recorded once more, which counts the
// same. Safe for concurrent use.
type repeats struct {
	seed maphash.Seed

	mu       sync.Mutex
	now, old map[uint64]struct{}
}

func newRepeats() *repeats {
	return &repeats{seed: maphash.MakeSeed(), now: map[uint64]struct{}{}, old: map[uint64]struct{}{}}
}

// key stands for all that a receipt says but for its time: the first one's counts. An answer has its time:
// one that is given again after another one is the newest.
func (c *repeats) key(r receipt.Receipt) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	_, _ = h.WriteString(string(r.Alert)) // a hash takes everything
	for shift := 0; shift < 64; shift += 8 {
		_ = h.WriteByte(byte(uint64(r.Revision) >> shift))
	}
	for shift := 0; shift < 32; shift += 8 {
		_ = h.WriteByte(byte(r.Member >> shift))
	}
	_ = h.WriteByte(byte(r.Rung))
	if _, _ = h.WriteString(r.Answer); r.Answer != "" {
		at := r.At.UnixMilli()
		for shift := 0; shift < 64; shift += 8 {
			_ = h.WriteByte(byte(uint64(at) >> shift))
		}
	}
	return h.Sum64()
}

// leaveOut leaves out of rs, in place, what was recorded before, and says what to remember
// when the rest is.
func (c *repeats) leaveOut(rs []receipt.Receipt) (kept []receipt.Receipt, keys []uint64) {
	keys = make([]uint64, 0, len(rs))
	kept = rs[:0]
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range rs {
		key := c.key(r)
		if c.has(key) {
			continue
		}
		kept, keys = append(kept, r), append(keys, key)
	}
	return kept, keys
}

func (c *repeats) has(key uint64) bool {
	if _, ok := c.now[key]; ok {
		return true
	}
	_, ok := c.old[key]
	return ok
}

// remember notes that what the keys stand for was recorded.
func (c *repeats) remember(keys []uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		c.now[key] = struct{}{}
	}
	if len(c.now) >= repeatsMost {
		c.now, c.old = map[uint64]struct{}{}, c.now
	}
}
