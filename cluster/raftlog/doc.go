// Package raftlog is raft's log, term and vote on this disk.
//
//	raft ─▶ Watchdog.Watch ─▶ seal: a checksum on every entry ─▶ raft-wal ─▶ files in Dir
//	          │ how long a write takes, what is left of a full disk
//	          └─▶ Run: ends the process where the log stands still or takes nothing more
//
//	Check reads all of it · Inspect looks at that of a node that is down · DropStale takes
//	away one that ends before the state
//
// It owns the folder Dir of a node's data directory. It imports no part of the cluster but
// the adapter for the libraries' messages, and judges nothing about who may vote or lead.
package raftlog
