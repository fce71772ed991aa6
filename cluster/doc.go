// Package cluster is one district's raft group: who its nodes are, the one port
// on which they talk, the replicated log, and membership. It knows nothing of
// alerts: commands are bytes, and the state machine is handed to it.
//
// Cluster opens and closes its parts; each part decides one thing. It never imports fact or
// fsm, nor anything of node: what is replicated is not its business.
//
// DESIGN.md has the drawing of the parts, and says why it is built this way and what a crash leaves at each step.
package cluster
