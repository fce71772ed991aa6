package checkin

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"time"

	"almenara/channels/contract"
	"almenara/node/residents/refusals"
	"almenara/node/residents/signedby"
	"almenara/storage/noderecord"
)

// CodeLife is how long a printed code is good: a year, and a month to print the next one.
const CodeLife = 396 * 24 * time.Hour

// early is how far a code may be ahead of this node's clock: it is of the day on which it was printed.
const early = 24 * time.Hour

// codeContext is what is signed before a code, so that a signature is good for nothing else that a node signs.
const codeContext = "almenara place code 1\n"

// The parts of a code, in bytes: version, place, day, key; the signature follows.
const (
	codeVersion = 1
	placeBytes  = 8
	dayBytes    = 2
	codeSigned  = 1 + placeBytes + dayBytes + signedby.KeyBytes
	codeBytes   = codeSigned + ed25519.SignatureSize
)

// text32 has letters of one case and digits alone, so that a QR code of a link in capitals is small.
var text32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func placeOf(path string) (out [placeBytes]byte) {
	sum := sha256.Sum256([]byte("checkin place\x00" + path))
	copy(out[:], sum[:])
	return out
}

// day is the first moment of the day of a time, in UTC.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// newCode makes the code of a place: the part of its address behind residents' pages. It is the same all day.
func newCode(s contract.Signer, path string, now time.Time) string {
	place := placeOf(path)
	b := make([]byte, 0, codeBytes)
	b = append(b, codeVersion)
	b = append(b, place[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(day(now).Unix()/86400))
	b = append(b, signedby.KeyOf(s.KeyID)...)
	b = append(b, ed25519.Sign(s.Key, append([]byte(codeContext), b...))...)
	return text32.EncodeToString(b)
}

// readCode verifies a code with the keys of the nodes that belong to the district now, and gives the place.
func readCode(code string, keys []noderecord.PublicKey, now time.Time) (place [placeBytes]byte, err error) {
	b, err := text32.DecodeString(code)
	if err != nil || len(b) != codeBytes || b[0] != codeVersion || text32.EncodeToString(b) != code {
		return place, refusals.Refuse(refusals.BadLink)
	}
	known, signed := signedby.Verify(keys, b[codeSigned-signedby.KeyBytes:codeSigned], append([]byte(codeContext), b[:codeSigned]...), b[codeSigned:])
	if !known { // of a node that was removed, or of another district
		return place, refusals.Refuse(refusals.CodeOld)
	}
	if !signed {
		return place, refusals.Refuse(refusals.BadLink)
	}
	made := time.Unix(int64(binary.BigEndian.Uint16(b[1+placeBytes:]))*86400, 0)
	if !now.Before(made.Add(CodeLife)) || made.After(now.Add(early)) {
		return place, refusals.Refuse(refusals.CodeOld)
	}
	copy(place[:], b[1:])
	return place, nil
}
