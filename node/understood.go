package node

// appliedVersion is the highest version of a command that this node has applied.
func appliedVersion(n *Node) (uint64, error) {
	applied, err := n.store.Applied()
	return applied.Version, err
}
