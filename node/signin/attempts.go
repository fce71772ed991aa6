package signin

import (
	"context"
	"math"
	"net/netip"
	"sync"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// How those are slowed down who guess. An address that failed often is refused for a while that
// grows; of a name that failed often each attempt waits, a few seconds at most, wherever it comes
// from: guessing at somebody's name never keeps that person out.
const (
	freeFailures = 4                // without a delay
	firstDelay   = time.Second      // after one more; it doubles
	mostRefused  = 5 * time.Minute  // for an address
	mostWaited   = 6 * time.Second  // for a name
	forgivenIn   = 15 * time.Minute // without a failure
	mostHeld     = 64               // attempts that wait at a time
	mostKept     = 4096             // addresses, and names, of which failures are kept
)

// failures is what is known of an address or a name.
type failures struct {
	count int
	last  time.Time
}

// attempts slows guessing down. It is in memory: each node has its own.
type attempts struct {
	clock func() time.Time

	mu        sync.Mutex
	addresses map[string]failures
	names     map[string]failures
	held      int
}

func newAttempts(clock func() time.Time) *attempts {
	return &attempts{clock: clock, addresses: map[string]failures{}, names: map[string]failures{}}
}

// begin counts an attempt as one that fails, so that many at once do not go uncounted, and waits
// as long as the name's failures ask for. succeeded takes it back. A *wire.Problem (over-budget) says
// when the address may try again.
func (a *attempts) begin(ctx context.Context, address, name string) (succeeded func(), err error) {
	address, name = network(address), name[:min(len(name), 128)]
	wait, entered, err := a.enter(address, name)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		defer a.leave()
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return func() { a.forgive(address, name, entered) }, nil
}

// entry is when an attempt came from an address, and when the one before it did that failed.
type entry struct{ at, before time.Time }

// enter counts the attempt, and says how long it has to wait.
func (a *attempts) enter(address, name string) (time.Duration, entry, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock()
	from, of := current(a.addresses, address, now), current(a.names, name, now)
	if left := delay(from.count, mostRefused) - now.Sub(from.last); from.count > 0 && left > 0 && left <= mostRefused {
		seconds := int(math.Ceil(left.Seconds()))
		return 0, entry{}, &wire.Problem{Kind: wire.KindOverBudget, RetryAfter: seconds,
			Sentence: "too many attempts to sign in from this address; try again later, or from another device", Why: why.Why{Reason: why.SignInTries}}
	}
	wait := delay(of.count, mostWaited)
	if wait > 0 {
		if a.held >= mostHeld {
			return 0, entry{}, &wire.Problem{Kind: wire.KindOverBudget, RetryAfter: 5, Sentence: "too many people are signing in at this node just now; try again in some seconds", Why: why.Why{Reason: why.SignInsMany}}
		}
		a.held++
	}
	put(a.addresses, address, failures{from.count + 1, now}, now)
	put(a.names, name, failures{of.count + 1, now}, now)
	return wait, entry{now, from.last}, nil
}

func (a *attempts) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held--
}

// forgive takes one failure of the address back, with the wait that it began, and all of the name: the person is in.
func (a *attempts) forgive(address, name string, e entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, name)
	if f, ok := a.addresses[address]; ok {
		if f.count--; f.last.Equal(e.at) {
			f.last = e.before
		}
		a.addresses[address] = f
	}
}

// delay is what so many failures cost.
func delay(count int, most time.Duration) time.Duration {
	if count <= freeFailures {
		return 0
	}
	over := min(count-freeFailures-1, 20)
	return min(firstDelay<<over, most)
}

// current is what is known of a key, unless it is forgiven by now.
func current(all map[string]failures, key string, now time.Time) failures {
	f := all[key]
	if now.Sub(f.last) > forgivenIn || f.last.After(now.Add(time.Minute)) {
		return failures{}
	}
	return f
}

// put keeps what is known of a key; of the oldest something is forgotten when there is too much.
func put(all map[string]failures, key string, f failures, now time.Time) {
	if _, known := all[key]; !known && len(all) >= mostKept {
		oldest, at := "", now
		for k, old := range all {
			if !old.last.After(at) {
				oldest, at = k, old.last
			}
		}
		delete(all, oldest)
	}
	all[key] = f
}

// network is the address by which somebody is told apart: of IPv6 the first half, which one house
// has.
func network(address string) string {
	if at, err := netip.ParseAddrPort(address); err == nil {
		address = at.Addr().String()
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	half, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return half.String()
}
