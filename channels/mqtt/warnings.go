package mqtt

import (
	"sync"
	"time"
)

// warningsPerSecond bounds what devices can make the gateway write into its log:
// one that publishes nonsense as fast as it can would fill the disk. The metrics
// count everything.
const warningsPerSecond = 10

// warnings lets so many lines through in each second. The zero value is ready;
// safe for concurrent use.
type warnings struct {
	mu      sync.Mutex
	since   time.Time
	said    int
	leftOut int
}

// allow reports whether a line may be written now, and how many were left out since
// the last one that might.
func (c *warnings) allow(now time.Time) (leftOut int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.since); age >= time.Second || age < 0 {
		c.since, c.said = now, 0
	}
	if c.said >= warningsPerSecond {
		c.leftOut++
		return 0, false
	}
	leftOut, c.leftOut = c.leftOut, 0
	c.said++
	return leftOut, true
}

// warn writes a warning about a device, unless there are too many of them.
func (g *Gateway) warn(text string, attributes ...any) {
	leftOut, ok := g.warnings.allow(time.Now())
	if !ok {
		return
	}
	if leftOut > 0 {
		attributes = append(attributes, "left_out", leftOut)
	}
	g.log.Warn(text, attributes...)
}
