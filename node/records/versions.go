package records

import (
	"context"
	"slices"
	"strings"

	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/noderecord"
)

// Understood returns nil when every node of the district is known to understand log
// entries of the version, else the caller's problem. Facts that only newer software
// knows are made under this condition only: the log would pass over them.
func (p *Proposer) Understood(ctx context.Context, version uint64) error {
	if err := p.cluster.Understands(ctx, version); err != nil {
		return p.Problem(err)
	}
	return nil
}

// NodeVersionSince is the command version that a node's version on record needs.
const NodeVersionSince = 3

// notUpgraded says which nodes a command waits for, by the names that people use.
func (p *Proposer) notUpgraded(old *outcome.NotUpgradedError) error {
	var never []string
	names := slices.Clone(old.Nodes)
	unseen := map[string]bool{}
	for _, peer := range p.cluster.Status().Peers {
		unseen[peer.ID] = NeverSeen(peer)
	}
	var nodes []noderecord.Node
	err := p.store.View(func(t *storage.Txn) (err error) {
		nodes, err = noderecord.Nodes.All(t)
		return err
	})
	if err != nil {
		p.log.Error("reading the nodes", "error", err)
	}
	for i, id := range names {
		for _, node := range nodes {
			if node.ID == id && node.Name != "" {
				names[i] = node.Name
			}
		}
	}
	for i, id := range old.Nodes {
		if unseen[id] {
			never = append(never, names[i])
		}
	}
	if len(never) == len(names) {
		return wire.Problemf(wire.KindRefused, "this needs every node of the district upgraded, and nothing was heard yet of %s, which was admitted and never seen: start it, or remove it with almenara node remove; nothing happened",
			strings.Join(never, ", ")).Because(why.NodesOld, strings.Join(never, " · "))
	}
	verb := "is"
	if len(names) > 1 {
		verb = "are"
	}
	return wire.Problemf(wire.KindRefused, "this needs every node of the district upgraded, and %s %s not; nothing happened",
		strings.Join(names, ", "), verb).Because(why.NodesOld, strings.Join(names, " · "))
}

// NeverSeen says of a node that was admitted that nothing was ever heard of it: it was
// given no vote, which it gets some ten seconds after its first start, and told nothing.
func NeverSeen(p peers.Peer) bool {
	return !p.Reachable && !p.Voter && p.LastContact.IsZero() && p.Held == 0
}
