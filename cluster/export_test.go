package cluster

import (
	"context"

	"github.com/hashicorp/raft"
)

// HandOver is the first step of Stop.
func (c *Cluster) HandOver(ctx context.Context) { c.handOver(ctx) }

// RaftConfig is what raft runs with.
func (o Options) RaftConfig() *raft.Config { return o.raftConfig(nil) }

// Transfer hands leadership to another node and changes nothing else.
func (c *Cluster) Transfer(ctx context.Context) error { return c.transfer(ctx) }
