package storage

import "encoding/binary"

// ImportState is how far a bulk import has come.
type ImportState uint8

// The states of an import, in order.
const (
	ImportStaging ImportState = iota + 1 // chunks are arriving; nothing is applied
	ImportActive                         // inevitable: every chunk will be folded in
	ImportDone                           // folded in
)

// Import is one bulk import of members.
type Import struct {
	ID      string      `cbor:"1,keyasint"`
	State   ImportState `cbor:"2,keyasint"`
	Staged  uint32      `cbor:"3,keyasint"` // chunks staged: 0 to Staged-1
	Chunks  uint32      `cbor:"4,keyasint"` // chunks that Activate named
	Replace bool        `cbor:"5,keyasint,omitempty"`
	Index   uint64      `cbor:"6,keyasint"` // raft index of Activate
	Next    uint32      `cbor:"7,keyasint"` // the step that FoldImport must name next
	Cursor  string      `cbor:"8,keyasint"` // id of the last member looked at for removal
	Put     uint64      `cbor:"9,keyasint"` // members written so far
	Removed uint64      `cbor:"10,keyasint"`
}

// PutChunk stages the members of one chunk, as the command carried them.
func PutChunk(t *Txn, imp string, chunk uint32, members [][]byte) error {
	var raw []byte
	for _, m := range members {
		raw = append(binary.AppendUvarint(raw, uint64(len(m))), m...)
	}
	return t.set(keyStaged(imp, chunk), raw)
}

// Chunk reads the staged members of one chunk; false where it is not there.
func Chunk(t *Txn, imp string, chunk uint32) ([][]byte, bool, error) {
	raw, err := t.get(keyStaged(imp, chunk))
	if err != nil || raw == nil {
		return nil, false, err
	}
	var out [][]byte
	for len(raw) > 0 {
		n, w := binary.Uvarint(raw)
		if w <= 0 || n > uint64(len(raw)-w) {
			return nil, false, ErrDamaged
		}
		out, raw = append(out, raw[w:w+int(n)]), raw[w+int(n):]
	}
	return out, true, nil
}

// RemoveChunk deletes a staged chunk.
func RemoveChunk(t *Txn, imp string, chunk uint32) error { return t.remove(keyStaged(imp, chunk)) }
