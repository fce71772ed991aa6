package node

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/internode"
	"almenara/node/ability"
	"almenara/node/checkin"
	"almenara/node/machine"
	"almenara/node/whereabouts"
	"almenara/storage/noderecord"
)

// serveNodes answers the other nodes.
func (n *Node) serveNodes() {
	for path, handler := range n.exchange.Handlers() {
		n.cluster.Handle(path, handler)
	}
	for path, handler := range n.originals.Handlers() {
		n.cluster.Handle(path, handler)
	}
	n.cluster.Handle("POST "+machine.TimePath, n.times.Handler(internode.PeerID))
	n.cluster.Handle("POST "+whereabouts.Path, n.whereabouts.Handler())
	n.cluster.Handle("POST "+ability.Path, n.ability.Handler())
	n.cluster.Handle("POST "+checkin.NodesPath, n.checkIns.Handler())
}

// whereaboutsOf lets this node ask the others for devices, and answer them.
func whereaboutsOf(n *Node) whereabouts.Nodes {
	return whereabouts.Nodes{
		Self: n.ID(), Call: n.cluster.Call, Gone: n.presence.GoneSince,
		// Who was admitted and has not run yet announced no address to devices, and has none.
		Others: func() []string {
			nodes, _, err := n.ring.Read()
			return slices.DeleteFunc(n.cluster.Members(), func(id string) bool {
				return id == n.ID() || err == nil && slices.ContainsFunc(nodes, func(of noderecord.Node) bool { return of.ID == id && len(of.MQTT) == 0 })
			})
		},
		Here: func() (out []whereabouts.Device) {
			for _, d := range n.presence.All() {
				out = append(out, whereabouts.Device{Device: d.Device, Member: d.Member, Since: d.Since, State: d.State, Health: d.Health})
			}
			for _, d := range n.external.Present() {
				out = append(out, whereabouts.Device{Device: d.Device, Member: d.Member, Since: d.Since.UTC(), State: d.State, Health: d.Health})
			}
			return out
		},
		Among: func(members *roaring.Bitmap) *roaring.Bitmap {
			out := n.presence.Among(members)
			for _, d := range n.external.Present() {
				if members.Contains(d.Member) {
					out.Add(d.Member)
				}
			}
			return out
		},
	}
}
