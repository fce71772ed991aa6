package node

import (
	"context"

	"almenara/node/records"
	"almenara/storage"
)

// appliedVersion is the highest version of a command that this node has applied.
func (n *Node) appliedVersion() (uint64, error) {
	applied, err := n.store.Applied()
	return applied.Version, err
}

// recordedVersion is what a node said it understands when it was admitted; 0 where that
// is not on record.
func (n *Node) recordedVersion(id string) (version uint64) {
	if err := n.store.View(func(t *storage.Txn) error {
		node, _, err := t.Node(id)
		version = node.Version
		return err
	}); err != nil {
		n.log.Error("reading the nodes", "error", err)
	}
	return version
}

// admittedVersion is what is put on record of a new node: nothing as long as it, or a
// node that has to read the record, understands less than the record needs.
func (n *Node) admittedVersion(ctx context.Context, version uint64) uint64 {
	if version < records.NodeVersionSince || n.cluster.Understands(ctx, records.NodeVersionSince) != nil {
		return 0
	}
	return version
}
