package signin

import (
	"fmt"
	"time"

	"almenara/node/ratelimit"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// How many wrong codes of a second factor are taken with a person's right password, at one node. Three of a million
// codes fit at a time, so that whoever knows the password finds one within a day with a chance of 1 in 1,000.
const (
	mostCodes  = 20              // at once
	codesEvery = 5 * time.Minute // and one more each
	codesNames = 1024            // persons of whom that is kept
)

// codeGuesses bounds wrong codes of a second factor. The delays of attempts do not: they are for passwords, and locking
// nobody out by a name that everybody knows lets somebody with many addresses try ten codes a second. Only who has the
// right password comes this far, and what is refused is the code alone: a recovery code or a passkey still lets in. It
// is in memory, and may be used from any goroutine.
type codeGuesses struct {
	clock func() time.Time
	left  *ratelimit.Limiter
}

func newCodeGuesses(clock func() time.Time) *codeGuesses {
	return &codeGuesses{clock, ratelimit.New(ratelimit.Options{PerSecond: 1 / codesEvery.Seconds(), Burst: mostCodes, Names: codesNames})}
}

// begin counts a code as a wrong one before it is looked at, so that many at once do not go uncounted. right takes
// it back. A *wire.Problem (over-budget) where there were too many since the person signs in as at index; then
// the code must not be looked at. Another password makes them count anew.
func (g *codeGuesses) begin(name string, index uint64) (right func(), err error) {
	key, now := fmt.Sprint(index, " ", name), g.clock()
	if wait := g.left.Take(key, now); wait > 0 {
		return nil, &wire.Problem{Kind: wire.KindOverBudget, RetryAfter: int(wait.Seconds()) + 1,
			Sentence: "too many wrong codes were typed with the right password at this node, so somebody else may know it; sign in with a recovery code, a passkey or at another node, and choose another password", Why: why.Why{Reason: why.SignInCodes}}
	}
	return func() { g.left.Charge(key, -1, now) }, nil
}
