//go:build linux && (amd64 || arm64)

package poller

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxEvents = 256
	// tick is how often owners of pending bytes are asked whether they get on.
	tick = 250 * time.Millisecond
	// watched is what owners wait for. Edges: a look costs one read, and no socket is
	// told of again before something more has happened to it.
	watched = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&0xFFFFFFFF
	ended   = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
)

// Event is what has happened to a socket.
type Event uint32

// Readable is the event of a socket that has more to read.
const Readable Event = unix.EPOLLIN

// Readable reports whether there is something to read, be it the end.
func (e Event) Readable() bool { return e&(unix.EPOLLIN|ended) != 0 }

// Writable reports whether the kernel takes bytes again.
func (e Event) Writable() bool { return e&unix.EPOLLOUT != 0 }

// Ended reports whether the peer writes no more. It comes with the last bytes, and makes no
// event of its own then.
func (e Event) Ended() bool { return e&ended != 0 }

// Poller watches sockets. Wait and Event are for the one goroutine that serves it; nil
// may be stopped, and adopts nothing.
//
// The epoll instance is itself watched by Go's poller, so that no thread waits in it.
type Poller struct {
	file   *os.File // the epoll instance
	raw    syscall.RawConn
	events [maxEvents]unix.EpollEvent

	mu      sync.Mutex // guards what follows
	places  []place
	free    []int32
	pending map[int32]struct{} // places whose owners have bytes that wait for the device
	used    int
	closing bool
}

// place is where an owner is kept. The use tells events of an earlier owner apart.
type place struct {
	owner Owner
	use   int32
}

// New returns nil where the kernel refuses a poller.
func New() *Poller {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	if err := unix.SetNonblock(fd, true); err != nil { // makes os.File wait in Go's poller
		_ = unix.Close(fd)
		return nil
	}
	p := &Poller{file: os.NewFile(uintptr(fd), "epoll"), pending: map[int32]struct{}{}}
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.file.SetReadDeadline(time.Now().Add(tick))
	}
	if err != nil {
		_ = p.file.Close()
		return nil
	}
	return p
}

// Wait returns how many events there are, at once when its user is in a hurry. It panics
// when epoll fails: that happens only where it is used wrongly, and devices would go deaf.
func (p *Poller) Wait(hurry bool) int {
	n, err := p.wait(hurry)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.checkProgress()
		err = p.file.SetReadDeadline(time.Now().Add(tick))
	}
	if err != nil {
		panic(fmt.Errorf("serving devices: %w", err))
	}
	return n
}

func (p *Poller) wait(hurry bool) (n int, err error) {
	var failed error
	err = p.raw.Read(func(fd uintptr) bool {
		n, failed = unix.EpollWait(int(fd), p.events[:], 0)
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

// Event is the i-th event of the last Wait. The owner is nil when its socket has been
// closed meanwhile.
func (p *Poller) Event(i int) (Owner, Event) {
	e := &p.events[i]
	return p.ownerAt(e.Fd, e.Pad), Event(e.Events)
}

func (p *Poller) ownerAt(index, use int32) Owner {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.places[index]; at.use == use {
		return at.owner
	}
	return nil
}

// checkProgress asks those with pending bytes whether they got on.
func (p *Poller) checkProgress() {
	p.mu.Lock()
	owners := make([]Owner, 0, len(p.pending))
	for index := range p.pending {
		owners = append(owners, p.places[index].owner)
	}
	p.mu.Unlock()
	for _, o := range owners {
		o.CheckProgress(time.Now())
	}
}

// Done reports that the poller was stopped and watches nothing any more.
func (p *Poller) Done() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closing && p.used == 0
}

// Stop makes the poller be Done when its last socket is closed. It adopts no more.
func (p *Poller) Stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	_ = p.file.SetReadDeadline(time.Now())
}

// Close gives the epoll instance back. Its user calls it when the poller is Done.
func (p *Poller) Close() { _ = p.file.Close() }

// addOwner finds a place for the owner; false when the poller stops.
func (p *Poller) addOwner(o Owner) (index, use int32, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return 0, 0, false
	}
	p.used++
	if n := len(p.free); n > 0 {
		index, p.free = p.free[n-1], p.free[:n-1]
	} else {
		index, p.places = int32(len(p.places)), append(p.places, place{})
	}
	at := &p.places[index]
	at.owner = o
	at.use++
	return index, at.use, true
}

func (p *Poller) removeOwner(index int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := &p.places[index]
	at.owner = nil
	at.use++
	p.free = append(p.free, index)
	p.used--
	delete(p.pending, index)
	if p.closing && p.used == 0 {
		_ = p.file.SetReadDeadline(time.Now())
	}
}

// Adopt takes a connection over from package net, and begins to watch it for its owner. It
// reports false where that is not possible: then c is as it was. Events may come before
// it returns.
func (p *Poller) Adopt(c *net.TCPConn, o Owner) (Socket, bool) {
	if p == nil {
		return Socket{}, false
	}
	fd, err := duplicate(c)
	if err != nil {
		return Socket{}, false
	}
	index, use, ok := p.addOwner(o)
	if !ok {
		_ = unix.Close(fd)
		return Socket{}, false
	}
	s := Socket{poller: p, fd: int32(fd), place: index}
	if p.watch(fd, index, use) != nil {
		s.Close()
		return Socket{}, false
	}
	_ = c.Close()
	return s, true
}

func (p *Poller) watch(fd int, index, use int32) (err error) {
	raw := p.raw.Control(func(epoll uintptr) {
		err = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: watched, Fd: index, Pad: use})
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
