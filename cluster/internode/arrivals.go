package internode

import (
	"net/netip"
	"sync"
	"time"
)

// How often an address may begin a handshake from which no node has come in this run. A
// node needs three connections for raft and one for calls, and a box that joins one.
const (
	arrivalsPerSecond = 10
	arrivalsAtOnce    = 40
	arrivalsKept      = 4096 // addresses; more share one allowance
)

// arrivals bounds how fast strangers may begin handshakes, each of which costs a
// signature: a flood of them lengthened a failover from 0.5 to 2.4 s. Addresses of nodes
// are not bounded, so that it cannot keep a node out. Safe for concurrent use.
type arrivals struct {
	mu      sync.Mutex
	trusted map[string]struct{} // addresses from which a node came
	from    map[string]allowance
}

type allowance struct {
	left float64
	at   time.Time
}

func newArrivals() *arrivals {
	return &arrivals{trusted: map[string]struct{}{}, from: map[string]allowance{}}
}

// trust says that a node of the district came from the address.
func (a *arrivals) trust(host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.trusted) < arrivalsKept {
		a.trusted[host] = struct{}{}
	}
	delete(a.from, host)
}

// trustAddress says that a node of the district is reached at host:port. Names are looked
// up by nobody: a node that has one is trusted once it has come.
func (a *arrivals) trustAddress(addr string) {
	if at, err := netip.ParseAddrPort(addr); err == nil {
		a.trust(at.Addr().String())
	}
}

// allow reports whether the address may begin a handshake now.
func (a *arrivals) allow(host string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.trusted[host]; ok {
		return true
	}
	known, ok := a.from[host]
	if !ok && len(a.from) >= arrivalsKept {
		a.forget(now)
		if len(a.from) >= arrivalsKept {
			host = ""
			known, ok = a.from[host]
		}
	}
	if !ok {
		known = allowance{left: arrivalsAtOnce, at: now}
	}
	known.left = known.after(now)
	known.at = now
	allowed := known.left >= 1
	if allowed {
		known.left--
	}
	a.from[host] = known
	return allowed
}

func (l allowance) after(now time.Time) float64 {
	return min(arrivalsAtOnce, l.left+max(0, now.Sub(l.at).Seconds())*arrivalsPerSecond)
}

// forget drops addresses whose allowance is whole again.
func (a *arrivals) forget(now time.Time) {
	for host, l := range a.from {
		if l.after(now) >= arrivalsAtOnce {
			delete(a.from, host)
		}
	}
}
