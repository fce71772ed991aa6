// Package spokencode makes and checks the code of six digits with which a person approves one message
// by voice: the person's node shows it, the person reads it out over a radio or a telephone, and
// somebody else types it in at a node that may reach no other.
//
//	the person's own secret ─┐
//	name, message, time ─────┴─> Of ─> "123456" ─ by voice ─> Fits
//
// The secret is that of the person's second factor, which every node of the district has, so that no
// message has to pass between the two nodes. It may import only wire of ours.
package spokencode

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

const (
	// period is how long one code is made. It holds until the period after it is over: ten minutes at
	// most and five at least, and the clocks of two nodes may differ by as much as five.
	period = 5 * time.Minute
	around = 1 // periods before and after the present one of which codes fit
)

// What a code is made for: the whole message, where the person's node has it and shows it, or the
// number that is read out, where that node has not.
const (
	ofDigest = "digest "
	ofNumber = "number "
)

// Number is the number of a content, eight digits, which is read out to somebody whose node does not
// have the message, with the words of it. It is no proof of the content: another one with the same
// number can be found. Whoever gives a code for a number trusts the voice that read the words.
func Number(digest string) string {
	sum := sha256.Sum256([]byte("almenara content number 1 " + digest))
	return fmt.Sprintf("%08d", binary.BigEndian.Uint64(sum[:8])%100_000_000)
}

// Code is what one person says about one content.
type Code struct {
	Digits string
	Until  time.Time // by the clock of the node that made it
}

// OfDigest is the code of a person, with that person's secret, for the message of the digest.
func OfDigest(secret []byte, name, digest string, now time.Time) Code {
	return of(secret, name, ofDigest+digest, now)
}

// OfNumber is the code of a person for the content with the number, as Digits gives it.
func OfNumber(secret []byte, name, number string, now time.Time) Code {
	return of(secret, name, ofNumber+number, now)
}

func of(secret []byte, name, content string, now time.Time) Code {
	n := now.Unix() / int64(period.Seconds())
	return Code{digits(secret, name, content, n), time.Unix((n+1+around)*int64(period.Seconds()), 0).UTC()}
}

// Fits reports whether the code is one of the person for the message of the digest, at about this
// time. A person without a secret has no code.
func Fits(code string, secret []byte, name, digest string, now time.Time) bool {
	code = Digits(code)
	if len(secret) == 0 {
		return false
	}
	fits := false
	present := now.Unix() / int64(period.Seconds())
	for n := present - around; n <= present+around; n++ {
		for _, content := range []string{ofDigest + digest, ofNumber + Number(digest)} {
			if hmac.Equal([]byte(digits(secret, name, content, n)), []byte(code)) {
				fits = true
			}
		}
	}
	return fits
}

// digits is the code of one period. What the second factor itself is made of, and what this is, never
// meet: the label makes another key.
func digits(secret []byte, name, content string, n int64) string {
	label := hmac.New(sha256.New, secret)
	label.Write([]byte("almenara spoken approval 1"))
	mac := hmac.New(sha256.New, label.Sum(nil))
	var head [16]byte
	binary.BigEndian.PutUint64(head[:8], uint64(n))
	binary.BigEndian.PutUint64(head[8:], uint64(len(name)))
	mac.Write(head[:])
	mac.Write([]byte(name + content))
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(mac.Sum(nil))%1_000_000)
}

// Digits is what somebody typed without the spaces and dashes between groups; full-width digits are
// digits.
func Digits(typed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\u3000':
			return -1
		}
		return '?'
	}, typed)
}
