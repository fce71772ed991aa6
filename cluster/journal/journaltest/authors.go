// Package journaltest is a disk that forgets and nodes that sign, for tests of what keeps
// facts and of what exchanges them. It imports only cluster/fact, so that the journal's own
// tests can use it.
package journaltest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
)

// Author is a node that signs.
type Author struct{ fact.Signer }

// Named is the author of that name: the same key for the same name.
func Named(name string) Author {
	seed := sha256.Sum256([]byte(name))
	return Author{fact.Signer{Origin: name, KeyID: "key-" + name, Key: ed25519.NewKeyFromSeed(seed[:])}}
}

// Keys are the public keys of the authors of these names, as Signed.Open asks for them.
func Keys(names ...string) func(keyID, origin string) (ed25519.PublicKey, bool) {
	return func(keyID, origin string) (ed25519.PublicKey, bool) {
		for _, n := range names {
			if n == origin && keyID == "key-"+n {
				return Named(n).Key.Public().(ed25519.PublicKey), true
			}
		}
		return nil, false
	}
}

// Fact is an alert's fact by the author, in that place of its stream.
func (a Author) Fact(t testing.TB, stream fact.Stream, epoch, seq uint64, body string) (fact.Signed, fact.Fact) {
	t.Helper()
	f := fact.Fact{Kind: fact.KindAlert, Stream: stream, Origin: a.Origin, Epoch: epoch, Seq: seq, HLC: 1 << 16, Body: []byte(body)}
	signed, err := fact.Sign(f, a.KeyID, a.Key)
	require.NoError(t, err)
	return signed, f
}

// Reader is what Bodies asks: a journal.
type Reader interface {
	After(origin string, stream fact.Stream, epoch, seq uint64, count int) ([]fact.Signed, error)
}

// Bodies are the contents of the alerts of one lane above seq, which have no gap.
func Bodies(t testing.TB, j Reader, origin string, epoch, seq uint64) []string {
	t.Helper()
	facts, err := j.After(origin, fact.Alerts, epoch, seq, 1000)
	require.NoError(t, err)
	var b []string
	for _, s := range facts {
		f, err := s.Fact()
		require.NoError(t, err)
		seq++
		require.Equal(t, seq, f.Seq)
		b = append(b, string(f.Body))
	}
	return b
}
