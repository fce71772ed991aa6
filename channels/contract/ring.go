package contract

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxKeys is how many keys a ring may hold: every node of the largest district
// with its old and its new key, many times over.
const MaxKeys = 1024

// ErrUnknownKey is returned when a signature names a key that the ring does not
// hold. It can be cured by a newer ring.
var ErrUnknownKey = errors.New("unknown signing key")

// ErrKeyTime is returned when a payload says that it was signed while its key was
// not valid.
var ErrKeyTime = errors.New("signing key not valid at that time")

// Ring is an opened KeyRing, ready to look keys up. The zero value holds no key.
// It is immutable and may be shared.
type Ring struct {
	keys map[string]ringKey
	time time.Time
}

type ringKey struct {
	public              ed25519.PublicKey
	notBefore, notAfter time.Time
}

// NewRing reads the keys of kr. It refuses a ring with an unreadable key, two keys
// of one id or more than MaxKeys keys: a ring is taken whole or not at all.
func NewRing(kr KeyRing) (Ring, error) {
	if len(kr.Keys) > MaxKeys {
		return Ring{}, fmt.Errorf("reading key ring: %d keys, at most %d are allowed", len(kr.Keys), MaxKeys)
	}
	r := Ring{keys: make(map[string]ringKey, len(kr.Keys)), time: kr.Time}
	for _, key := range kr.Keys {
		public, err := key.PublicKey()
		if err != nil {
			return Ring{}, err
		}
		if _, twice := r.keys[key.ID]; twice || key.ID == "" {
			return Ring{}, fmt.Errorf("reading key ring: key id %q is empty or there twice", key.ID)
		}
		r.keys[key.ID] = ringKey{public: public, notBefore: key.NotBefore, notAfter: key.NotAfter}
	}
	return r, nil
}

// Lookup finds the key kid. It returns ErrUnknownKey, or ErrKeyTime when at lies
// outside the key's validity; a zero NotBefore or NotAfter is no limit.
func (r Ring) Lookup(kid string, at time.Time) (ed25519.PublicKey, error) {
	key, ok := r.keys[kid]
	if !ok {
		return nil, fmt.Errorf("%w %.70q", ErrUnknownKey, kid)
	}
	early := !key.notBefore.IsZero() && at.Before(key.notBefore)
	late := !key.notAfter.IsZero() && !at.Before(key.notAfter)
	if early || late {
		return nil, fmt.Errorf("%w: key %.70q at %s", ErrKeyTime, kid, at.UTC().Format(time.RFC3339))
	}
	return key.public, nil
}

// Time is when the root key signed the ring. A device never goes back to an older
// ring: that would bring back keys that were taken out of it.
func (r Ring) Time() time.Time { return r.time }

// Len is the number of keys.
func (r Ring) Len() int { return len(r.keys) }

// PublicKey decodes the key (RFC 8037 §2, parameter x).
func (k Key) PublicKey() (ed25519.PublicKey, error) {
	raw, err := base64.RawURLEncoding.DecodeString(k.Public)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("reading key %.70q: x is not an Ed25519 public key", k.ID)
	}
	return raw, nil
}

// smallOrder is the second coordinate of the points of small order (RFC 8032 §5.1), little-endian
// as in a key: under such a key, one signature verifies for many messages or for all.
var smallOrder = []string{
	strings.Repeat("\x00", 32),
	"\x01" + strings.Repeat("\x00", 31),
	"\xec" + strings.Repeat("\xff", 30) + "\x7f",
	"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
	"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
}

// usable reports whether a signature under the key says anything. A key that is not written as
// RFC 8032 §5.1.2 says is refused too: crypto/ed25519 takes it, libraries of others do not.
func usable(public ed25519.PublicKey) bool {
	y := bytes.Clone(public)
	y[31] &= 0x7f
	if y[31] == 0x7f && y[0] >= 0xed && !slices.ContainsFunc(y[1:31], func(b byte) bool { return b != 0xff }) {
		return false // not below the prime 2^255-19
	}
	return !slices.Contains(smallOrder, string(y))
}

// NewKey describes a node's public key for a KeyRing; its id is KeyID(public).
func NewKey(node string, public ed25519.PublicKey, notBefore, notAfter time.Time) Key {
	return Key{
		ID: KeyID(public), Node: node, Public: base64.RawURLEncoding.EncodeToString(public),
		NotBefore: notBefore, NotAfter: notAfter,
	}
}

// KeyID names a public key: the first 128 bits of its JWK thumbprint (RFC 7638,
// RFC 8037 appendix A.3), 22 letters of base64url.
func KeyID(public ed25519.PublicKey) string {
	jwk := `{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}`
	sum := sha256.Sum256([]byte(jwk))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
