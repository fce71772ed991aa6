package connlimit_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/connlimit"
)

// fake is a connection from an address, that knows whether it was closed.
type fake struct {
	net.Conn
	from   string
	closed bool
}

func (f *fake) RemoteAddr() net.Addr { return text(f.from) }
func (f *fake) Close() error         { f.closed = true; return nil }

type text string

func (text) Network() string  { return "tcp" }
func (t text) String() string { return string(t) }

func from(address string) *fake { return &fake{from: address + ":1000"} }

func TestEnter_TheGreediestAddressGivesWayOldestFirst(t *testing.T) {
	port := connlimit.NewPool(100).Port(connlimit.Share{Strangers: 4, Guaranteed: 4})
	modest := from("10.0.0.1")
	require.True(t, port.Enter(modest))
	var greedy []*fake
	for range 10 {
		c := from("10.0.0.2")
		require.True(t, port.Enter(c), "a newcomer always gets in")
		greedy = append(greedy, c)
	}
	require.False(t, modest.closed, "who asks for little loses nothing by who asks for much")
	for i, c := range greedy {
		require.Equal(t, i < 7, c.closed, i)
	}
	other := from("10.0.0.3")
	require.True(t, port.Enter(other))
	require.True(t, greedy[7].closed)
	require.Equal(t, connlimit.Counts{Connections: 4, Strangers: 4, Dropped: 8}, port.Counts())
}

func TestKnown_IsClosedForNobody(t *testing.T) {
	pool := connlimit.NewPool(3)
	port := pool.Port(connlimit.Share{Strangers: 3, Guaranteed: 3})
	var known []*fake
	for range 3 {
		c := from("10.0.0.1")
		require.True(t, port.Enter(c))
		pool.Known(c)
		known = append(known, c)
	}
	require.False(t, port.Enter(from("10.0.0.2")), "nothing is left, and nobody can give way")
	pool.Leave(known[0])
	pool.Leave(known[0])
	require.True(t, port.Enter(from("10.0.0.2")))
	for _, c := range known {
		require.False(t, c.closed)
	}
}

func TestPort_KeepsItsGuaranteeWhateverTheOthersHold(t *testing.T) {
	pool := connlimit.NewPool(20)
	devices, api := pool.Port(connlimit.Share{Strangers: 5, Guaranteed: 5}), pool.Port(connlimit.Share{Strangers: 5, Guaranteed: 5, Loopback: 2})
	held := 0
	for {
		c := from("10.0.0.1")
		if !devices.Enter(c) {
			break
		}
		pool.Known(c)
		held++
	}
	require.Equal(t, 15, held, "its own and what is spare")
	for range 5 {
		c := from("10.0.0.2")
		require.True(t, api.Enter(c))
		pool.Known(c)
	}
	require.False(t, api.Enter(from("10.0.0.3")))
	t.Cleanup(func() {
		require.False(t, api.Enter(from("10.0.0.3")), "what is reserved for this machine is nobody else's")
	})
	first := from("127.0.0.1")
	require.True(t, api.Enter(first), "this machine gets in, out of the reserve")
	second := from("[::1]")
	require.True(t, api.Enter(second))
	require.True(t, first.closed, "as strangers they give way to each other")
	pool.Known(second)
	third := from("127.0.0.1")
	require.True(t, api.Enter(third))
	pool.Known(third)
	require.False(t, api.Enter(from("127.0.0.1")))
	pool.Leave(second)
	require.True(t, api.Enter(from("127.0.0.1")))
}

// One user's connections keep nobody out, and are not taken from who has few.
func TestKnownAs_OneUserLeavesRoomForTheOthers(t *testing.T) {
	pool := connlimit.NewPool(500)
	port := pool.Port(connlimit.Share{Strangers: 64, Guaranteed: 250, Most: 500})
	flood := func() (open []*fake) {
		for range 600 {
			c := from("10.0.0.1")
			require.True(t, port.Enter(c))
			pool.KnownAs(c, "v")
			open = append(open, c)
		}
		return open
	}
	first := flood()
	w := from("10.0.0.2")
	require.True(t, port.Enter(w))
	pool.KnownAs(w, "w")
	flood()
	require.False(t, w.closed)
	require.Equal(t, connlimit.MostOfUser+1, port.Counts().Connections-port.Counts().Strangers)
	for i, c := range first {
		require.Equal(t, i >= connlimit.MostOfUser, c.closed, i)
	}

	pool.KnownAs(first[0], "v")
	pool.Leave(first[0])
	pool.Leave(first[0])
	next := from("10.0.0.1")
	require.True(t, port.Enter(next))
	pool.KnownAs(next, "v")
	flood()
	require.False(t, next.closed, "the place of one that left is free")
	require.Equal(t, connlimit.MostOfUser+1, port.Counts().Connections-port.Counts().Strangers)
}

// Whatever happens, the counts are those of what is open, no port is over its bounds, and
// a stranger gets in unless everything is known.
func TestPool_HoldsItsBounds(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		pool := connlimit.NewPool(60)
		shares := []connlimit.Share{{Strangers: 10, Guaranteed: 5}, {Strangers: 4, Guaranteed: 20}, {Strangers: 6, Guaranteed: 6, Most: 30}}
		var ports []*connlimit.Port
		for _, s := range shares {
			ports = append(ports, pool.Port(s))
		}
		type entry struct {
			*fake
			port  int
			known bool
		}
		var all []*entry
		for range 2000 {
			switch i := random.IntN(len(ports)); {
			case random.IntN(10) < 6:
				e := &entry{fake: from(fmt.Sprintf("10.0.0.%d", random.IntN(8))), port: i}
				if ports[i].Enter(e.fake) {
					all = append(all, e)
				} else {
					require.Zero(t, ports[i].Counts().Strangers, "a stranger was there to give way")
				}
			case len(all) > 0 && random.IntN(2) == 0:
				e := all[random.IntN(len(all))]
				pool.Known(e.fake)
				e.known = true
			case len(all) > 0:
				k := random.IntN(len(all))
				pool.Leave(all[k].fake)
				all = append(all[:k], all[k+1:]...)
			}
			counts := make([]connlimit.Counts, len(ports))
			open := all[:0]
			for _, e := range all {
				if e.closed {
					require.False(t, e.known, "a known connection was closed")
					continue
				}
				open = append(open, e)
				counts[e.port].Connections++
				if !e.known {
					counts[e.port].Strangers++
				}
			}
			all = open
			require.LessOrEqual(t, len(all), 60)
			for k, p := range ports {
				got := p.Counts()
				require.Equal(t, counts[k].Connections, got.Connections)
				require.Equal(t, counts[k].Strangers, got.Strangers)
				require.LessOrEqual(t, got.Strangers, shares[k].Strangers)
			}
			require.LessOrEqual(t, ports[2].Counts().Connections, 30)
		}
	}
}

func TestDivide_LeavesTheReserveAlone(t *testing.T) {
	for _, descriptors := range []int{256, 1024, 4096, 20_000} {
		p := connlimit.Divide(descriptors)
		usable := descriptors - min(max(descriptors/3, 256), 2048)
		held := 0
		for range 40_000 {
			for _, port := range append(p.Devices[:], p.API, p.Internode) {
				c := from("10.0.0.1")
				if port.Enter(c) {
					p.Pool.Known(c)
					held++
				}
			}
		}
		require.LessOrEqual(t, held, max(usable, 6), descriptors)
		require.GreaterOrEqual(t, held, min(usable, 200_000)*9/10, descriptors)
	}
}
