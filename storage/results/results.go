// Package results keeps the first answers to requests, so that a repeated one gets the same: a ring of
// the newest. It may import nothing of ours but storage.
package results

import (
	"encoding/binary"

	"almenara/storage"
)

// keyResults has the number of results ever recorded.
var keyResults = []byte("rsn")

// Kept is how many results are kept for repeats.
const Kept = 10_000

// Result is the first answer to a request id.
type Result struct {
	RequestID string `cbor:"1,keyasint"`
	Result    []byte `cbor:"2,keyasint"` // command.Result.Encode
}

// Put records the answer in the ring, in place of the oldest, and returns the
// request id that it displaced ("": none).
func Put(t *storage.Txn, r Result) (displaced string, slot uint32, err error) {
	raw, err := t.Get(keyResults)
	if err != nil {
		return "", 0, err
	}
	var n uint64
	if len(raw) == 8 {
		n = binary.BigEndian.Uint64(raw)
	}
	slot = uint32(n % Kept)
	k := storage.Key32(storage.PrefResult, slot)
	if n >= Kept {
		old, _, err := storage.Load[Result](t, k)
		if err != nil {
			return "", 0, err
		}
		displaced = old.RequestID
	}
	if err := t.Set(keyResults, binary.BigEndian.AppendUint64(nil, n+1)); err != nil {
		return "", 0, err
	}
	return displaced, slot, storage.Save(t, k, r)
}

// Set replaces the answer in one slot of the ring.
func Set(t *storage.Txn, slot uint32, r Result) error {
	return storage.Save(t, storage.Key32(storage.PrefResult, slot), r)
}

// At reads one slot of the ring.
func At(t *storage.Txn, slot uint32) (Result, bool, error) {
	return storage.Load[Result](t, storage.Key32(storage.PrefResult, slot))
}

// Each calls fn for every slot of the ring.
func Each(t *storage.Txn, fn func(slot uint32, r Result)) error {
	return t.Scan(storage.PrefResult, nil, func(k, v []byte) (bool, error) {
		r, err := storage.Decode[Result](k, v)
		if err != nil {
			return false, err
		}
		fn(binary.BigEndian.Uint32(k[len(storage.PrefResult):]), r)
		return true, nil
	})
}
