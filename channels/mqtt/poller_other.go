//go:build !linux || !(amd64 || arm64)

package mqtt

import (
	"net"
	"os"
	"time"
)

// poller exists on Linux only: elsewhere a goroutine reads each session.
type poller struct{}

// socket is what a poller watches, of which there is none.
type socket struct {
	due  time.Time
	told bool
}

func newPoller() *poller                          { return nil }
func (*poller) run()                              {}
func (*poller) stop()                             {}
func (*poller) adopt(*session) bool               { return false }
func (*socket) send([]byte) (int, error)          { return 0, net.ErrClosed }
func (*outConn) polled() bool                     { return false }
func (*outConn) detach()                          {}
func (*outConn) receiveApart([]byte) (int, error) { return 0, net.ErrClosed }
func (*outConn) await()                           {}
func (*outConn) duplicateSocket() *os.File        { return nil }
func (*outConn) closeSocket()                     {}
