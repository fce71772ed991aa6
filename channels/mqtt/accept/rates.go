package accept

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// addressOf is the peer's address; IPv6 by its /64, which one host owns whole.
// Connections without an address, as in tests, share one.
func addressOf(c net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().Unmap()
	if addr.Is6() {
		prefix, _ := addr.Prefix(64) // 64 is within range
		return prefix.Addr()
	}
	return addr
}

// maxRates bounds the addresses that are remembered. When it is reached, new
// addresses share one bucket.
const maxRates = 1 << 16

// rates limits how fast one address may open connections: a token bucket each.
type rates struct {
	perSecond float64
	burst     float64

	mu      sync.Mutex
	buckets map[netip.Addr]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newRates(perSecond float64, burst int) *rates {
	return &rates{perSecond: perSecond, burst: float64(burst), buckets: map[netip.Addr]*bucket{}}
}

// allow takes one token of the address, if it has one.
func (r *rates) allow(addr netip.Addr, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buckets[addr]
	if b == nil && len(r.buckets) >= maxRates {
		addr = netip.Addr{}
		b = r.buckets[addr]
	}
	if b == nil {
		b = &bucket{tokens: r.burst, at: now}
		r.buckets[addr] = b
	}
	b.tokens = r.tokens(b, now)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (r *rates) tokens(b *bucket, now time.Time) float64 {
	return min(r.burst, b.tokens+max(0, now.Sub(b.at).Seconds())*r.perSecond)
}

// forget drops buckets that are full again.
func (r *rates) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for addr, b := range r.buckets {
		if r.tokens(b, now) >= r.burst {
			delete(r.buckets, addr)
		}
	}
}
