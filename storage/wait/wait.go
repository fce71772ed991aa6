// Package wait is how a goroutine waits for time, and how long after failures. It imports nothing
// of ours, and every layer may import it.
package wait

import (
	"context"
	"time"
)

// Sleep waits for d and reports whether ctx still goes on.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return ctx.Err() == nil
}

// Backoff is how long to wait after one failure after the other: First, then twice as long each
// time, Last at most. It is for one goroutine.
type Backoff struct {
	First, Last time.Duration

	next time.Duration
}

// Next is the pause after a failure.
func (b *Backoff) Next() time.Duration {
	pause := max(b.next, b.First)
	b.next = min(2*pause, b.Last)
	return min(pause, b.Last)
}

// Reset begins with First again, after a success.
func (b *Backoff) Reset() { b.next = 0 }
