package node

import (
	"context"

	"almenara/cluster"
	"almenara/node/ability"
	"almenara/node/duties"
	"almenara/node/folder"
	"almenara/storage/noderecord"
)

// dutiesOf is what keeps the district's records true: every node announces its
// addresses, the leader begins the district, keeps the key ring and finishes imports and
// removals. Each is by itself: a removal may be refused for days while others are away,
// and an import may fail again and again.
func dutiesOf(n *Node, c *cluster.Cluster) *duties.Duties {
	d := duties.New(electionOf(n, c), n.log,
		duties.Duty{Name: "mark", Do: func(context.Context) error { return folder.MarkBegun(n.options.Dir, n.ID()) }},
		duties.Duty{Name: "district", Where: duties.AtLeader, Do: n.district.Begin},
		duties.Duty{Name: "key ring", Where: duties.AtLeader, Do: n.ring.Keep},
		duties.Duty{Name: "imports", Where: duties.AtLeader, Do: n.imports.FinishImports},
		duties.Duty{Name: "erasures", Where: duties.AtLeader, Do: n.personal.AtLeader},
		duties.Duty{Name: "leftovers of erasures", Do: n.personal.Clear},
		duties.Duty{Name: "addresses", Do: n.membership.Announce},
		duties.Duty{Name: "former id", Do: n.membership.ReplaceFormer},
		duties.Duty{Name: "silent tests", Where: duties.AtOne, Do: ability.NewNights(n.ability).Do},
		duties.Duty{Name: "escalations", Where: duties.AtOne, Do: newCaller(n).Do},
		duties.Duty{Name: "approvals", Do: n.approvals.Chase},
		duties.Duty{Name: "notices", Where: duties.AtLeader, Do: n.notices.Release},
		duties.Duty{Name: "levels of notices", Do: n.notices.Chase},
		duties.Duty{Name: "sign-outs", Do: n.signin.TellEnded},
		duties.Duty{Name: "removals", Where: duties.AtLeader, Do: n.membership.FinishRemovals},
	)
	n.duties.Store(d)
	return d
}

// electionOf says which of the district's duties are this node's.
func electionOf(n *Node, c *cluster.Cluster) *duties.Election {
	return duties.NewElection(c, settlerOf(n).CanCommit)
}

// duty calls them all. It never blocks.
func (n *Node) duty() {
	if d := n.duties.Load(); d != nil {
		d.Call()
	}
}

// self is this node as the others should know it.
func (n *Node) self() noderecord.Node {
	apiURL, mqttURLs := n.listeners.URLs()
	return noderecord.Node{
		ID: n.ID(), Name: n.Name(), Internode: n.cluster.Advertised(), API: apiURL, MQTT: mqttURLs,
		KeyID: n.identity.KeyID, PublicKey: n.identity.SigningPublic(),
	}
}
