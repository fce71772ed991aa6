//go:build linux && (amd64 || arm64)

package poller

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket is a connection that a poller watches, out of the hands of package net. It has no
// lock: its owner uses it under one of its own, and closes it under that, so that no event,
// however late, reaches a connection that got the same descriptor. The zero value is no
// socket.
type Socket struct {
	poller    *Poller
	fd, place int32
}

// Polled reports whether there is a socket.
func (s *Socket) Polled() bool { return s.poller != nil }

// Send never waits: it returns how much the kernel took, which may be nothing. What it did
// not take is written on the next Writable event.
func (s *Socket) Send(b []byte) (int, error) {
	n, errno := s.write(b)
	switch errno {
	case 0:
		return n, nil
	case syscall.EAGAIN:
		return 0, nil
	}
	return 0, fmt.Errorf("writing to device: %w", errno)
}

// Receive reads what is there; ErrNothing when nothing is, io.EOF at the end.
func (s *Socket) Receive(b []byte) (int, error) {
	n, errno := s.read(b)
	switch {
	case errno == syscall.EAGAIN:
		return 0, ErrNothing
	case errno != 0:
		return 0, fmt.Errorf("reading from device: %w", errno)
	case n == 0:
		return 0, fmt.Errorf("reading from device: %w", io.EOF)
	}
	return n, nil
}

// AwaitWritable has the owner asked for its progress until AllWritten.
func (s *Socket) AwaitWritable() {
	s.poller.mu.Lock()
	defer s.poller.mu.Unlock()
	s.poller.pending[s.place] = struct{}{}
}

// AllWritten ends AwaitWritable.
func (s *Socket) AllWritten() {
	s.poller.mu.Lock()
	defer s.poller.mu.Unlock()
	delete(s.poller.pending, s.place)
}

// Duplicate is the socket once more; nil when no descriptor is left.
func (s *Socket) Duplicate() *os.File {
	fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "device")
}

// Close ends the watching and closes the socket, once.
func (s *Socket) Close() {
	s.poller.removeOwner(s.place)
	_ = unix.Close(int(s.fd))
}
