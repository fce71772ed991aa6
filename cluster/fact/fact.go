// Package fact is the records that any node may create alone: immutable, signed,
// content-addressed.
//
//	Kind, Body ─┐
//	Clock ──────┼─▶ Fact ─▶ Sign ─▶ Signed ─▶ disk, wire, raft log ─▶ Open ─▶ Fact
//	Lane, Seq ──┘                    └─▶ ID
//
// It owns what a fact is: its canonical bytes, its place in its origin's stream, its
// signature, and the clock that dates it. cluster/journal makes facts durable,
// cluster/exchange brings them to the other nodes and into the raft log. It imports nothing of
// ours but storage/durable, for the small file of the clock.
package fact

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Stream separates what must never wait for the other, on disk and on the wire.
type Stream uint8

// Alerts is the stream of everything but receipts.
const (
	Alerts Stream = iota + 1
	Receipts
)

// Fact is one record. Origin, Stream, Epoch and Seq place it in its origin's
// stream: sequence numbers start at 1 and have no gaps within an epoch; a journal
// that was created anew starts a new epoch.
type Fact struct {
	_      struct{} `cbor:",toarray"`
	Kind   Kind
	Stream Stream
	Origin string // raft server id of the node that created it
	Epoch  uint64
	Seq    uint64
	HLC    uint64 // hybrid logical clock of the origin: 48 bits of milliseconds, 16 of counter
	Body   []byte
}

// MaxBody is the largest body of a fact, in bytes: it must fit one command with its
// signature.
const MaxBody = 180 << 10

// ID is the SHA-256 of a fact's canonical bytes.
type ID [sha256.Size]byte

// String is the id in hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Signed is a fact as it is stored and sent: the canonical bytes and the origin's
// signature over them. Use Open to read it.
type Signed struct {
	_         struct{} `cbor:",toarray"`
	Canonical []byte
	KeyID     string
	Signature []byte
}

// ErrSignature is returned by Open when the signature does not verify.
var ErrSignature = errors.New("fact signature does not verify")

var (
	encoding, _ = cbor.CoreDetEncOptions().EncMode()
	decoding, _ = cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxArrayElements: 1 << 17, MaxMapPairs: 1 << 17,
		MaxNestedLevels: 16, IndefLength: cbor.IndefLengthForbidden,
	}.DecMode()
)

// Sign makes the canonical bytes of f and signs them with the node's key.
func Sign(f Fact, keyID string, key ed25519.PrivateKey) (Signed, error) {
	canonical, err := encoding.Marshal(f)
	if err != nil {
		return Signed{}, fmt.Errorf("encoding fact: %w", err)
	}
	return Signed{Canonical: canonical, KeyID: keyID, Signature: ed25519.Sign(key, canonical)}, nil
}

// Signer makes a node's signatures: its server id and signing key.
type Signer struct {
	Origin string
	KeyID  string
	Key    ed25519.PrivateKey
}

// ID is the fact's identity, which an erased fact keeps.
func (s Signed) ID() ID {
	if s.Erased() {
		return ID(s.Signature)
	}
	return sha256.Sum256(s.Canonical)
}

// Fact decodes without checking the signature: for facts that this node has
// already checked, and for the state machine, whose input the proposer checked.
func (s Signed) Fact() (Fact, error) {
	var f Fact
	if err := decoding.Unmarshal(s.Canonical, &f); err != nil {
		return Fact{}, fmt.Errorf("decoding fact: %w", err)
	}
	return f, nil
}

// Open checks the signature with the key that keys names for s.KeyID and origin,
// and decodes. It returns ErrSignature for a wrong or unknown key, and for an erased fact.
func (s Signed) Open(keys func(keyID, origin string) (ed25519.PublicKey, bool)) (Fact, error) {
	if s.Erased() {
		return Fact{}, fmt.Errorf("%w: nobody has signed that a fact was erased", ErrSignature)
	}
	f, err := s.Fact()
	if err != nil {
		return Fact{}, err
	}
	key, ok := keys(s.KeyID, f.Origin)
	if !ok || !ed25519.Verify(key, s.Canonical, s.Signature) {
		return Fact{}, fmt.Errorf("%w: key %q of %s", ErrSignature, s.KeyID, f.Origin)
	}
	return f, nil
}

// Kind is what the fact records; 0 for bytes that are no fact.
func (s Signed) Kind() Kind {
	const array7 = 0x87 // how canonical bytes begin; a small number follows
	if c := s.Canonical; len(c) > 1 && c[0] == array7 && c[1] < 24 {
		return Kind(c[1])
	}
	f, err := s.Fact()
	if err != nil {
		return 0
	}
	return f.Kind
}

// Encode writes s for disk and wire.
func (s Signed) Encode() ([]byte, error) { return encoding.Marshal(s) }

// DecodeSigned reads what Encode wrote.
func DecodeSigned(b []byte) (Signed, error) {
	var s Signed
	if err := decoding.Unmarshal(b, &s); err != nil {
		return Signed{}, fmt.Errorf("decoding signed fact: %w", err)
	}
	return s, nil
}
