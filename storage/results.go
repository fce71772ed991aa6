package storage

import "encoding/binary"

// KeptResults is how many request results are kept for repeats.
const KeptResults = 10_000

// RequestResult is the first answer to a request id.
type RequestResult struct {
	RequestID string `cbor:"1,keyasint"`
	Result    []byte `cbor:"2,keyasint"` // command.Result.Encode
}

// PutResult records the answer in the ring, in place of the oldest, and returns the
// request id that it displaced ("": none).
func PutResult(t *Txn, r RequestResult) (displaced string, slot uint32, err error) {
	raw, err := t.Get(keyResults)
	if err != nil {
		return "", 0, err
	}
	var n uint64
	if len(raw) == 8 {
		n = binary.BigEndian.Uint64(raw)
	}
	slot = uint32(n % KeptResults)
	k := Key32(prefResult, slot)
	if n >= KeptResults {
		old, _, err := Load[RequestResult](t, k)
		if err != nil {
			return "", 0, err
		}
		displaced = old.RequestID
	}
	if err := t.Set(keyResults, binary.BigEndian.AppendUint64(nil, n+1)); err != nil {
		return "", 0, err
	}
	return displaced, slot, Save(t, k, r)
}

// ResultAt reads one slot of the ring.
func ResultAt(t *Txn, slot uint32) (RequestResult, bool, error) {
	return Load[RequestResult](t, Key32(prefResult, slot))
}

// Results calls fn for every slot of the ring.
func Results(t *Txn, fn func(slot uint32, r RequestResult)) error {
	return t.Scan(prefResult, nil, func(k, v []byte) (bool, error) {
		r, err := Decode[RequestResult](k, v)
		if err != nil {
			return false, err
		}
		fn(binary.BigEndian.Uint32(k[len(prefResult):]), r)
		return true, nil
	})
}
