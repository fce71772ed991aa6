//go:build linux && (amd64 || arm64) && race

package poller

import (
	"errors"
	"syscall"
)

// write and read are package syscall's own here: these tell the race detector that
// what a device is sent happened before it was received. The sockets do not block.

func (s *Socket) write(b []byte) (int, syscall.Errno) { return repeat(s, b, syscall.Write) }
func (s *Socket) read(b []byte) (int, syscall.Errno)  { return repeat(s, b, syscall.Read) }

func repeat(s *Socket, b []byte, call func(fd int, b []byte) (int, error)) (int, syscall.Errno) {
	for {
		n, err := call(int(s.fd), b)
		var errno syscall.Errno
		if errors.As(err, &errno); errno != syscall.EINTR {
			return max(n, 0), errno
		}
	}
}
