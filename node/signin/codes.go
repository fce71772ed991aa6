package signin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // RFC 6238: what all authenticator programs compute
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"almenara/node/secret"
)

// The codes of RFC 6238 with what every authenticator program takes when it is told nothing: SHA-1,
// six digits, 30 seconds.
const (
	stepSeconds = 30
	codeDigits  = 6
	stepsAround = 1 // before and after the present one that count: clocks differ
)

// recoveryCodes is how many codes are printed for who loses the second factor.
const recoveryCodes = 10

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// codeAt is the code of a step.
func codeAt(key []byte, step uint64) string {
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, step))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%0*d", codeDigits, (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// plainCode is a code without the spaces between its digits.
func plainCode(typed string) string { return strings.Join(strings.Fields(typed), "") }

// stepOf finds the step, around now and after last, that the code is of; 0 where it is of none.
func stepOf(key []byte, code string, now time.Time, last uint64) uint64 {
	code = plainCode(code)
	present := uint64(now.Unix()) / stepSeconds
	for step := present - stepsAround; step <= present+stepsAround; step++ {
		if step > last && hmac.Equal([]byte(codeAt(key, step)), []byte(code)) {
			return step
		}
	}
	return 0
}

// SecondFactor is a new second factor, before it counts.
type SecondFactor struct {
	Secret string // base32, to be typed
	URI    string // otpauth, for programs that read it from a square of dots
}

// newSecondFactor makes one for a person of a district.
func newSecondFactor(district, name string) SecondFactor {
	var key [20]byte
	_, _ = rand.Read(key[:]) // never fails (crypto/rand)
	text := letters.EncodeToString(key[:])
	label := url.PathEscape("Almenara " + district + ":" + name)
	return SecondFactor{Secret: text, URI: "otpauth://totp/" + label + "?secret=" + text + "&issuer=" + url.QueryEscape("Almenara "+district)}
}

// newRecoveryCodes makes codes to be printed, and their hashes. Each has 80 random bits, so that a
// plain hash of it tells nothing.
func newRecoveryCodes() (texts []string, hashes [][]byte) {
	for range recoveryCodes {
		var raw [10]byte
		_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
		text := strings.ToLower(letters.EncodeToString(raw[:]))
		texts = append(texts, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
		hashes = append(hashes, recoveryHash(text))
	}
	return texts, hashes
}

// recoveryHash is by what a code is on record, however it was typed.
func recoveryHash(text string) []byte {
	plain := strings.NewReplacer("-", "", " ", "", "0", "o", "1", "l").Replace(strings.ToLower(text))
	return secret.Hash("recovery " + plain)
}
