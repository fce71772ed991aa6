//go:build linux && (amd64 || arm64)

package poller

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// owner is a socket's owner by name.
type owner struct {
	name    string
	checked chan time.Time
}

func (o *owner) CheckProgress(now time.Time) {
	select {
	case o.checked <- now:
	default:
	}
}

// connected is both ends of a TCP connection.
func connected(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	b, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { a.Close() })
	return b.(*net.TCPConn), a.(*net.TCPConn)
}

// adopted is a poller with one socket, and the other end of it.
func adopted(t *testing.T, o Owner) (*Poller, Socket, *net.TCPConn) {
	t.Helper()
	p := New()
	require.NotNil(t, p)
	t.Cleanup(p.Close)
	ours, theirs := connected(t)
	s, ok := p.Adopt(ours, o)
	require.True(t, ok)
	require.True(t, s.Polled())
	return p, s, theirs
}

// next waits for the next event that is not only of being writable.
func (p *Poller) next() (Owner, Event) {
	for {
		for i := range p.Wait(false) {
			if o, e := p.Event(i); e.Readable() {
				return o, e
			}
		}
	}
}

func TestPoller_TellsWhoCanBeReadAndWhoHasEnded(t *testing.T) {
	o := &owner{name: "lift"}
	p, s, theirs := adopted(t, o)
	buf := make([]byte, 16)
	_, err := s.Receive(buf)
	require.ErrorIs(t, err, ErrNothing)
	_, err = theirs.Write([]byte("hello"))
	require.NoError(t, err)
	who, event := p.next()
	require.Same(t, o, who)
	require.False(t, event.Ended())
	n, err := s.Receive(buf)
	require.NoError(t, err)
	require.Equal(t, "hello", string(buf[:n]))
	require.NoError(t, theirs.CloseWrite())
	_, event = p.next()
	require.True(t, event.Ended())
	s.Close()
}

func TestPoller_LateEventsReachNobody(t *testing.T) {
	p, s, theirs := adopted(t, &owner{name: "first"})
	_, err := theirs.Write([]byte("x"))
	require.NoError(t, err)
	who, _ := p.next()
	require.NotNil(t, who)
	at, use := s.place, p.places[s.place].use
	s.Close()
	require.Nil(t, p.ownerAt(at, use))
	ours, _ := connected(t)
	again, ok := p.Adopt(ours, &owner{name: "second"})
	require.True(t, ok)
	require.Equal(t, at, again.place, "the place is taken again")
	require.Nil(t, p.ownerAt(at, use))
	again.Close()
}

func TestPoller_AsksForProgressWhileBytesArePending(t *testing.T) {
	o := &owner{checked: make(chan time.Time, 1)}
	p, s, _ := adopted(t, o)
	s.AwaitWritable()
	for len(o.checked) == 0 {
		p.Wait(false)
	}
	s.AllWritten()
	require.Empty(t, p.pending)
	s.Close()
}

func TestPoller_IsDoneWhenItsLastSocketIsClosed(t *testing.T) {
	p, s, _ := adopted(t, &owner{})
	p.Stop()
	require.False(t, p.Done())
	ours, _ := connected(t)
	_, ok := p.Adopt(ours, &owner{})
	require.False(t, ok, "no more are adopted")
	require.NoError(t, ours.Close(), "and the connection is as it was")
	s.Close()
	require.True(t, p.Done())
	(*Poller)(nil).Stop()
}
