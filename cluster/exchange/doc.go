// Package exchange makes facts, brings them to the other nodes and into the state machine,
// and takes theirs.
//
//	Create ─▶ journal ─▶ told ─┬─▶ pushed to each peer       peers.go
//	                           ├─▶ what is missing: vectors  antientropy.go
//	                           └─▶ proposed to raft          adopter.go
//
// It owns the messages between nodes under /fact/, who is heard, what waits for a commit and
// how far each own fact has got. DESIGN.md has the way of a fact. It imports cluster/fact and
// cluster/journal; the port, raft and the state machine are functions in Options, and it may never
// import them.
package exchange
