package signin

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// The cost of a hash: above the least that OWASP names for argon2id (19 MiB, two passes), and what a
// small box bears while it warns. What is on record says its own cost.
const (
	hashMemory  = 32 << 10 // KiB, where Options.HashKiB does not say otherwise
	hashPasses  = 2
	hashThreads = 1
	saltBytes   = 16
	keyBytes    = 32
)

// How many hashes are computed at a time, and how many may wait: each takes 32 MiB and some hundred
// milliseconds of a core, which the warning path needs.
const (
	hashesAtOnce  = 1
	hashesWaiting = 16
)

// Lengths of a password. The least is what NIST SP 800-63B asks for where there may be a second
// factor, and two more.
const (
	leastPassword = 10  // characters
	mostPassword  = 200 // bytes
)

// hasher computes hashes, few at a time.
type hasher struct {
	memory  uint32        // KiB that the hash of a new password takes
	turns   chan struct{} // holds one for each that is computed
	waiting chan struct{} // and one for each that is computed or waits
}

// newHasher makes one with so many KiB for a new hash; 0 is hashMemory.
func newHasher(memory uint32) *hasher {
	return &hasher{cmp.Or(memory, hashMemory), make(chan struct{}, hashesAtOnce), make(chan struct{}, hashesAtOnce+hashesWaiting)}
}

// turn waits until a hash may be computed. A *wire.Problem (over-budget) where too many wait.
func (h *hasher) turn(ctx context.Context) (end func(), err error) {
	select {
	case h.waiting <- struct{}{}:
	default:
		return nil, &wire.Problem{Kind: wire.KindOverBudget, Sentence: "too many people are signing in at this node just now; try again in some seconds", RetryAfter: 5, Why: why.Why{Reason: why.SignInsMany}}
	}
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns; <-h.waiting }, nil
	case <-ctx.Done():
		<-h.waiting
		return nil, ctx.Err()
	}
}

// make hashes a new password into a PHC string.
func (h *hasher) make(ctx context.Context, password string) (string, error) {
	end, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	var salt [saltBytes]byte
	_, _ = rand.Read(salt[:]) // never fails (crypto/rand)
	return h.phc(salt[:], argon2.IDKey([]byte(same(password)), salt[:], hashPasses, h.memory, hashThreads, keyBytes)), nil
}

// phc writes a hash with its cost.
func (h *hasher) phc(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, hashPasses, hashThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// nobodys is compared with where there is no such person, so that the answer takes as long.
func (h *hasher) nobodys() string { return h.phc(make([]byte, saltBytes), make([]byte, keyBytes)) }

// is reports whether the password is that of the PHC string.
func (h *hasher) is(ctx context.Context, password, phc string) (bool, error) {
	var version int
	var memory, passes uint32
	var threads uint8
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, fmt.Errorf("reading a password's hash: not argon2id")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &threads); err != nil {
		return false, fmt.Errorf("reading a password's hash: %w", err)
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, fmt.Errorf("reading a password's salt: %w", err)
	}
	key, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return false, fmt.Errorf("reading a password's hash: %w", err)
	}
	if version != argon2.Version || memory > 4*hashMemory || passes == 0 || passes > 8 || threads == 0 || len(key) != keyBytes {
		return false, fmt.Errorf("reading a password's hash: its cost is not one of this program")
	}
	if len(password) > mostPassword {
		password = "" // too long to be anybody's, and not worth the work
	}
	end, err := h.turn(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	got := argon2.IDKey([]byte(same(password)), salt, passes, memory, threads, keyBytes)
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}

// same brings a password to one form: keyboards write the same letter in several (RFC 8265).
func same(password string) string { return norm.NFC.String(password) }

// checkPassword refuses what is no password.
func checkPassword(name, password string) error {
	switch {
	case utf8.RuneCountInString(password) < leastPassword:
		return wire.Problemf(wire.KindRefused, "a password has at least %d characters; several words are good", leastPassword).Because(why.PasswordShort, leastPassword)
	case len(password) > mostPassword:
		return wire.Problemf(wire.KindRefused, "a password has at most %d bytes", mostPassword).Because(why.BytesLong, mostPassword)
	case !utf8.ValidString(password) || strings.ContainsAny(password, "\x00\r\n"):
		return wire.Problemf(wire.KindRefused, "a password is one line of text").Because(why.PasswordUnfit)
	case strings.EqualFold(strings.TrimSpace(password), name):
		return wire.Problemf(wire.KindRefused, "the name is no password").Because(why.PasswordUnfit)
	case strings.Count(password, password[:1]) == len(password):
		return wire.Problemf(wire.KindRefused, "one character again and again is no password").Because(why.PasswordUnfit)
	}
	return nil
}
