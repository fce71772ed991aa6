package fsm

import (
	"crypto/sha256"
	"fmt"
)

// StateHash is the hash of the agreed state, and the index that it holds for: equal
// on every replica at the same index. It reads everything, which takes about a second
// per million members.
func (f *FSM) StateHash() (index uint64, sum [sha256.Size]byte, err error) {
	t, err := f.store.Read()
	if err != nil {
		return 0, sum, err
	}
	defer t.Discard()
	a, err := t.Applied()
	if err != nil {
		return 0, sum, err
	}
	sum, err = t.Hash()
	return a.Index, sum, err
}

// hash opens a view of the state right after the entry at index and hashes it in the
// background, so that a large state does not hold up what follows.
func (f *FSM) hash(index uint64) error {
	if f.hooks.Hashed == nil || f.closed.Load() {
		return nil
	}
	t, err := f.store.Read()
	if err != nil {
		return fmt.Errorf("reading state at %d: %w", index, err)
	}
	f.hashing.Go(func() {
		defer t.Discard()
		f.hashMu.Lock()
		defer f.hashMu.Unlock()
		sum, err := t.Hash()
		if err != nil {
			f.halt(fmt.Errorf("hashing state at %d: %w", index, err))
			return
		}
		f.hooks.Hashed(index, sum)
	})
	return nil
}
