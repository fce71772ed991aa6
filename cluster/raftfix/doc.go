// Package raftfix goes around what hashicorp/raft 1.7.3 does wrong for us, one fault a file.
//
//	peers ─▶ InTurn ────────▶ raft ─▶ AppliedFSM ─▶ the state machine
//	         heartbeats.go     │       applied.go: what is really applied
//	         commit_index.go   ├─▶ RisingTerm ─────▶ term and vote    term.go
//	                           ├─▶ Unreadable ─────▶ the log          unreadable.go
//	                           └─▶ ReceivedDumps ──▶ the state        dumps.go
//
// Each file says which fault it is for, what was seen without it, and when to delete it.
// Its parts are put around raft and own nothing but what passes through. It imports raft
// and the log's errors, nothing else of the cluster: a new release of raft is judged here.
package raftfix
