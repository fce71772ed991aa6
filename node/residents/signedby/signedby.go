// Package signedby says which node of the district has signed what a phone brings. It imports no other room.
package signedby

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"

	"almenara/storage/noderecord"
)

// KeyBytes is how many bytes of a code name a key.
const KeyBytes = 6

// KeyOf names a key in a code: the beginning of the digest of its id.
func KeyOf(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:KeyBytes]
}

// Verify reports whether a key of that name is among those of the nodes that belong to the district now, and whether
// one of them has signed. Of a node that was removed there is none.
func Verify(keys []noderecord.PublicKey, name, signed, signature []byte) (known, good bool) {
	for _, k := range keys {
		if bytes.Equal(KeyOf(k.ID), name) {
			known = true
			good = good || len(k.Key) == ed25519.PublicKeySize && ed25519.Verify(k.Key, signed, signature)
		}
	}
	return known, good
}
