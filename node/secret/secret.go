// Package secret makes what users and devices prove themselves with. Secrets are 256 random
// bits, so a plain SHA-256 of them is as good as a slow hash, and a reconnect storm does not
// cost one. It imports nothing of ours.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// New makes a secret, and its hash for the record.
func New() (text string, hash []byte) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	text = base64.RawURLEncoding.EncodeToString(raw[:])
	return text, Hash(text)
}

// Hash is the SHA-256 of a secret, by which it is on record.
func Hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// Is reports, in constant time, whether the hash is that of the secret.
func Is(text string, hash []byte) bool { return subtle.ConstantTimeCompare(Hash(text), hash) == 1 }
