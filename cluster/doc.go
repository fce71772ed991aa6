// Package cluster is one district's raft group: who its nodes are, the one port
// on which they talk, the replicated log, and membership. It knows nothing of
// alerts: commands are bytes, and the state machine is handed to it.
//
// DESIGN.md says why it is built this way and what a crash leaves at each step.
package cluster
