package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// FactKey is the place of a fact in its origin's stream.
type FactKey struct {
	Origin string // raft server id, without NUL
	Stream uint8
	Epoch  uint64
	Seq    uint64
}

// Mark is the highest sequence number of one origin, stream and epoch up to which
// everything was adopted.
type Mark struct {
	Origin string `cbor:"1,keyasint"`
	Stream uint8  `cbor:"2,keyasint"`
	Epoch  uint64 `cbor:"3,keyasint"`
	Seq    uint64 `cbor:"4,keyasint"`
}

// StoredFact is an adopted fact: the bytes of fact.Signed.Encode.
type StoredFact struct {
	Key    FactKey
	Signed []byte
}

// How an fct/ value begins.
const (
	factInline  = 0 // the signed fact follows
	factReceipt = 1 // the key of the receipt block that is the signed fact follows
)

func (k FactKey) key() []byte {
	return binary.BigEndian.AppendUint64(streamKey(prefFact, k.Origin, k.Stream, k.Epoch), k.Seq)
}

// PutFact records a fact under its place and its id. With receipt, the key of the
// block that PutReceiptBlock stored, the fact's bytes are not written a second time.
func PutFact(t *Txn, id []byte, k FactKey, signed, receipt []byte) error {
	place := k.key()
	if err := t.set(keyBytes(prefFactID, id), place[len(prefFact):]); err != nil {
		return err
	}
	if receipt != nil {
		return t.set(place, append([]byte{factReceipt}, receipt...))
	}
	return t.set(place, append([]byte{factInline}, signed...))
}

// HasFact reports whether the fact with that id was adopted.
func HasFact(t *Txn, id []byte) (bool, error) {
	raw, err := t.get(keyBytes(prefFactID, id))
	return raw != nil, err
}

// FactIDAt tells whether the fact at k has that id.
func FactIDAt(t *Txn, id []byte, k FactKey) (bool, error) {
	raw, err := t.get(keyBytes(prefFactID, id))
	return raw != nil && bytes.Equal(raw, k.key()[len(prefFact):]), err
}

// FactByID reads an adopted fact; false where there is none.
func FactByID(t *Txn, id []byte) (StoredFact, bool, error) {
	place, err := t.get(keyBytes(prefFactID, id))
	if err != nil || place == nil {
		return StoredFact{}, false, err
	}
	return factAt(t, keyBytes(prefFact, place))
}

// FactAt reads the adopted fact at k; false where there is none.
func FactAt(t *Txn, k FactKey) (StoredFact, bool, error) { return factAt(t, k.key()) }

func factAt(t *Txn, place []byte) (StoredFact, bool, error) {
	value, err := t.get(place)
	if err != nil || value == nil {
		return StoredFact{}, false, err
	}
	f, err := factOf(t, place, value)
	return f, err == nil, err
}

// factOf reads the fact behind one fct/ key and value.
func factOf(t *Txn, place, value []byte) (f StoredFact, err error) {
	if f.Key, err = parseFactKey(place); err != nil {
		return f, err
	}
	switch {
	case len(value) > 0 && value[0] == factInline:
		f.Signed = append([]byte{}, value[1:]...)
	case len(value) > 0 && value[0] == factReceipt:
		f.Signed, err = t.get(append([]byte{}, value[1:]...))
	}
	if err == nil && f.Signed == nil {
		err = fmt.Errorf("%w: fact %q has no bytes", ErrDamaged, place)
	}
	return f, err
}

func parseFactKey(place []byte) (FactKey, error) {
	rest := place[len(prefFact):]
	nul := bytes.IndexByte(rest, 0)
	if nul < 0 || len(rest) != nul+1+1+8+8 {
		return FactKey{}, fmt.Errorf("%w: fact key %q", ErrDamaged, place)
	}
	tail := rest[nul+1:]
	return FactKey{
		Origin: string(rest[:nul]), Stream: tail[0],
		Epoch: binary.BigEndian.Uint64(tail[1:]), Seq: binary.BigEndian.Uint64(tail[9:]),
	}, nil
}

// FactsAfter reads adopted facts of one origin, stream and epoch with a sequence
// number above after, in order, until limit facts or maxBytes are reached (at least
// one).
func FactsAfter(t *Txn, after FactKey, limit, maxBytes int) ([]StoredFact, error) {
	var places, values [][]byte
	prefix := streamKey(prefFact, after.Origin, after.Stream, after.Epoch)
	size := 0
	err := t.scan(prefix, append(after.key(), 0), func(k, v []byte) (bool, error) {
		places = append(places, append([]byte{}, k...))
		values = append(values, append([]byte{}, v...))
		size += len(v)
		return len(places) < limit && size < maxBytes, nil
	})
	if err != nil {
		return nil, err
	}
	return factsOf(t, places, values, maxBytes)
}

// factsOf resolves places to facts outside of the iteration, up to maxBytes.
func factsOf(t *Txn, places, values [][]byte, maxBytes int) ([]StoredFact, error) {
	var out []StoredFact
	size := 0
	for i := range places {
		f, err := factOf(t, places[i], values[i])
		if err != nil {
			return nil, err
		}
		if size += len(f.Signed); size > maxBytes && len(out) > 0 {
			break
		}
		out = append(out, f)
	}
	return out, nil
}

// MarkOf reads the highest contiguous sequence number; 0 for an unknown stream.
func MarkOf(t *Txn, origin string, stream uint8, epoch uint64) (uint64, error) {
	m, _, err := load[Mark](t, streamKey(prefMark, origin, stream, epoch))
	return m.Seq, err
}

// SetMark writes a mark.
func SetMark(t *Txn, m Mark) error {
	return save(t, streamKey(prefMark, m.Origin, m.Stream, m.Epoch), m)
}

// Marks reads all marks by origin, stream and epoch.
func Marks(t *Txn) ([]Mark, error) { return list[Mark](t, prefMark, nil, 0, nil) }
