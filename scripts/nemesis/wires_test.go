//go:build linux

package main

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// road is a proxy before an echo, as node 0 sees node 1.
type road struct {
	*proxy
	wires *wires
}

func newRoad(t *testing.T, from int) road {
	t.Helper()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = echo.Close() })
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	door, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := newWires(2)
	p := newProxy(1, door, echo.Addr().String(), w, func(net.Conn) int { return from })
	t.Cleanup(p.close)
	return road{p, w}
}

func (r road) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// says writes a byte and reports whether it comes back within a while.
func says(t *testing.T, conn net.Conn) bool {
	t.Helper()
	_, err := conn.Write([]byte{1})
	return err == nil && hears(conn)
}

func hears(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
	n, _ := conn.Read(make([]byte, 1))
	return n == 1
}

func cutOnly(from, to int) func(a, b int) link {
	return func(a, b int) link { return link{cut: a == from && b == to} }
}

func open(int, int) link { return link{} }

func TestProxy_KeepsSilentWhileCutAndDeliversAfter(t *testing.T) {
	for _, direction := range [][2]int{{0, 1}, {1, 0}} {
		r := newRoad(t, 0)
		conn := r.dial(t)
		require.True(t, says(t, conn))
		r.wires.set(cutOnly(direction[0], direction[1]))
		require.False(t, says(t, conn))
		r.wires.set(open)
		require.True(t, hears(conn), "what was written before the link healed arrives after")
		require.True(t, says(t, conn))
	}
}

func TestProxy_DialsOnOnlyWhenBothDirectionsAreOpen(t *testing.T) {
	for _, direction := range [][2]int{{0, 1}, {1, 0}} {
		r := newRoad(t, 0)
		r.wires.set(cutOnly(direction[0], direction[1]))
		conn := r.dial(t)
		require.False(t, says(t, conn))
		r.wires.set(open)
		require.True(t, hears(conn))
	}
}

func TestProxy_RefusesWithResets(t *testing.T) {
	r := newRoad(t, 0)
	conn := r.dial(t)
	require.True(t, says(t, conn))
	r.wires.set(func(int, int) link { return link{cut: true, refuse: true} })
	r.endRefused()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	again := r.dial(t)
	_ = again.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err = again.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestProxy_NeverCutsStrangers(t *testing.T) {
	r := newRoad(t, outside)
	r.wires.set(Step{Kind: AllAlone}.cuts)
	require.True(t, says(t, r.dial(t)))
}

func TestWires_TakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWires(2)
		w.set(func(int, int) link { return link{delay: time.Second} })
		begun := time.Now()
		require.NoError(t, w.pass(t.Context(), 0, 1))
		require.Equal(t, time.Second, time.Since(begun))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		w.set(cutOnly(0, 1))
		require.ErrorIs(t, w.pass(ctx, 0, 1), context.DeadlineExceeded)
		require.Equal(t, time.Second+time.Minute, time.Since(begun))
	})
}

func TestWires_KnowWhoIsCutOff(t *testing.T) {
	w := newWires(3)
	w.set(Step{Kind: Isolate, Node: 1}.cuts)
	require.Equal(t, []bool{false, true, false}, []bool{w.cutOff(0), w.cutOff(1), w.cutOff(2)})
	w.set(Step{Kind: OneWay, Node: 1, Deaf: true}.cuts)
	require.False(t, w.cutOff(1), "it is still heard")
}

func TestHolder_FindsTheProcessOfAConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	conn, err := l.Accept()
	require.NoError(t, err)
	defer conn.Close()
	require.Equal(t, 1, holder(conn, []int{0, os.Getpid()}))
	require.Equal(t, outside, holder(conn, []int{0, 1 << 30}))
}

func TestInodeOf_KnowsNoSocketThatIsNotThere(t *testing.T) {
	_, err := inodeOf(netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2"))
	require.ErrorIs(t, err, errNoSocket)
	_, err = inodeIn(nil)
	require.ErrorIs(t, err, errNoSocket)
}
