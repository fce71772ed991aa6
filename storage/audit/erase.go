package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"almenara/storage"
)

// Sealed is a line of which words were erased, as a later line names it. Seal is SHA-256 over the hash of
// the line before and the line's own, both as they were when it was written: so the chain holds across a
// line whose words are gone, and nobody can put another one in its place. Is is SHA-256 of the line as it was
// left: what is still read in it, such as who did what and when, is what the district agreed to leave.
type Sealed struct {
	N    uint64 `cbor:"1,keyasint"`
	Seal []byte `cbor:"2,keyasint"`
	Is   []byte `cbor:"3,keyasint"`
}

func seal(prev, hash []byte) []byte {
	sum := sha256.Sum256(append(bytes.Clone(prev), hash...))
	return sum[:]
}

// digest is SHA-256 of all that a line says now.
func (e Entry) digest() ([]byte, error) {
	raw, err := storage.Canonical.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding audit line %d: %w", e.N, err)
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}

// Rewrite lets fn replace words of the summary of line n, and returns what a line that is appended in the same
// transaction must have among its Erases. False where fn replaced nothing, and for a line that has Erases
// itself. Number, time, actor, action, outcome, subject and hash stay.
func Rewrite(t *storage.Txn, n uint64, fn func(text string) (string, bool)) (sealed Sealed, ok bool, err error) {
	k := storage.Key64(prefAudit, n)
	line, found, err := storage.Load[Entry](t, k)
	if err != nil || !found || len(line.Erases) > 0 {
		return sealed, false, err
	}
	summary, ok := fn(line.Summary)
	if !ok {
		return sealed, false, nil
	}
	prev, err := auditHash(t, n-1)
	if err != nil {
		return sealed, false, err
	}
	line.Summary, line.Erased = auditText(summary), true
	is, err := line.digest()
	if err != nil {
		return sealed, false, err
	}
	return Sealed{N: n, Seal: seal(prev, line.Hash), Is: is}, true, storage.Save(t, k, line)
}

// seals are the lines of which words were erased, by number.
type seals map[uint64]*sealedNow

// sealedNow is a line as it stands, and as the last line that names it says that it was left.
type sealedNow struct{ seal, is, left []byte }

// follow holds a line against the one before, and returns what is wrong with it, or "". Lines before from
// are not there to be held against anything.
func (s *seals) follow(e Entry, prev []byte, from uint64) string {
	if *s == nil {
		*s = seals{}
	}
	if e.Erased {
		is, err := e.digest()
		if err != nil {
			return err.Error()
		}
		(*s)[e.N] = &sealedNow{seal: seal(prev, e.Hash), is: is}
		return ""
	}
	hash, err := e.chain(prev)
	if err != nil || !bytes.Equal(hash, e.Hash) {
		return fmt.Sprintf("line %d was altered, or the line before it", e.N)
	}
	for _, one := range e.Erases {
		if one.N < from {
			continue
		}
		known := (*s)[one.N]
		if known == nil || !bytes.Equal(known.seal, one.Seal) {
			return fmt.Sprintf("line %d is not the line whose words line %d has erased", one.N, e.N)
		}
		known.left = one.Is // a line of which words were erased twice is named twice, and the last counts
	}
	return ""
}

// open is the first line that is not as a later one has left it; 0 where there is none.
func (s seals) open() uint64 {
	for _, n := range slices.Sorted(maps.Keys(s)) {
		if !bytes.Equal(s[n].is, s[n].left) {
			return n
		}
	}
	return 0
}

func written(erases []Sealed) (out []sealedLine) {
	for _, s := range erases {
		out = append(out, sealedLine{s.N, hex.EncodeToString(s.Seal), hex.EncodeToString(s.Is)})
	}
	return out
}

func read(erases []sealedLine) (out []Sealed, err error) {
	for _, s := range erases {
		seal, err := hex.DecodeString(s.Seal)
		if err != nil {
			return nil, err
		}
		is, err := hex.DecodeString(s.Is)
		if err != nil {
			return nil, err
		}
		out = append(out, Sealed{s.N, seal, is})
	}
	return out, nil
}
