package cluster

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/raft"
)

// HandOver is the first step of Stop.
func (c *Cluster) HandOver(ctx context.Context) { c.proposals.Stop(); c.HandLeadershipOver(ctx) }

// RaftConfig is what raft runs with.
func (o Options) RaftConfig() *raft.Config { return o.raftConfig(nil) }

// Transfer hands leadership to another node and changes nothing else.
func (c *Cluster) Transfer(ctx context.Context) error { return c.group.Transfer(ctx) }

// LastIndex is where the log ends.
func (c *Cluster) LastIndex() uint64 { return c.group.Raft.LastIndex() }

// Recall is told by a peer that this run had come so far.
func (c *Cluster) Recall(peer string, index, term uint64) {
	run, _, _ := strings.Cut(strings.TrimPrefix(c.memory.Claim().Path, "/"), "/")
	c.sayings.recall(peer, http.Header{"Almenara-Log-Known": {fmt.Sprintf(`{"index":{"run":%q,"at":%d},"term":{"run":%q,"at":%d}}`, run, index, run, term)}})
}
