//go:build linux && (amd64 || arm64)

package mqtt

import (
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// polledSession is the session of a device over TCP, once a poller has it.
func (r *rig) polledSession(w *wire, device string) *session {
	r.t.Helper()
	w.ping() // what answers it has the session for good
	s := r.shardOf(device).get(device)
	require.NotNil(r.t, s)
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	require.True(r.t, s.out.polled())
	return s
}

func TestPoller_TakesNoGoroutinePerDevice(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	first := r.device(address, "lift-1", false)
	r.polledSession(first, "lift-1")
	before := runtime.NumGoroutine()
	for i := range 50 {
		id := fmt.Sprintf("bulk-%04d", i)
		r.polledSession(r.device(address, id, false), id)
	}
	require.Less(t, runtime.NumGoroutine(), before+10)
}

// TestPoller_SeesTheEndBehindTheLastWords: a FIN that comes together with bytes makes no
// event of its own.
func TestPoller_SeesTheEndBehindTheLastWords(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	for i := range 30 {
		id := fmt.Sprintf("bulk-%04d", i)
		w := r.device(address, id, false)
		s := r.polledSession(w, id)
		s.out.mu.Lock() // the poller cannot look before both are there
		w.send([]byte{kindPingreq << 4, 0})
		require.NoError(t, w.Conn.(*net.TCPConn).CloseWrite())
		s.out.mu.Unlock()
		r.hooks.awaitTold(t, id+" up false")
	}
}

func TestPoller_WhoMustWaitIsReadApartAndComesBack(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.MaxTaking = 2 })
	r.receipts.hold = true
	address := r.listen(TCP)
	w := r.device(address, "lift-1", false)
	s := r.polledSession(w, "lift-1")
	for id := range uint16(5) {
		w.send(publishPacket(false, 1, id+1, receiptTopic, receiptsJSON("presented", fmt.Sprint(id))))
	}
	held := func(n int) func() bool { return func() bool { return len(r.receipts.dones) == n } }
	r.receipts.await(t, "two receipts", held(2))
	other := r.device(address, "lift-2", false)
	other.ping() // whoever waits delays nobody
	for id := range 5 {
		r.receipts.await(t, "the next", func() bool { return len(r.receipts.dones) > id })
		r.receipts.mu.Lock()
		done := r.receipts.dones[id]
		r.receipts.mu.Unlock()
		done(nil)
		w.expect([]byte{0x40, 2, 0, byte(id + 1)})
	}
	w.ping()
	require.Eventually(t, func() bool {
		s.out.mu.Lock()
		defer s.out.mu.Unlock()
		return !s.out.socket.detached
	}, patience, time.Millisecond, "the poller reads again")
	w.ping()
}

func TestPoller_LateEventsReachNobody(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	s := r.polledSession(r.device(address, "lift-1", false), "lift-1")
	s.out.mu.Lock()
	at := s.out.socket
	s.out.mu.Unlock()
	require.Same(t, s, at.poller.at(at.slot, at.turn))
	s.end(codeSuccess, endDropped)
	r.hooks.awaitTold(t, "lift-1 up false")
	require.Nil(t, at.poller.at(at.slot, at.turn))
	again := r.polledSession(r.device(address, "lift-1", false), "lift-1")
	require.Equal(t, at.slot, again.out.socket.slot, "the place is taken again")
	require.Nil(t, at.poller.at(at.slot, at.turn))
	require.Empty(t, at.poller.look(s, unix.EPOLLIN|unix.EPOLLOUT, nil))
}
