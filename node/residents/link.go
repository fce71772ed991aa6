package residents

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"

	"almenara/channels/contract"
	"almenara/node/residents/refusals"
	"almenara/node/residents/signedby"
	"almenara/storage/alert"
	"almenara/storage/noderecord"
)

// How long a link is good, and how often a screen gets another one.
const (
	// Renewed is how often a link changes: whoever takes a picture of a screen has it for good, and it is
	// of no use soon.
	Renewed = 5 * time.Minute
	// GoodFor is how long a link may be opened after the moment for which it was made.
	GoodFor = 30 * time.Minute
	early   = 2 * time.Minute // that a link may be ahead of this node's clock
)

// What is signed begins with one of these, so that a signature is good for nothing else that a node signs.
const (
	linkContext = "almenara resident link 1\n"
	passContext = "almenara resident pass 1\n"
)

// The parts of a link, in bytes: version, alert, place, minute, key; the signature follows.
const (
	linkVersion = 1
	alertBytes  = 16
	placeBytes  = 8
	linkSigned  = 1 + alertBytes + placeBytes + 4 + signedby.KeyBytes
	linkBytes   = linkSigned + ed25519.SignatureSize

	passSigned = phoneSecret + signedby.KeyBytes
	passBytes  = passSigned + ed25519.SignatureSize

	phoneSecret = 16 // random bytes of a phone
)

// text32 has letters of one case and digits alone, so that a QR code of a link in capitals is small.
var text32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// said is what a link says.
type said struct {
	alert alert.ID
	place [placeBytes]byte
	made  time.Time
}

func placeOf(block string) (out [placeBytes]byte) {
	sum := sha256.Sum256([]byte("place\x00" + block))
	copy(out[:], sum[:])
	return out
}

// newLink makes the link for an alert and a block: the part of its address behind Below. It is the same for
// all of a period of Renewed.
func newLink(s contract.Signer, id alert.ID, block string, now time.Time) (string, error) {
	raw, err := text32.DecodeString(string(id))
	if err != nil || len(raw) != alertBytes {
		return "", refusals.Refuse(refusals.BadLink)
	}
	place := placeOf(block)
	b := make([]byte, 0, linkBytes)
	b = append(b, linkVersion)
	b = append(b, raw...)
	b = append(b, place[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(now.Truncate(Renewed).Unix()/60))
	b = append(b, signedby.KeyOf(s.KeyID)...)
	b = append(b, ed25519.Sign(s.Key, append([]byte(linkContext), b...))...)
	return text32.EncodeToString(b), nil
}

// readLink verifies a link with the keys of the nodes that belong to the district now. It refuses one that is
// too old, or not yet good, only where fresh.
func readLink(link string, keys []noderecord.PublicKey, now time.Time, fresh bool) (said, error) {
	b, err := text32.DecodeString(link)
	if err != nil || len(b) != linkBytes || b[0] != linkVersion || text32.EncodeToString(b) != link {
		return said{}, refusals.Refuse(refusals.BadLink)
	}
	if err := verify(keys, b[linkSigned-signedby.KeyBytes:linkSigned], append([]byte(linkContext), b[:linkSigned]...), b[linkSigned:]); err != nil {
		return said{}, err
	}
	out := said{alert: alert.ID(text32.EncodeToString(b[1 : 1+alertBytes]))}
	rest := b[1+alertBytes:]
	copy(out.place[:], rest)
	out.made = time.Unix(int64(binary.BigEndian.Uint32(rest[placeBytes:]))*60, 0)
	if fresh && (!now.Before(out.made.Add(Renewed+GoodFor)) || out.made.After(now.Add(early))) {
		return out, refusals.Refuse(refusals.TooOld)
	}
	return out, nil
}

func verify(keys []noderecord.PublicKey, id, signed, signature []byte) error {
	switch known, good := signedby.Verify(keys, id, signed, signature); {
	case good:
		return nil
	case known:
		return refusals.Refuse(refusals.BadLink)
	}
	return refusals.Refuse(refusals.Removed)
}

// passOf is what a phone keeps of an alert that it opened in time: a random value that the node has signed
// with alert and place, so that the page goes on when the link is too old.
func passOf(s contract.Signer, id alert.ID, place [placeBytes]byte, secret []byte) string {
	b := append(bytes.Clone(secret), signedby.KeyOf(s.KeyID)...)
	return text32.EncodeToString(append(b, ed25519.Sign(s.Key, passSays(id, place, b))...))
}

func passSays(id alert.ID, place [placeBytes]byte, b []byte) []byte {
	return bytes.Join([][]byte{[]byte(passContext), []byte(id), place[:], b[:passSigned]}, nil)
}

// readPass gives the random value of a pass, and whether a node of the district has signed it for this alert
// and place. The value alone is good for being counted once.
func readPass(pass string, keys []noderecord.PublicKey, id alert.ID, place [placeBytes]byte) (secret []byte, signed bool) {
	b, err := text32.DecodeString(strings.TrimSpace(pass))
	if err != nil || len(b) != passBytes {
		return nil, false
	}
	return b[:phoneSecret], verify(keys, b[phoneSecret:passSigned], passSays(id, place, b), b[passSigned:]) == nil
}
