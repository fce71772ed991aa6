//go:build !linux

package mqtt

import (
	"net"
	"time"
)

// setUserTimeout has no portable form; TCP keep-alive and the acknowledgement
// timeout remain.
func setUserTimeout(*net.TCPConn, time.Duration) {}
