// Package hclogs writes what the libraries of HashiCorp log to slog: raft, raft-wal and
// their parts. It owns the list of their messages that come again and again while a link is
// down. It imports nothing of this program.
package hclogs
