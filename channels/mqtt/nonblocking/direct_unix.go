//go:build unix

package nonblocking

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// directWriter makes one non-blocking write(2). Its user holds a lock: it keeps
// the arguments in itself, so that a write allocates nothing.
type directWriter struct {
	raw syscall.RawConn
	try func(fd uintptr) bool
	b   []byte
	n   int
	err error
}

// newDirectWriter returns nil for connections that are not sockets.
func newDirectWriter(c net.Conn) *directWriter {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	w := &directWriter{raw: raw}
	w.try = w.once
	return w
}

// write returns how much the kernel took, which may be nothing.
func (w *directWriter) write(b []byte) (int, error) {
	w.b, w.n, w.err = b, 0, nil
	err := w.raw.Write(w.try)
	w.b = nil
	if err == nil {
		err = w.err
	}
	if err != nil {
		return 0, fmt.Errorf("writing to device: %w", err)
	}
	return w.n, nil
}

// once always reports done, so that the poller does not wait.
func (w *directWriter) once(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), w.b)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err == nil {
			w.n = n
		} else if !errors.Is(err, syscall.EAGAIN) {
			w.err = err
		}
		return true
	}
}
