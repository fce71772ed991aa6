package node

import (
	"context"
	"slices"
	"strings"

	"almenara/cluster"
	"almenara/node/wire"
)

// understood returns nil when every node of the district is known to understand log
// entries of the version, else the caller's problem. Facts that only newer software
// knows are made under this condition only: the log would pass over them.
func (n *Node) understood(ctx context.Context, version uint64) error {
	if err := n.cluster.Understands(ctx, version); err != nil {
		return n.problem(err)
	}
	return nil
}

// appliedVersion is the highest version of a command that this node has applied.
func (n *Node) appliedVersion() (uint64, error) {
	applied, err := n.store.Applied()
	return applied.Version, err
}

// notUpgraded says which nodes a command waits for, by the names that people use.
func (n *Node) notUpgraded(old *cluster.NotUpgradedError) error {
	names := slices.Clone(old.Nodes)
	nodes, _, err := n.keys()
	if err != nil {
		n.log.Error("reading the nodes", "error", err)
	}
	for i, id := range names {
		for _, node := range nodes {
			if node.ID == id && node.Name != "" {
				names[i] = node.Name
			}
		}
	}
	verb := "is"
	if len(names) > 1 {
		verb = "are"
	}
	return wire.Problemf(wire.KindRefused, "this needs every node of the district upgraded, and %s %s not; nothing happened",
		strings.Join(names, ", "), verb)
}
