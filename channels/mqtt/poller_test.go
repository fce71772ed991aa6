//go:build linux && (amd64 || arm64)

package mqtt

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/nonblocking"
	"almenara/channels/mqtt/packet"
	"almenara/channels/mqtt/poller"
	"almenara/storage/receipt"
)

// polledSession is the session of a device over TCP, once a poller has it.
func (r *rig) polledSession(w *wire, device string) *session {
	r.t.Helper()
	w.ping() // what answers it has the session for good
	s := r.shardOf(device).get(device)
	require.NotNil(r.t, s)
	require.True(r.t, s.out.Polled())
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
	entered, leave := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(o *Options) { o.Receipts = slowReceipts{entered, leave} })
	address := r.listen(TCP)
	for i := range 30 {
		id := fmt.Sprintf("bulk-%04d", i)
		w := r.device(address, id, false)
		r.polledSession(w, id)
		w.send(publishPacket(false, 0, 0, contract.DevicePrefix(id)+contract.LeafReceipt, receiptsJSON("presented", id)))
		<-entered // the poller cannot look before both are there
		w.send([]byte{packet.KindPingreq << 4, 0})
		require.NoError(t, w.Conn.(*net.TCPConn).CloseWrite())
		leave <- struct{}{}
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
		_, err := s.out.Receive(nil)
		return !errors.Is(err, nonblocking.ErrReadApart)
	}, patience, time.Millisecond, "the poller reads again")
	w.ping()
}

func TestPoller_LateEventsDoNothing(t *testing.T) {
	r := newRig(t)
	s := r.polledSession(r.device(r.listen(TCP), "lift-1", false), "lift-1")
	s.end(packet.CodeSuccess, metrics.Dropped)
	r.hooks.awaitTold(t, "lift-1 up false")
	require.False(t, s.in.readEvent(poller.Event(unix.EPOLLIN|unix.EPOLLOUT), make([]byte, 16)))
}

// slowReceipts takes a receipt when the test lets it.
type slowReceipts struct{ entered, leave chan struct{} }

func (s slowReceipts) Take(_ channels.Endpoint, _ []receipt.Receipt, done func(error)) {
	s.entered <- struct{}{}
	<-s.leave
	done(nil)
}
