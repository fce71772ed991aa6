package fsm

import (
	"crypto/sha256"

	"almenara/storage"
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
	a, err := storage.AppliedRecord.Value(t)
	if err != nil {
		return 0, sum, err
	}
	sum, err = t.Hash()
	return a.Index, sum, err
}
