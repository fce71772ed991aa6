package cluster

import "context"

// HandOver is the first step of Stop.
func (c *Cluster) HandOver(ctx context.Context) { c.handOver(ctx) }
