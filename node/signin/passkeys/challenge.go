// Package passkeys asks for answers of passkeys (WebAuthn 3) and verifies them. What is asked is signed by the
// node that asks and kept nowhere, so that every node of the district can take the answer, also one that is
// alone; that an answer counts once is for who takes it (Answer.Asked). The cryptography of WebAuthn is
// github.com/go-webauthn/webauthn's. It asks no store and decides about nobody.
package passkeys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"almenara/storage/noderecord"
)

// GoodFor is how long after it was asked for an answer is taken: as long as a person may look for the key.
const GoodFor = 3 * time.Minute

// early is by how much what was asked may be ahead of this node's clock.
const early = 30 * time.Second

// Purpose is what an answer is asked for. An answer for one is good for no other.
type Purpose byte

// The purposes.
const (
	ToSignIn Purpose = iota + 1
	ToAdd
)

// The parts of a challenge, in bytes: version, purpose, time, random bytes, key; the signature follows.
const (
	version     = 1
	randomBytes = 16
	keyBytes    = 6
	signedBytes = 1 + 1 + 8 + randomBytes + keyBytes
	wholeBytes  = signedBytes + ed25519.SignatureSize
)

// context is before what is signed, so that a signature is good for nothing else that a node signs.
const context = "almenara passkey challenge 1\n"

// ErrChallenge is of an answer to what no node of the district asked, not for this purpose, not this browser or
// person, or too long ago.
var ErrChallenge = errors.New("the answer is to nothing that was asked here just now")

// Options say what a Verifier needs. None may be nil.
type Options struct {
	KeyID string // of this node's signing key
	Key   ed25519.PrivateKey
	Keys  func() ([]noderecord.PublicKey, error) // of all nodes of the district
	Clock func() time.Time
}

// Verifier asks and verifies. Its methods may be called from any goroutine.
type Verifier struct{ o Options }

// New makes one.
func New(o Options) *Verifier { return &Verifier{o} }

// Challenge is what a passkey is to sign; bound is of whom it is asked: a session or a browser.
func (v *Verifier) Challenge(p Purpose, bound []byte) []byte {
	out := make([]byte, 0, wholeBytes)
	out = append(out, version, byte(p))
	out = binary.BigEndian.AppendUint64(out, uint64(v.o.Clock().UnixMilli()))
	var random [randomBytes]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	out = append(append(out, random[:]...), shortOf(v.o.KeyID)...)
	return append(out, ed25519.Sign(v.o.Key, signed(out, bound))...)
}

func shortOf(keyID string) []byte {
	sum := sha256.Sum256([]byte(keyID))
	return sum[:keyBytes]
}

// signed is what of a challenge is signed.
func signed(head, bound []byte) []byte {
	of := sha256.Sum256(bound)
	return append(append([]byte(context), head...), of[:]...)
}

// asked is when a challenge was made, for this purpose and this bound. ErrChallenge where it was not.
func (v *Verifier) asked(challenge []byte, p Purpose, bound []byte) (time.Time, error) {
	if len(challenge) != wholeBytes || challenge[0] != version || challenge[1] != byte(p) {
		return time.Time{}, ErrChallenge
	}
	keys, err := v.o.Keys()
	if err != nil {
		return time.Time{}, err
	}
	head, signature := challenge[:signedBytes], challenge[signedBytes:]
	good := false
	for _, k := range keys {
		good = good || bytes.Equal(shortOf(k.ID), head[signedBytes-keyBytes:]) && len(k.Key) == ed25519.PublicKeySize && ed25519.Verify(k.Key, signed(head, bound), signature)
	}
	at := time.UnixMilli(int64(binary.BigEndian.Uint64(head[2:10])))
	if age := v.o.Clock().Sub(at); !good || age > GoodFor || age < -early {
		return time.Time{}, ErrChallenge
	}
	return at, nil
}
