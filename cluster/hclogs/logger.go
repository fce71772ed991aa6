package hclogs

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// hlogger writes what the raft libraries log to slog, from WARN up. It is the only
// adapter: both libraries share it.
type hlogger struct {
	hclog.Logger // a null logger, for the methods that nobody calls
	to           *slog.Logger
	name         string
	args         []any
}

func New(to *slog.Logger) hclog.Logger {
	return &hlogger{Logger: hclog.NewNullLogger(), to: to}
}

func slogLevel(l hclog.Level) slog.Level {
	switch l {
	case hclog.Error:
		return slog.LevelError
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Info:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

// Log implements hclog.Logger.
func (l *hlogger) Log(level hclog.Level, msg string, args ...any) {
	if level < hclog.Warn {
		return
	}
	for i, a := range args {
		if f, ok := a.(hclog.Format); ok && len(f) > 0 {
			args[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
		}
	}
	if ofLinks[msg] {
		level = hclog.Debug
	}
	l.to.With(l.args...).Log(context.Background(), slogLevel(level), msg, args...)
}

// Trace implements hclog.Logger.
func (l *hlogger) Trace(string, ...any) {}

// Debug implements hclog.Logger.
func (l *hlogger) Debug(string, ...any) {}

// Info implements hclog.Logger.
func (l *hlogger) Info(string, ...any) {}

// Warn implements hclog.Logger.
func (l *hlogger) Warn(msg string, args ...any) { l.Log(hclog.Warn, msg, args...) }

// Error implements hclog.Logger.
func (l *hlogger) Error(msg string, args ...any) { l.Log(hclog.Error, msg, args...) }

// IsWarn implements hclog.Logger.
func (l *hlogger) IsWarn() bool { return true }

// IsError implements hclog.Logger.
func (l *hlogger) IsError() bool { return true }

// GetLevel implements hclog.Logger.
func (l *hlogger) GetLevel() hclog.Level { return hclog.Warn }

// ImpliedArgs implements hclog.Logger.
func (l *hlogger) ImpliedArgs() []any { return l.args }

// Name implements hclog.Logger.
func (l *hlogger) Name() string { return l.name }

// With implements hclog.Logger.
func (l *hlogger) With(args ...any) hclog.Logger {
	c := *l
	c.args = append(append([]any{}, l.args...), args...)
	return &c
}

// Named implements hclog.Logger.
func (l *hlogger) Named(name string) hclog.Logger {
	if l.name != "" {
		name = l.name + "." + name
	}
	return l.ResetNamed(name)
}

// ResetNamed implements hclog.Logger.
func (l *hlogger) ResetNamed(name string) hclog.Logger {
	c := *l
	c.name, c.to = name, l.to.With("part", name)
	return &c
}

// StandardLogger implements hclog.Logger.
func (l *hlogger) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return slog.NewLogLogger(l.to.Handler(), slog.LevelWarn)
}

// StandardWriter implements hclog.Logger.
func (l *hlogger) StandardWriter(o *hclog.StandardLoggerOptions) io.Writer {
	return l.StandardLogger(o).Writer()
}

// ofLinks are messages of the raft library that come again and again while a link
// is down, or once for each connection that ends. They are for debugging: the
// cluster tells of the state itself, once.
var ofLinks = map[string]bool{
	"failed to appendEntries to":                        true,
	"failed to heartbeat to":                            true,
	"failed to contact":                                 true,
	"failed to make requestVote RPC":                    true,
	"failed to make requestVote RPC with pre-vote":      true,
	"failed to accept connection":                       true,
	"failed to decode incoming command":                 true,
	"failed to flush response":                          true,
	"appendEntries rejected, sending older logs":        true,
	"rejecting vote request since we have a leader":     true,
	"rejecting pre-vote request since we have a leader": true,
}
