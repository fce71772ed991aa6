package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/storage/receipt"
)

// registerMetrics shows on /metrics what an operator's dashboard needs of the node
// itself. The API, the gateway and the Go runtime have their own.
func (n *Node) registerMetrics() {
	yes := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	seconds := func(d time.Duration) float64 {
		if d < 0 {
			return -1
		}
		return d.Seconds()
	}
	for _, g := range []struct {
		name, help string
		value      func() float64
	}{
		{"quorum", "1 while a majority of the district's nodes can be reached.", func() float64 { return yes(n.cluster.Status().HasQuorum) }},
		{"alone", "1 when there has been no quorum for 3 seconds or more.", func() float64 { return yes(n.contact.now().alone) }},
		{"policy_age_seconds", "Time since the node last had quorum; -1 when it never had.", func() float64 { return seconds(n.contact.now().age) }},
		{"policy_version", "Raft index of the last change of policy, scenarios or licences; 0 when there was none.", n.policyVersion},
		{"leader", "1 while this node leads.", func() float64 { return yes(n.cluster.Status().Role == "leader") }},
		{"applied_index", "Raft index that the state machine has applied.", func() float64 { return float64(n.state.Applied()) }},
		{"members", "Members of the audience.", func() float64 { return float64(n.state.Index().Len()) }},
		{"devices_connected", "Devices connected to this node.", func() float64 { return float64(n.presence.count()) }},
		{"alerts_in_force", "Alerts in force, as this node knows it.", func() float64 { return float64(len(n.desk.at(n.options.Clock()).inForce)) }},
		{"facts_pending", "Alert facts of this node that are not committed yet.", func() float64 { return float64(n.under.count()) }},
		{"disk_free_bytes", "Free space of the data folder's file system.", func() float64 { return float64(n.space.status().Free) }},
		{"disk_total_bytes", "Size of the data folder's file system.", func() float64 { return float64(n.space.status().Total) }},
		{"clock_off_seconds", "By how much the machine's clock is ahead of the time by which the node goes.", func() float64 { return n.clockStatus().OffSeconds }},
		{"quarantined", "1 when the node takes no part in the district's agreement any more.", func() float64 { return yes(n.cluster.Quarantine() != nil) }},
		{"scrubbed_timestamp_seconds", "When everything on the disk was last read and checked; 0 is not yet.", func() float64 { return float64(n.scrubbed.at.Load()) }},
		{"spool_used_bytes", "Bytes of the spool that hold receipts which are not agreed yet.", func() float64 { return float64(n.spoolStatus().Used) }},
		{"spool_total_bytes", "Size of the spool.", func() float64 { return float64(n.spoolStatus().Total) }},
		{"receipts_given_up", "Receipts of sent and delivered that were not kept for want of room, since the start.", func() float64 {
			p := n.collector.pressure
			return float64(p.lost(receipt.Queued) + p.lost(receipt.Sent) + p.lost(receipt.Delivered))
		}},
		{"broadcast_only", "1 while the disk is too full for the agreed state: devices are warned, nothing else is written.", func() float64 { return yes(n.space.full()) }},
		{"store_bytes", "Size of the agreed state on disk.", func() float64 { return float64(n.store.Size()) }},
	} {
		n.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "almenara", Subsystem: "node", Name: g.name, Help: g.help,
		}, g.value))
	}
}

func (n *Node) policyVersion() float64 {
	a, err := n.state.Authority()
	if err != nil {
		n.log.Error("reading the policy", "error", err)
	}
	return float64(a.Version)
}
