//go:build linux && (amd64 || arm64) && !race

package poller

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// write and read never wait, so Go's scheduler is not told of them: that would cost
// more than it saves. Sockets have calls of their own, which are a little cheaper than
// those for files.

func (s *Socket) write(b []byte) (int, syscall.Errno) {
	return s.call(syscall.SYS_SENDTO, b, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func (s *Socket) read(b []byte) (int, syscall.Errno) {
	return s.call(syscall.SYS_RECVFROM, b, unix.MSG_DONTWAIT)
}

func (s *Socket) call(number uintptr, b []byte, flags uintptr) (int, syscall.Errno) {
	if len(b) == 0 {
		return 0, 0
	}
	for {
		n, _, errno := syscall.RawSyscall6(number, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), flags, 0, 0)
		if errno != syscall.EINTR {
			return int(n), errno
		}
	}
}
