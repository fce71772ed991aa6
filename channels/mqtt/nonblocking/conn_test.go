package nonblocking

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// rig is one connection whose device is played by the test.
type rig struct {
	*Conn
	theirs     net.Conn
	goroutines sync.WaitGroup
	closed     chan *Conn
	drained    chan struct{}
}

// Drained implements User.
func (r *rig) Drained() { r.drained <- struct{}{} }

// Ending implements User.
func (*rig) Ending() {}

// newRig makes a connection over a pipe, which takes nothing before it is read.
func newRig(t *testing.T) *rig {
	ours, theirs := net.Pipe()
	r := &rig{theirs: theirs, closed: make(chan *Conn, 1), drained: make(chan struct{}, 1)}
	r.Conn = New(ours, &Options{
		Goroutines: &r.goroutines, Closed: func(c *Conn) { r.closed <- c }, MaxPending: 8, Stall: time.Minute,
	})
	r.SetUser(r)
	t.Cleanup(func() { theirs.Close() })
	return r
}

func TestConn_WriteNeverWaitsAndItsUserHearsWhenAllIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		n, err := r.Write([]byte("one write is taken, however long"))
		require.NoError(t, err)
		require.Equal(t, n, r.Pending())
		got := make([]byte, n)
		_, err = io.ReadFull(r.theirs, got)
		require.NoError(t, err)
		<-r.drained
		require.Zero(t, r.Pending())
		r.Kill()
		r.goroutines.Wait()
	})
}

func TestConn_MoreThanMayBePendingEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		_, err := r.Write([]byte("12345678"))
		require.NoError(t, err)
		_, err = r.Write([]byte("9"))
		require.ErrorIs(t, err, ErrOverflow)
		require.Same(t, r.Conn, <-r.closed)
		require.ErrorIs(t, r.Failure(), ErrOverflow)
		require.Zero(t, r.Pending())
		r.goroutines.Wait()
	})
}

func TestConn_EndsWhenPendingBytesDoNotGetOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		_, err := r.Write([]byte("x"))
		require.NoError(t, err)
		begin := time.Now()
		<-r.closed
		require.Equal(t, time.Minute, time.Since(begin))
		r.goroutines.Wait()
	})
}

func TestConn_CloseGivesPendingBytesALastSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		_, err := r.Write([]byte("x"))
		require.NoError(t, err)
		require.NoError(t, r.Close())
		_, err = r.Write([]byte("y"))
		require.ErrorIs(t, err, net.ErrClosed)
		begin := time.Now()
		<-r.closed
		require.Equal(t, lastWrites, time.Since(begin))
		require.NoError(t, r.Close(), "closing again does nothing")
		r.goroutines.Wait()
	})
}

// hook fails the second read.
type hook struct{ reads int }

func (*hook) BeforeRead() {}
func (h *hook) AfterRead() error {
	if h.reads++; h.reads > 1 {
		return errors.New("no turn")
	}
	return nil
}

func TestConn_TheHookOfReadsMayFailThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.SetReadHook(&hook{})
		go func() { _, _ = r.theirs.Write([]byte("abc")) }()
		one := make([]byte, 1)
		_, err := r.Read(one)
		require.NoError(t, err)
		_, err = r.Read(one)
		require.EqualError(t, err, "no turn")
		r.SetReadHook(nil)
		_, err = r.Read(one)
		require.NoError(t, err)
		require.Equal(t, "c", string(one))
		r.Kill()
	})
}
