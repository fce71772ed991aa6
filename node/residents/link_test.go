package residents

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/node/residents/refusals"
	"almenara/storage/alert"
	"almenara/storage/noderecord"
)

var night = time.Date(2026, 11, 29, 3, 2, 0, 0, time.UTC)

const fire alert.ID = "abcdefghijklmnopqrstuvwxya"

func signer(name string) (contract.Signer, noderecord.PublicKey) {
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	public := key.Public().(ed25519.PublicKey)
	return contract.Signer{KeyID: name, Key: key}, noderecord.PublicKey{ID: name, Node: name, Key: public}
}

func whyOf(err error) refusals.Reason {
	var r *refusals.Refused
	if errors.As(err, &r) {
		return r.Why
	}
	return ""
}

func TestLink_SaysWhatItWasMadeForAndHoldsForHalfAnHour(t *testing.T) {
	s, key := signer("n1")
	link, err := newLink(s, fire, "tm/estate/block-1", night)
	require.NoError(t, err)
	got, err := readLink(link, []noderecord.PublicKey{key}, night, true)
	require.NoError(t, err)
	require.Equal(t, fire, got.alert)
	require.Equal(t, placeOf("tm/estate/block-1"), got.place)
	same, err := newLink(s, fire, "tm/estate/block-1", night.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, link, same, "of one period")
	next, err := newLink(s, fire, "tm/estate/block-1", night.Add(Renewed))
	require.NoError(t, err)
	require.NotEqual(t, link, next, "it changes every few minutes")
	begun := night.Truncate(Renewed)
	for at, why := range map[time.Duration]refusals.Reason{
		-early: "", -early - time.Minute: refusals.TooOld, Renewed + GoodFor - time.Second: "", Renewed + GoodFor: refusals.TooOld, 400 * 24 * time.Hour: refusals.TooOld,
	} {
		_, err := readLink(link, []noderecord.PublicKey{key}, begun.Add(at), true)
		require.Equal(t, why, whyOf(err), at)
	}
	require.Less(t, len("HTTPS://NODE.EXAMPLE.ORG:8480/R/"+link), 200, "or the code is hard to read")
}

// Whatever bit of a link is another, it is refused: of another alert, of another block, of another minute.
func TestAttack_NoBitOfALinkCanBeChanged(t *testing.T) {
	s, key := signer("n1")
	link, err := newLink(s, fire, "tm/estate/block-1", night)
	require.NoError(t, err)
	raw, err := text32.DecodeString(link)
	require.NoError(t, err)
	for i := range len(raw) * 8 {
		raw[i/8] ^= 0x80 >> (i % 8)
		_, err := readLink(text32.EncodeToString(raw), []noderecord.PublicKey{key}, night, true)
		require.Contains(t, []refusals.Reason{refusals.BadLink, refusals.Removed}, whyOf(err), "bit %d", i)
		raw[i/8] ^= 0x80 >> (i % 8)
	}
	for _, bad := range []string{"", "x", link[:len(link)-1], link + "a", "A" + link[1:], link[:40] + "!" + link[41:], link[:len(link)-1] + "b"} {
		_, err := readLink(bad, []noderecord.PublicKey{key}, night, true)
		require.Equal(t, refusals.BadLink, whyOf(err), bad)
	}
}

func TestAttack_ANodeThatWasRemovedMakesNoLinks(t *testing.T) {
	gone, _ := signer("gone")
	_, key := signer("n1")
	link, err := newLink(gone, fire, "tm", night)
	require.NoError(t, err)
	_, err = readLink(link, []noderecord.PublicKey{key}, night, true)
	require.Equal(t, refusals.Removed, whyOf(err))
	_, err = readLink(link, nil, night, true)
	require.Equal(t, refusals.Removed, whyOf(err))
}

// What a node signs for other uses is no link, and a pass of one alert or place is none of another.
func TestAttack_ASignatureIsGoodForOneUse(t *testing.T) {
	s, key := signer("n1")
	keys := []noderecord.PublicKey{key}
	secret := make([]byte, phoneSecret)
	pass := passOf(s, fire, placeOf("tm"), secret)
	_, good := readPass(pass, keys, fire, placeOf("tm"))
	require.True(t, good)
	got, good := readPass(pass, keys, fire, placeOf("other"))
	require.False(t, good)
	require.Equal(t, secret, got, "it is the same phone all the same")
	_, good = readPass(pass, keys, "abcdefghijklmnopqrstuvwxyb", placeOf("tm"))
	require.False(t, good)
	_, good = readPass(pass, nil, fire, placeOf("tm"))
	require.False(t, good, "of a node that was removed")
	got, good = readPass("rubbish", keys, fire, placeOf("tm"))
	require.False(t, good)
	require.Nil(t, got)

	raw, err := text32.DecodeString(mustLink(t, s))
	require.NoError(t, err)
	copy(raw[linkSigned:], ed25519.Sign(s.Key, raw[:linkSigned])) // without the context of links
	_, err = readLink(text32.EncodeToString(raw), keys, night, true)
	require.Equal(t, refusals.BadLink, whyOf(err))
}

func mustLink(t *testing.T, s contract.Signer) string {
	t.Helper()
	link, err := newLink(s, fire, "tm", night)
	require.NoError(t, err)
	return link
}

func FuzzReadLink(f *testing.F) {
	s, key := signer("n1")
	link, _ := newLink(s, fire, "tm", night)
	f.Add(link)
	f.Fuzz(func(t *testing.T, other string) {
		if _, err := readLink(other, []noderecord.PublicKey{key}, night, true); err == nil && other != link {
			t.Fatalf("%q is taken for a link", other)
		}
		readPass(other, []noderecord.PublicKey{key}, fire, placeOf("tm"))
	})
}
