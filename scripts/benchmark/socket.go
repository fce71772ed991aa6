//go:build linux

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a bare TCP connection: no poller, no goroutine, no buffer. It is a
// net.Conn for crypto/tls.
type socket struct {
	fd     int
	remote *net.TCPAddr
}

// wouldBlock is temporary, which crypto/tls takes as "ask again later".
type wouldBlock struct{}

func (wouldBlock) Error() string   { return "nothing to read" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

// openTime bounds every wait while a connection is opened.
const openTime = 20 * time.Second

// smallWindow makes a device that does not read stop its server soon; the kernel
// takes its own minimum.
const smallWindow = 2048

// dial connects from one of eight loopback addresses, so that neither ports nor a
// limit per address run out. Reads block until unblock is called.
func dial(to *net.TCPAddr, i int, receiveBuffer int) (*socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a socket: %w", err)
	}
	s := &socket{fd, to}
	wait := unix.NsecToTimeval(int64(openTime))
	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i%8)}}),
	)
	if receiveBuffer > 0 {
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer))
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connecting to %v: %w", to, err)
	}
	return s, nil
}

// unblock makes reads return wouldBlock instead of waiting.
func (s *socket) unblock() error { return unix.SetNonblock(s.fd, true) }

// Read implements net.Conn.
func (s *socket) Read(to []byte) (int, error) {
	for {
		n, err := unix.Read(s.fd, to)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, wouldBlock{}
		case err != nil:
			return 0, err
		case n == 0:
			return 0, net.ErrClosed
		default:
			return n, nil
		}
	}
}

// Write implements net.Conn. What a device writes is small; where the kernel has no
// room for it, Write waits.
func (s *socket) Write(all []byte) (int, error) {
	for rest := all; len(rest) > 0; {
		n, err := unix.Write(s.fd, rest)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			if err := s.awaitRoom(); err != nil {
				return len(all) - len(rest), err
			}
		case err != nil:
			return len(all) - len(rest), err
		default:
			rest = rest[n:]
		}
	}
	return len(all), nil
}

func (s *socket) awaitRoom() error {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}, int(openTime.Milliseconds()))
	if err == nil && n == 0 {
		return wouldBlock{}
	}
	if err == unix.EINTR {
		return nil
	}
	return err
}

// hungUp reports whether the server has ended the connection.
func (s *socket) hungUp() bool {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, 0)
	return err != nil || n > 0 && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
}

// Close implements net.Conn.
func (s *socket) Close() error { return unix.Close(s.fd) }

// LocalAddr implements net.Conn; nobody asks for it.
func (s *socket) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr implements net.Conn.
func (s *socket) RemoteAddr() net.Addr { return s.remote }

// SetDeadline implements net.Conn; the socket has its own limits.
func (s *socket) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (s *socket) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// secured puts TLS 1.3 around the socket. The key exchange is the one that every
// server here has, so that handshakes compare.
func (s *socket) secured(base *tls.Config) (*tls.Conn, error) {
	c := base.Clone()
	c.MinVersion, c.ServerName = tls.VersionTLS13, s.remote.IP.String()
	c.CurvePreferences = []tls.CurveID{tls.X25519}
	conn := tls.Client(s, c)
	return conn, conn.Handshake()
}
