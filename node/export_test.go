package node

import (
	"context"

	"almenara/cluster/command"
)

// ProposeRaw commits bytes that no version of this software may have written.
func (n *Node) ProposeRaw(ctx context.Context, entry []byte) ([]byte, error) {
	return n.cluster.Propose(ctx, entry)
}

// TakeKey does the first half of a removal: the node's key leaves the key ring, and the
// node is still a member.
func (n *Node) TakeKey(ctx context.Context, id string) error {
	if _, err := n.change(ctx, "test", &command.RemoveNode{ID: id}); err != nil {
		return err
	}
	return n.keepKeyRing(ctx)
}
