package nonblocking

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/mqtt/poller"
)

// The kernel tells once that a socket takes bytes again. A device that makes room between a
// write that fell short and the note that bytes are pending is told of while there is nothing
// to send, so whoever notes them must try at once.
func TestPolled_RoomMadeBeforeTheBytesWereNotedIsUsed(t *testing.T) {
	p := poller.New()
	require.NotNil(t, p)
	defer p.Close()
	ours, theirs := tcpPair(t)
	var goroutines sync.WaitGroup
	c := New(ours, &Options{Goroutines: &goroutines, Closed: func(*Conn) {}, MaxPending: 1 << 20, Stall: time.Minute})
	c.SetUser(&rig{drained: make(chan struct{}, 1)})
	require.True(t, c.StartPolling(p))
	defer c.Kill()

	c.mu.Lock()
	defer c.mu.Unlock()
	full := 0
	for chunk := make([]byte, 64<<10); ; { // a write that falls short
		n, err := c.writeNow(chunk)
		require.NoError(t, err)
		if full += n; n == 0 {
			break
		}
	}
	_, err := io.CopyN(io.Discard, theirs, int64(full)) // the device makes room
	require.NoError(t, err)
	p.Wait(true) // and the poller has looked: nothing is pending
	require.NoError(t, c.addPending([]byte("the alert")))
	require.Zero(t, c.Pending(), "nobody would try again")
	got := make([]byte, len("the alert"))
	_, err = io.ReadFull(theirs, got)
	require.NoError(t, err)
	require.Equal(t, "the alert", string(got))
}

func tcpPair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	theirs, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { theirs.Close() })
	ours, err = l.Accept()
	require.NoError(t, err)
	return ours, theirs
}
