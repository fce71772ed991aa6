package storage

import "encoding/binary"

// KeptFact is one adopted fact of a kind that is listed, and where it stands.
type KeptFact struct {
	Index uint64 // raft index of its adoption
	N     uint16 // within the entry
	StoredFact
}

// KeepFact lists an adopted fact under its kind, in log order.
func KeepFact(t *Txn, kind uint8, index uint64, n uint16, id []byte) error {
	return t.set(keptKey(kind, index, n), id)
}

// KeptFacts reads up to limit (0: all) adopted facts of a kind in log order, after the
// place index, n; 0, 0 is from the first, because no entry has the index 0.
func KeptFacts(t *Txn, kind uint8, index uint64, n uint16, limit int) ([]KeptFact, error) {
	var out []KeptFact
	var ids [][]byte
	prefix := append(append([]byte{}, prefRecord...), kind)
	err := t.scan(prefix, append(keptKey(kind, index, n), 0), func(k, id []byte) (bool, error) {
		place := k[len(prefix):]
		out = append(out, KeptFact{Index: binary.BigEndian.Uint64(place), N: binary.BigEndian.Uint16(place[8:])})
		ids = append(ids, append([]byte{}, id...))
		return len(out) != limit, nil
	})
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if out[i].StoredFact, _, err = FactByID(t, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func keptKey(kind uint8, index uint64, n uint16) []byte {
	k := append(append(make([]byte, 0, len(prefRecord)+11), prefRecord...), kind)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(k, index), n)
}
