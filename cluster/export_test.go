package cluster

import (
	"context"
	"net/http"

	"github.com/hashicorp/raft"
)

// HandOver is the first step of Stop.
func (c *Cluster) HandOver(ctx context.Context) { c.handOver(ctx) }

// RaftConfig is what raft runs with.
func (o Options) RaftConfig() *raft.Config { return o.raftConfig(nil) }

// Transfer hands leadership to another node and changes nothing else.
func (c *Cluster) Transfer(ctx context.Context) error { return c.transfer(ctx) }

// ReceivedDumps are what raft gets of a snapshot store on a node whose log holds so much.
func ReceivedDumps(s raft.SnapshotStore, held uint64) raft.SnapshotStore {
	return receivedDumps{s, func() uint64 { return held }}
}

// LastIndex is where the log ends.
func (c *Cluster) LastIndex() uint64 { return c.raft.LastIndex() }

// Recall is told by a peer that this run had come so far.
func (c *Cluster) Recall(peer string, index, term uint64) {
	m := logMarks{Index: logMark{c.start.Run, index}, Term: logMark{c.start.Run, term}}
	c.recall(peer, http.Header{knownHeader: {encodeHeader(m)}})
}

// PendingID is the server id under which a box asks to join; "" before it has asked.
func PendingID(dir string) string {
	id, err := load(dir, pendingFile)
	if err != nil {
		return ""
	}
	return id.NodeID
}
