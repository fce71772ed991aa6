// Package factlog keeps what was adopted: facts by their place and their id, how far the stream of
// each origin has come, receipt blocks, alert messages in the order of the log and whom they
// addressed. It does not read what is in a fact, and may import nothing of ours but storage.
package factlog

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"almenara/storage"
)

// Where the records lie; storage/keys.go has all keys.
var (
	prefFact   = []byte("fct/")
	prefFactID = []byte("fid/")
	prefMark   = []byte("mrk/")
)

// Key is the place of a fact in its origin's stream.
type Key struct {
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

// Fact is an adopted fact: the bytes of fact.Signed.Encode.
type Fact struct {
	Key    Key
	Signed []byte
}

// How an fct/ value begins.
const (
	factInline  = 0 // the signed fact follows
	factReceipt = 1 // the key of the receipt block that is the signed fact follows
)

func (k Key) key() []byte {
	return binary.BigEndian.AppendUint64(streamKey(prefFact, k.Origin, k.Stream, k.Epoch), k.Seq)
}

// Put records a fact under its place and its id. With receipt, the key of the
// block that PutReceiptBlock stored, the fact's bytes are not written a second time.
func Put(t *storage.Txn, id []byte, k Key, signed, receipt []byte) error {
	place := k.key()
	if err := t.Set(storage.Key(prefFactID, id), place[len(prefFact):]); err != nil {
		return err
	}
	if receipt != nil {
		return t.Set(place, append([]byte{factReceipt}, receipt...))
	}
	return t.Set(place, append([]byte{factInline}, signed...))
}

// Rewrite replaces what is kept of an adopted fact by what is left of it. It keeps its place and its id.
func Rewrite(t *storage.Txn, k Key, signed []byte) error {
	return t.Set(k.key(), append([]byte{factInline}, signed...))
}

// Has reports whether the fact with that id was adopted.
func Has(t *storage.Txn, id []byte) (bool, error) {
	raw, err := t.Get(storage.Key(prefFactID, id))
	return raw != nil, err
}

// IsAt tells whether the fact at k has that id.
func IsAt(t *storage.Txn, id []byte, k Key) (bool, error) {
	raw, err := t.Get(storage.Key(prefFactID, id))
	return raw != nil && bytes.Equal(raw, k.key()[len(prefFact):]), err
}

// At reads the adopted fact in a place; false where there is none.
func At(t *storage.Txn, k Key) (Fact, bool, error) { return factAt(t, k.key()) }

// ByID reads an adopted fact; false where there is none.
func ByID(t *storage.Txn, id []byte) (Fact, bool, error) {
	place, err := t.Get(storage.Key(prefFactID, id))
	if err != nil || place == nil {
		return Fact{}, false, err
	}
	return factAt(t, storage.Key(prefFact, place))
}

func factAt(t *storage.Txn, place []byte) (Fact, bool, error) {
	value, err := t.Get(place)
	if err != nil || value == nil {
		return Fact{}, false, err
	}
	f, err := factOf(t, place, value)
	return f, err == nil, err
}

// factOf reads the fact behind one fct/ key and value.
func factOf(t *storage.Txn, place, value []byte) (f Fact, err error) {
	if f.Key, err = parseFactKey(place); err != nil {
		return f, err
	}
	switch {
	case len(value) > 0 && value[0] == factInline:
		f.Signed = append([]byte{}, value[1:]...)
	case len(value) > 0 && value[0] == factReceipt:
		f.Signed, err = t.Get(append([]byte{}, value[1:]...))
	}
	if err == nil && f.Signed == nil {
		err = fmt.Errorf("%w: fact %q has no bytes", storage.ErrDamaged, place)
	}
	return f, err
}

func parseFactKey(place []byte) (Key, error) {
	rest := place[len(prefFact):]
	nul := bytes.IndexByte(rest, 0)
	if nul < 0 || len(rest) != nul+1+1+8+8 {
		return Key{}, fmt.Errorf("%w: fact key %q", storage.ErrDamaged, place)
	}
	tail := rest[nul+1:]
	return Key{
		Origin: string(rest[:nul]), Stream: tail[0],
		Epoch: binary.BigEndian.Uint64(tail[1:]), Seq: binary.BigEndian.Uint64(tail[9:]),
	}, nil
}

// After reads adopted facts of one origin, stream and epoch with a sequence
// number above after, in order, until limit facts or maxBytes are reached (at least
// one).
func After(t *storage.Txn, after Key, limit, maxBytes int) ([]Fact, error) {
	var places, values [][]byte
	prefix := streamKey(prefFact, after.Origin, after.Stream, after.Epoch)
	size := 0
	err := t.Scan(prefix, append(after.key(), 0), func(k, v []byte) (bool, error) {
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
func factsOf(t *storage.Txn, places, values [][]byte, maxBytes int) ([]Fact, error) {
	var out []Fact
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
func MarkOf(t *storage.Txn, origin string, stream uint8, epoch uint64) (uint64, error) {
	m, _, err := storage.Load[Mark](t, streamKey(prefMark, origin, stream, epoch))
	return m.Seq, err
}

// SetMark writes a mark.
func SetMark(t *storage.Txn, m Mark) error {
	return storage.Save(t, streamKey(prefMark, m.Origin, m.Stream, m.Epoch), m)
}

// Marks reads all marks by origin, stream and epoch.
func Marks(t *storage.Txn) ([]Mark, error) { return storage.List[Mark](t, prefMark, nil, 0, nil) }

// streamKey is the common part of fct/ and mrk/ keys.
func streamKey(prefix []byte, origin string, stream uint8, epoch uint64) []byte {
	return binary.BigEndian.AppendUint64(append(storage.Key(prefix, origin), 0, stream), epoch)
}
