// Package loglimit keeps repeated log lines from filling the disk that alerts need.
package loglimit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Lines are lines of the log of which only so many are written. The zero value is ready and lets
// one through a minute. Safe for concurrent use.
type Lines struct {
	Most int           // lines that are written in each Per; 0 is 1
	Per  time.Duration // 0 is a minute

	mu      sync.Mutex
	since   time.Time // when the first of them was written
	written int
	leftOut int
}

// Log writes the line, or only counts it when enough were written already. left_out is that count
// since the line before; it is absent where nothing was left out.
func (l *Lines) Log(log *slog.Logger, level slog.Level, text string, attributes ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	per := l.Per
	if per == 0 {
		per = time.Minute
	}
	if l.since.IsZero() || time.Since(l.since) >= per {
		l.since, l.written = time.Now(), 0
	}
	if l.written >= max(l.Most, 1) {
		l.leftOut++
		return
	}
	l.written++
	if l.leftOut > 0 {
		attributes = append(attributes, "left_out", l.leftOut)
	}
	log.Log(context.Background(), level, text, attributes...)
	l.leftOut = 0
}
