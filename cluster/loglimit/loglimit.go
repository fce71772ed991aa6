// Package loglimit keeps a repeated log line from filling the disk that alerts need.
package loglimit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Every is how often a line is let through.
const Every = time.Minute

// Line is one line of the log. The zero value is ready; safe for concurrent use.
type Line struct {
	mu      sync.Mutex
	last    time.Time
	leftOut int
}

// Log writes the line with the error that it is about, or only counts it when it was
// written within the last minute; left_out is that count since the line before.
func (l *Line) Log(log *slog.Logger, level slog.Level, text string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.last.IsZero() && time.Since(l.last) < Every {
		l.leftOut++
		return
	}
	log.Log(context.Background(), level, text, "error", err, "left_out", l.leftOut)
	l.last, l.leftOut = time.Now(), 0
}
