//go:build linux && (amd64 || arm64)

package mqtt

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	pollEvents = 256
	pollBuffer = 16 << 10
	// readsAtOnce is how much one device may say before others get their turn.
	readsAtOnce = 4
	// pollTick is how often connections that do not take their bytes are looked at.
	pollTick = 250 * time.Millisecond
	// watched is what sessions wait for. Edges: a look costs one read, and no
	// connection is told of again before something more has happened to it.
	watched = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&0xFFFFFFFF
	hungUp  = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
)

// poller reads many plain TCP sessions in one goroutine: an idle device then costs
// neither a stack nor a buffer, and a PUBACK neither a switch of goroutines nor a
// read that finds nothing. Nothing that it calls waits; a session that has to wait
// is read by a goroutine of its own until it need not any more.
//
// The epoll instance is itself watched by Go's poller, so that no thread waits in it.
type poller struct {
	file *os.File // the epoll instance
	raw  syscall.RawConn
	buf  [pollBuffer]byte

	mu      sync.Mutex // guards what follows; taken after outConn.mu
	slots   []slot
	free    []int32
	pending map[*outConn]struct{} // connections with bytes that wait for the device
	used    int
	closing bool
}

// slot is a place of a session. The turn tells events of an earlier one apart.
type slot struct {
	s    *session
	turn int32
}

// socket is a connection's part that a poller watches, out of the hands of package
// net. outConn.mu guards it.
type socket struct {
	poller   *poller // nil: package net has the connection
	fd, slot int32
	turn     int32
	detached bool      // a goroutine reads
	due      time.Time // when pending bytes must have got on
	told     bool      // the user knows that the connection ends
}

// newPoller returns nil where the kernel refuses one; goroutines read then.
func newPoller() *poller {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	if err := unix.SetNonblock(fd, true); err != nil { // makes os.File wait in Go's poller
		_ = unix.Close(fd)
		return nil
	}
	p := &poller{file: os.NewFile(uintptr(fd), "epoll"), pending: map[*outConn]struct{}{}}
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.file.SetReadDeadline(time.Now().Add(pollTick))
	}
	if err != nil {
		_ = p.file.Close()
		return nil
	}
	return p
}

// run serves until stop, and until every session is gone then.
func (p *poller) run() {
	defer p.file.Close()
	var events [pollEvents]unix.EpollEvent
	var more []*session
	for {
		n, err := p.wait(events[:], len(more) > 0)
		again := more
		more = nil
		for _, s := range again {
			more = p.look(s, unix.EPOLLIN, more)
		}
		for i := range n {
			if s := p.at(events[i].Fd, events[i].Pad); s != nil {
				more = p.look(s, events[i].Events, more)
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.checkPending()
			err = p.file.SetReadDeadline(time.Now().Add(pollTick))
		}
		if err != nil { // epoll of our own fails only where its use is wrong, and its devices would go deaf
			panic(fmt.Errorf("serving devices: %w", err))
		}
		if p.done() {
			return
		}
	}
}

// wait returns what has happened, at once when there is more to do.
func (p *poller) wait(events []unix.EpollEvent, hurry bool) (n int, err error) {
	var failed error
	err = p.raw.Read(func(fd uintptr) bool {
		n, failed = unix.EpollWait(int(fd), events, 0)
		if errors.Is(failed, unix.EINTR) {
			n, failed = 0, nil
		}
		return n > 0 || failed != nil || hurry
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("waiting for devices: %w", failed)
	}
	return max(n, 0), err
}

// look does what an event asks for. Sessions with more to read are added to more.
func (p *poller) look(s *session, events uint32, more []*session) []*session {
	if events&unix.EPOLLOUT != 0 {
		s.out.flush()
	}
	if events&(unix.EPOLLIN|hungUp) == 0 {
		return more
	}
	for range readsAtOnce {
		n, err := s.out.receive(p.buf[:])
		if err == nil {
			err = s.takeGuarded(p.buf[:n])
		}
		switch {
		case errors.Is(err, errAgain), errors.Is(err, errDetached):
			return more
		case errors.Is(err, errWait):
			s.readApart()
			return more
		case err != nil:
			s.hangUp(s.explain(err))
			return more
		case n < len(p.buf) && events&hungUp == 0:
			return more // what comes now is another event
		}
	}
	return append(more, s)
}

func (p *poller) at(index, turn int32) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if place := p.slots[index]; place.turn == turn {
		return place.s
	}
	return nil
}

// checkPending closes connections whose pending bytes did not get on in time.
func (p *poller) checkPending() {
	p.mu.Lock()
	late := make([]*outConn, 0, len(p.pending))
	for c := range p.pending {
		late = append(late, c)
	}
	p.mu.Unlock()
	for _, c := range late {
		c.checkDue(time.Now())
	}
}

// done reports that run is to end.
func (p *poller) done() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closing && p.used == 0
}

// stop makes run end when the last session is gone. No more are adopted.
func (p *poller) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	_ = p.file.SetReadDeadline(time.Now())
}

// place finds a slot for the session; false when the poller stops.
func (p *poller) place(s *session) (index, turn int32, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return 0, 0, false
	}
	p.used++
	if n := len(p.free); n > 0 {
		index, p.free = p.free[n-1], p.free[:n-1]
	} else {
		index, p.slots = int32(len(p.slots)), append(p.slots, slot{})
	}
	place := &p.slots[index]
	place.s = s
	place.turn++
	return index, place.turn, true
}

func (p *poller) release(c *outConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	place := &p.slots[c.socket.slot]
	place.s = nil
	place.turn++
	p.free = append(p.free, c.socket.slot)
	p.used--
	delete(p.pending, c)
	if p.closing && p.used == 0 {
		_ = p.file.SetReadDeadline(time.Now())
	}
}

// adopt takes the session's connection over from package net and begins to read it.
// It reports false where that is not possible: then a goroutine has to read.
func (p *poller) adopt(s *session) bool {
	c := s.out
	tcp, ok := c.Conn.(*net.TCPConn)
	if p == nil || !ok || s.top != net.Conn(c) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.err != nil || c.draining {
		return false
	}
	fd, err := duplicate(tcp)
	if err != nil {
		return false
	}
	index, turn, ok := p.place(s)
	if !ok {
		_ = unix.Close(fd)
		return false
	}
	c.socket = socket{poller: p, fd: int32(fd), slot: index, turn: turn}
	if p.watch(&c.socket) != nil {
		p.release(c)
		c.socket = socket{}
		_ = unix.Close(fd)
		return false
	}
	_ = tcp.Close()
	c.Conn, c.direct = nil, nil
	return true
}

func (p *poller) watch(s *socket) (err error) {
	raw := p.raw.Control(func(epoll uintptr) {
		err = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, int(s.fd), &unix.EpollEvent{Events: watched, Fd: s.slot, Pad: s.turn})
	})
	return errors.Join(raw, err)
}

// duplicate gives a descriptor of our own.
func duplicate(tcp *net.TCPConn) (fd int, err error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return -1, err
	}
	failed := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(failed, err)
}

// send never waits: it returns how much the kernel took.
func (s *socket) send(b []byte) (int, error) {
	n, errno := s.write(b)
	switch errno {
	case 0:
		return n, nil
	case syscall.EAGAIN:
		return 0, nil
	}
	return 0, fmt.Errorf("writing to device: %w", errno)
}

// receive reads what is there; errAgain when nothing is.
func (s *socket) receive(b []byte) (int, error) {
	n, errno := s.read(b)
	switch {
	case errno == syscall.EAGAIN:
		return 0, errAgain
	case errno != 0:
		return 0, fmt.Errorf("reading from device: %w", errno)
	case n == 0:
		return 0, fmt.Errorf("reading from device: %w", io.EOF)
	}
	return n, nil
}

// polled reports whether a poller has the connection. The caller holds mu.
func (c *outConn) polled() bool { return c.socket.poller != nil }

// receive reads for a poller.
func (c *outConn) receive(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing || c.closed:
		return 0, net.ErrClosed
	case c.socket.detached:
		return 0, errDetached
	}
	return c.socket.receive(b)
}

// detach keeps the poller from reading.
func (c *outConn) detach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket.detached = true
}

// receiveApart is receive for the goroutine that reads meanwhile. When nothing is
// there, the poller has its session again: what comes later is another event, which
// waits for mu.
func (c *outConn) receiveApart(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.closed {
		return 0, net.ErrClosed
	}
	n, err := c.socket.receive(b)
	if errors.Is(err, errAgain) {
		c.socket.detached = false
	}
	return n, err
}

// await has the poller send what is pending, and look whether it gets on. The caller
// holds mu.
func (c *outConn) await() {
	c.socket.due = time.Now().Add(c.stall)
	p := c.socket.poller
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending[c] = struct{}{}
}

// flush sends pending bytes, as far as the kernel takes them.
func (c *outConn) flush() {
	if c.Pending() == 0 {
		return
	}
	if through := c.lockedFlush(); through != nil {
		through.drained()
	}
}

// lockedFlush returns who is to be told that nothing is pending any more.
func (c *outConn) lockedFlush() (through connUser) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > 0 {
		n, err := c.socket.send(c.pending)
		if err != nil {
			c.fail(err)
			return nil
		}
		if n == 0 {
			return nil
		}
		c.pending = c.pending[n:]
		c.count()
		if !c.closing {
			c.socket.due = time.Now().Add(c.stall)
		}
	}
	if !c.draining {
		return nil
	}
	c.pending, c.draining = nil, false
	if c.closing {
		c.close()
		return nil
	}
	p := c.socket.poller
	p.mu.Lock()
	delete(p.pending, c)
	p.mu.Unlock()
	return c.user
}

// checkDue closes the connection when its pending bytes did not get on.
func (c *outConn) checkDue(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining && !c.closed && now.After(c.socket.due) {
		c.fail(fmt.Errorf("writing to device: %w", os.ErrDeadlineExceeded))
	}
}

// duplicateSocket is nil when no descriptor is left. The caller holds mu.
func (c *outConn) duplicateSocket() *os.File {
	fd, err := unix.FcntlInt(uintptr(c.socket.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "device")
}

// closeSocket ends what a poller watched. The caller holds mu.
func (c *outConn) closeSocket() {
	c.socket.poller.release(c)
	_ = unix.Close(int(c.socket.fd))
}
