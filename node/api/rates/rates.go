// Package rates bounds how often one caller, and one address without a token, may ask a node, and how
// many answers are worked out for one user at a time. It knows no route and never imports api.
package rates

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/netip"
	"time"

	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/ratelimit"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// What callers may ask for. A person or a program that works stays far below; numbers of
// alerts are bounded where they are taken, not here.
var (
	// ofStrangers is for each address of what needs no token, and of requests without a
	// good one.
	ofStrangers = ratelimit.Options{PerSecond: 20, Burst: 100}
	// ofCallers is for each user of everything but warning.
	ofCallers = ratelimit.Options{PerSecond: 100, Burst: 400}
	// ofWarners is for each user of sending, cancelling and approving: a share of its own,
	// which nothing else that the user asks for can use up.
	ofWarners = ratelimit.Options{PerSecond: 1000, Burst: 2000}
)

const (
	// readsAtOnce is how many answers are worked out for one user at the same time; further
	// ones wait. Who lists without end keeps less than this many cores from alerts.
	readsAtOnce = 2
	// readWait is how long such a request waits for its turn.
	readWait = 5 * time.Second
)

// Limits bounds what one caller, and one address without a token, can ask of a node. A good
// token is never refused for what others do, also from the same address.
type Limits struct {
	strangers, callers, warners *ratelimit.Limiter
	readers                     *inflight.Readers
}

// New makes limits that have counted nothing. They may be used from any goroutine.
func New() *Limits {
	return &Limits{
		strangers: ratelimit.New(ofStrangers), callers: ratelimit.New(ofCallers), warners: ratelimit.New(ofWarners),
		readers: inflight.NewReaders(readsAtOnce, readWait),
	}
}

// Stranger counts a request that brings no good token. Open routes are free from the node's
// own machine, where its operator looks when nothing else works.
func (l *Limits) Stranger(r *http.Request, now time.Time) error {
	wait := l.strangers.Take(AddressOf(r), now)
	return tooOften(wait, "this address asks too often without a good token")
}

// Open counts a request to an open route.
func (l *Limits) Open(r *http.Request, now time.Time) error {
	if ip, err := netip.ParseAddr(AddressOf(r)); err == nil && ip.IsLoopback() {
		return nil
	}
	return l.Stranger(r, now)
}

// Caller counts a request of a user.
func (l *Limits) Caller(by authority.Caller, action authority.Action, now time.Time) error {
	if authority.LineOf(action).Warns() {
		return tooOften(l.warners.Take(by.Name, now), by.Name+" sends too often")
	}
	return tooOften(l.callers.Take(by.Name, now), by.Name+" asks too often")
}

func tooOften(wait time.Duration, who string) error {
	if wait <= 0 {
		return nil
	}
	p := wire.Problemf(wire.KindOverBudget, "%s; nothing was done, try again later", who).Because(why.TooOften)
	p.RetryAfter = int(math.Ceil(wait.Seconds()))
	return p
}

// Turn waits until fewer than readsAtOnce answers are worked out for the user. done gives
// the turn back; it may be called more than once.
func (l *Limits) Turn(ctx context.Context, by authority.Caller) (done func(), err error) {
	done, ok := l.readers.Begin(ctx, by.Name)
	if !ok {
		err = tooOften(time.Second, by.Name+" asks for more at a time than can be answered")
	}
	return done, err
}

// AddressOf is the address of who asks, without its port; of IPv6 the first 64 bits, which
// one household or server has for itself.
func AddressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is4() || ip.IsLoopback() {
		return ip.String()
	}
	prefix, _ := ip.WithZone("").Prefix(64) // 64 bits are never too many of an IPv6 address
	return prefix.Addr().String()
}
