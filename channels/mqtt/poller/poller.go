// Package poller reads the sockets of many devices in one goroutine: an idle device then
// costs neither a stack nor a buffer, and a PUBACK neither a switch of goroutines nor a
// read that finds nothing. It owns an epoll instance, the descriptors that it watches, and
// who each of them belongs to. It knows neither MQTT nor sessions: the loop that asks Wait
// and Event, and does what they say, is its user's.
//
// It imports no package of ours. It exists on Linux (amd64, arm64); elsewhere New returns
// nil, and a goroutine has to read each device.
package poller

import (
	"errors"
	"time"
)

// ErrNothing is returned by Socket.Receive when there is nothing to read now.
var ErrNothing = errors.New("nothing to read")

// Owner is who a watched socket belongs to.
type Owner interface {
	// CheckProgress is called now and then while bytes are pending: between
	// Socket.AwaitWritable and Socket.AllWritten. It must not wait.
	CheckProgress(now time.Time)
}
