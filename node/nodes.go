package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/cluster"
	"almenara/cluster/internode"
	"almenara/node/machine"
	"almenara/node/records"
	"almenara/node/whereabouts"
	"almenara/node/wire"
	"almenara/storage"
)

// Status implements api.District.
func (n *Node) Status(_ context.Context, withHash bool) (wire.Status, error) {
	c := n.cluster.Status()
	now := n.options.Clock()
	apiURL, mqttURLs := n.listeners.urls()
	s := wire.Status{
		Node: n.ID(), Name: n.Name(), Version: n.options.Version, District: n.identity.District.Name,
		Incarnation: c.Incarnation, Isolated: n.district.Isolated(), Quarantined: n.cluster.Quarantine() != nil, Role: c.Role, Leader: c.Leader, Term: c.Term, Quorum: c.HasQuorum, AloneSince: c.AloneSince,
		Applied: c.AppliedIndex, Committed: c.CommitIndex, Members: uint64(n.state.Index().Len()),
		Devices: n.presence.count(), InForce: n.book.Count(now), PendingFacts: n.under.count(),
		API: apiURL, MQTT: mqttURLs, Internode: n.cluster.Advertised(), DataDirectory: n.options.Dir, Broker: n.externalStatus(),
		Nodes: n.nodeInfos(c), Disk: n.disk.Status(), Clock: n.clock.Status(), Spool: n.receipts.SpoolStatus(), Warnings: n.warnings(),
	}
	if !s.AloneSince.IsZero() { // measured by the monotonic clock, said in the node's time
		s.AloneSince = now.Add(-time.Since(s.AloneSince)).Round(time.Second)
	}
	s.Ready, s.Why = n.ready(c)
	state := n.alone.Now()
	s.Alone, s.PolicyAge = state.Alone, int64(state.Age.Seconds())
	if state.Age < 0 {
		s.PolicyAge = -1
	}
	rules, err := n.state.Authority()
	if err != nil {
		return s, fmt.Errorf("reading the policy: %w", err)
	}
	s.PolicyVersion = rules.Version
	if withHash {
		index, sum, err := n.machine.StateHash()
		if err != nil {
			return s, fmt.Errorf("hashing the state: %w", err)
		}
		s.StateHash = fmt.Sprintf("%d:%x", index, sum)
	}
	return s, nil
}

// ready says whether the node does all of its work, and what is missing otherwise.
// A node that is alone still warns its devices; it is not ready for the rest.
func (n *Node) ready(c cluster.Status) (bool, string) {
	switch {
	case n.machine.Halted() != nil:
		return false, "the state machine has stopped: " + n.machine.Halted().Error()
	case n.cluster.Quarantine() != nil && c.AppliedIndex == 0:
		return false, strings.ReplaceAll(quarantined(n.cluster.Quarantine()), stillWarned, "it has nothing left by which to warn devices")
	case n.cluster.Quarantine() != nil:
		return false, quarantined(n.cluster.Quarantine())
	case n.district.Record().ID == "":
		return false, "the district's record has not arrived yet"
	case !n.ring.Holds():
		return false, "this node's key is not in the district's key ring, so its devices are at the others; it is about to be let in, or to end"
	case n.disk.Full():
		return false, n.disk.Sentence()
	case !c.HasQuorum:
		return false, "no majority of the district's nodes can be reached; devices here are still warned"
	case c.DiskStalled > 2*time.Second:
		return false, "the disk has not answered for " + c.DiskStalled.Round(time.Second).String()
	}
	return true, ""
}

func (n *Node) nodeInfos(c cluster.Status) []wire.NodeInfo {
	nodes, _, err := n.ring.Read()
	if err != nil {
		n.log.Error("reading the nodes", "error", err)
	}
	var out []wire.NodeInfo
	for _, p := range c.Peers {
		info := wire.NodeInfo{ID: p.ID, Internode: p.Addr, Voter: p.Voter, Reachable: p.Reachable, Leader: p.ID == c.Leader,
			CommandVersion: p.Version, LogHeld: p.Held, LostLog: p.LostLog, NeverSeen: records.NeverSeen(p)}
		if !p.Answered.IsZero() { // measured by the monotonic clock, said in the node's time
			info.LastAnswer = n.options.Clock().Add(-time.Since(p.Answered)).UTC().Truncate(time.Second)
		}
		for _, node := range nodes {
			if node.ID == p.ID {
				info.Name, info.API = node.Name, node.API
			}
		}
		out = append(out, info)
	}
	return out
}

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
}

// whereaboutsOf lets this node ask the others for devices, and answer them.
func whereaboutsOf(n *Node) whereabouts.Nodes {
	return whereabouts.Nodes{
		Self: n.ID(), Call: n.cluster.Call, Gone: n.presence.goneSince,
		// Who was admitted and has not run yet announced no address to devices, and has none.
		Others: func() []string {
			nodes, _, err := n.ring.Read()
			return slices.DeleteFunc(n.cluster.Members(), func(id string) bool {
				return id == n.ID() || err == nil && slices.ContainsFunc(nodes, func(of storage.Node) bool { return of.ID == id && len(of.MQTT) == 0 })
			})
		},
		Here: func() (out []whereabouts.Device) {
			for _, d := range n.here() {
				out = append(out, whereabouts.Device{Device: d.Device, Member: d.Member, Since: d.Since, State: d.State})
			}
			return out
		},
	}
}
