package factlog

import (
	"encoding/binary"

	"almenara/storage"
)

var prefRecord = []byte("rec/")

// Kept is one adopted fact of a kind that is listed, and where it stands.
type Kept struct {
	Index uint64 // raft index of its adoption
	N     uint16 // within the entry
	Fact
}

// Keep lists an adopted fact under its kind, in log order.
func Keep(t *storage.Txn, kind uint8, index uint64, n uint16, id []byte) error {
	return t.Set(keptKey(kind, index, n), id)
}

// Unlist takes an adopted fact out of the list of its kind. The fact stays where it is.
func Unlist(t *storage.Txn, kind uint8, index uint64, n uint16) error {
	return t.Delete(keptKey(kind, index, n))
}

// KeptAfter reads up to limit (0: all) adopted facts of a kind in log order, after the
// place index, n; 0, 0 is from the first, because no entry has the index 0.
func KeptAfter(t *storage.Txn, kind uint8, index uint64, n uint16, limit int) ([]Kept, error) {
	return kept(t, kind, limit, func(prefix []byte, fn func(k, id []byte) (bool, error)) error {
		return t.Scan(prefix, append(keptKey(kind, index, n), 0), fn)
	})
}

// KeptBefore reads up to limit (0: all) adopted facts of a kind, the newest in the log first, before the
// place index, n; 0, 0 is from the last.
func KeptBefore(t *storage.Txn, kind uint8, index uint64, n uint16, limit int) ([]Kept, error) {
	return kept(t, kind, limit, func(prefix []byte, fn func(k, id []byte) (bool, error)) error {
		var before []byte
		if index > 0 {
			before = keptKey(kind, index, n)
		}
		return t.ScanBack(prefix, before, fn)
	})
}

// kept reads what a scan finds.
func kept(t *storage.Txn, kind uint8, limit int, scan func(prefix []byte, fn func(k, id []byte) (bool, error)) error) ([]Kept, error) {
	var out []Kept
	var ids [][]byte
	prefix := append(append([]byte{}, prefRecord...), kind)
	err := scan(prefix, func(k, id []byte) (bool, error) {
		place := k[len(prefix):]
		out = append(out, Kept{Index: binary.BigEndian.Uint64(place), N: binary.BigEndian.Uint16(place[8:])})
		ids = append(ids, append([]byte{}, id...))
		return len(out) != limit, nil
	})
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if out[i].Fact, _, err = ByID(t, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func keptKey(kind uint8, index uint64, n uint16) []byte {
	k := append(append(make([]byte, 0, len(prefRecord)+11), prefRecord...), kind)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(k, index), n)
}

// LastAdopted reads the places of the last adopted message and of the last fact listed
// under kind, which is that of approvals.
func LastAdopted(t *storage.Txn, kind uint8) (message, approval Place, err error) {
	if message, err = lastPlace(t, prefAdoption); err != nil {
		return message, approval, err
	}
	approval, err = lastPlace(t, append(append([]byte{}, prefRecord...), kind))
	return message, approval, err
}
