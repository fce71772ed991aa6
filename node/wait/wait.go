// Package wait is how a goroutine of a node waits for time. It imports nothing of ours.
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
