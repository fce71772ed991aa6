//go:build linux

package main

import (
	"time"
	"unsafe"
)

// jumped is what time.Now would have returned had somebody set the machine's clock:
// the time of day is another one, the monotonic reading goes on. time.Time.Add moves
// both, which would show a node an hour that did not pass.
//
// It relies on the layout of time.Time that $GOROOT/src/time/time.go documents: with a
// monotonic reading, wall holds 1 bit that says so, 33 bits of seconds since 1885 and
// 30 bits of nanoseconds. TestJumped_MovesTheTimeOfDayAlone holds it to that.
func jumped(t time.Time, seconds int64) time.Time {
	const nanosecondBits = 30
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(seconds << nanosecondBits)
	return t
}
