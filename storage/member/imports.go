package member

import (
	"encoding/binary"

	"almenara/storage"
)

// Where the records lie; storage/keys.go has all keys.
var (
	prefImport = []byte("imr/")
	prefStaged = []byte("imp/")
)

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

// Imports are all imports, until they are forgotten.
var Imports = storage.Table[string, Import]{Prefix: prefImport, Of: func(i Import) string { return i.ID }}

// PutChunk stages the members of one chunk, as the command carried them.
func PutChunk(t *storage.Txn, imp string, chunk uint32, members [][]byte) error {
	var raw []byte
	for _, m := range members {
		raw = append(binary.AppendUvarint(raw, uint64(len(m))), m...)
	}
	return t.Set(keyStaged(imp, chunk), raw)
}

// Chunk reads the staged members of one chunk; false where it is not there.
func Chunk(t *storage.Txn, imp string, chunk uint32) ([][]byte, bool, error) {
	raw, err := t.Get(keyStaged(imp, chunk))
	if err != nil || raw == nil {
		return nil, false, err
	}
	var out [][]byte
	for len(raw) > 0 {
		n, w := binary.Uvarint(raw)
		if w <= 0 || n > uint64(len(raw)-w) {
			return nil, false, storage.ErrDamaged
		}
		out, raw = append(out, raw[w:w+int(n)]), raw[w+int(n):]
	}
	return out, true, nil
}

// RemoveChunk deletes a staged chunk.
func RemoveChunk(t *storage.Txn, imp string, chunk uint32) error {
	return t.Delete(keyStaged(imp, chunk))
}

func keyStaged(imp string, chunk uint32) []byte {
	return binary.BigEndian.AppendUint32(append(storage.Key(prefStaged, imp), 0, 'c'), chunk)
}
