package passkeys

import (
	"crypto/ed25519"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/noderecord"
)

// What was asked for one purpose, of one browser, is answered for no other, on any node of the district and on no
// other's.
func TestChallenge_IsGoodForWhatItWasAskedFor(t *testing.T) {
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	var ring []noderecord.PublicKey
	node := func(id string) *Verifier {
		seed := sha256.Sum256([]byte(id))
		key := ed25519.NewKeyFromSeed(seed[:])
		ring = append(ring, noderecord.PublicKey{ID: id, Key: key.Public().(ed25519.PublicKey)})
		return New(Options{KeyID: id, Key: key, Keys: func() ([]noderecord.PublicKey, error) { return ring, nil }, Clock: func() time.Time { return now }})
	}
	first, second := node("n1"), node("n2")
	stranger := node("n3")
	ring = ring[:2]
	asked := first.Challenge(ToSignIn, []byte("browser"))
	at, err := second.asked(asked, ToSignIn, []byte("browser"))
	require.NoError(t, err)
	require.True(t, at.Equal(now))
	for name, ask := range map[string]func() ([]byte, Purpose, string){
		"another purpose": func() ([]byte, Purpose, string) { return asked, ToAdd, "browser" },
		"another browser": func() ([]byte, Purpose, string) { return asked, ToSignIn, "other" },
		"another district": func() ([]byte, Purpose, string) {
			return stranger.Challenge(ToSignIn, []byte("browser")), ToSignIn, "browser"
		},
		"cut":     func() ([]byte, Purpose, string) { return asked[:len(asked)-1], ToSignIn, "browser" },
		"nothing": func() ([]byte, Purpose, string) { return nil, ToSignIn, "browser" },
	} {
		challenge, purpose, bound := ask()
		_, err := second.asked(challenge, purpose, []byte(bound))
		require.ErrorIs(t, err, ErrChallenge, name)
	}
	now = now.Add(-early - time.Second)
	_, err = second.asked(asked, ToSignIn, []byte("browser"))
	require.ErrorIs(t, err, ErrChallenge, "of a clock that is far ahead")
	now = now.Add(early + time.Second + GoodFor + time.Millisecond)
	_, err = second.asked(asked, ToSignIn, []byte("browser"))
	require.ErrorIs(t, err, ErrChallenge, "too old")
}
