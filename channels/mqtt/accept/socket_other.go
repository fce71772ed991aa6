//go:build !linux

package accept

import (
	"net"
	"time"
)

// setUserTimeout has no portable form; TCP keep-alive and the acknowledgement
// timeout remain.
func setUserTimeout(*net.TCPConn, time.Duration) {}
