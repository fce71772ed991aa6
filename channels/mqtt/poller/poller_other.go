//go:build !linux || !(amd64 || arm64)

package poller

import (
	"net"
	"os"
)

// Event is what has happened to a socket.
type Event uint32

// Readable is the event of a socket that has more to read.
const Readable Event = 1

// Readable reports whether there is something to read.
func (Event) Readable() bool { return false }

// Writable reports whether the kernel takes bytes again.
func (Event) Writable() bool { return false }

// Ended reports whether the peer writes no more.
func (Event) Ended() bool { return false }

// Poller exists on Linux only: elsewhere a goroutine reads each device.
type Poller struct{}

// New returns nil.
func New() *Poller { return nil }

// Wait is never called, and so are the others.
func (*Poller) Wait(bool) int { return 0 }

// Event returns nobody.
func (*Poller) Event(int) (Owner, Event) { return nil, 0 }

// Done reports true.
func (*Poller) Done() bool { return true }

// Stop does nothing.
func (*Poller) Stop() {}

// Close does nothing.
func (*Poller) Close() {}

// Adopt takes nothing over.
func (*Poller) Adopt(*net.TCPConn, Owner) (Socket, bool) { return Socket{}, false }

// Socket is what a poller watches, of which there is none.
type Socket struct{}

// Polled reports false.
func (*Socket) Polled() bool { return false }

// Send sends nothing.
func (*Socket) Send([]byte) (int, error) { return 0, net.ErrClosed }

// Receive reads nothing.
func (*Socket) Receive([]byte) (int, error) { return 0, net.ErrClosed }

// AwaitWritable does nothing.
func (*Socket) AwaitWritable() {}

// AllWritten does nothing.
func (*Socket) AllWritten() {}

// Duplicate returns nil.
func (*Socket) Duplicate() *os.File { return nil }

// Close does nothing.
func (*Socket) Close() {}
