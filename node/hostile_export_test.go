package node

import "context"

// ProposeRaw commits bytes that no version of this software may have written.
func (n *Node) ProposeRaw(ctx context.Context, entry []byte) ([]byte, error) {
	return n.cluster.Propose(ctx, entry)
}
