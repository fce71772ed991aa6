// Package journal keeps facts on this disk until the state machine has them.
//
//	a fact ─▶ lane: its place ─▶ ring: its room ─▶ batch: one write, one sync ─▶ durable, and told
//
// It owns the folder of the journal: the epoch, the segments of both streams, their layout,
// and the numbers of this node's own facts. DESIGN.md has the way of a fact and what a crash
// leaves. It asks nobody who may speak: signatures are checked before facts come here. It
// imports cluster/fact and storage/durable, and may never import what exchanges facts, the
// network or raft.
package journal
