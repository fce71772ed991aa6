package node

import (
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"almenara/cluster/peers"
	"almenara/node/expiry"
)

// registerMetrics shows on /metrics what an operator's dashboard needs of the node
// itself, the process and the Go runtime. The API and the gateway have their own.
func (n *Node) registerMetrics() {
	n.registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector(
		collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile("^/gc/heap/live:bytes$")})))
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
		{"quorum", "1 while a majority of the district's nodes can be reached.", func() float64 { return yes(n.cluster.HasQuorum()) }},
		{"alone", "1 when there has been no quorum for 3 seconds or more.", func() float64 { return yes(n.alone.Now().Alone) }},
		{"policy_age_seconds", "Time since the node last had quorum; -1 when it never had.", func() float64 { return seconds(n.alone.Now().Age) }},
		{"policy_version", "Raft index of the last change of policy, scenarios or licences; 0 when there was none.", func() float64 { return policyVersion(n) }},
		{"leader", "1 while this node leads.", func() float64 { return yes(n.cluster.Status().Role == "leader") }},
		{"applied_index", "Raft index that the state machine has applied.", func() float64 { return float64(n.machine.Applied()) }},
		{"members", "Members of the audience.", func() float64 { return float64(n.state.Index().Len()) }},
		{"strangers", "Open connections that have not proved who they are.", func() float64 { return float64(n.conns.Counts().Strangers) }},
		{"strangers_dropped", "Connections of strangers that were closed for want of room, since the start.", func() float64 { return float64(n.conns.Counts().Dropped + n.conns.Counts().Refused) }},
		{"devices_connected", "Devices connected to this node.", func() float64 { return float64(n.presence.Count()) }},
		{"alerts_in_force", "Alerts in force, as this node knows it.", func() float64 { return float64(n.book.Count(n.options.Clock())) }},
		{"facts_pending", "Alert facts of this node that are not committed yet.", func() float64 { return float64(n.progress.Count()) }},
		{"disk_free_bytes", "Free space of the data folder's file system.", func() float64 { return float64(n.disk.Status().Free) }},
		{"disk_total_bytes", "Size of the data folder's file system.", func() float64 { return float64(n.disk.Status().Total) }},
		{"certificate_ends_timestamp_seconds", "When this node's certificate ends.", func() float64 { return n.status.FirstEnd(expiry.Certificate) }},
		{"authority_ends_timestamp_seconds", "When the district's certificate authority ends.", func() float64 { return n.status.FirstEnd(expiry.Authority) }},
		{"key_ends_timestamp_seconds", "When the first key of the key ring ends; 0 before there is one.", func() float64 { return n.status.FirstEnd(expiry.Key) }},
		{"licence_ends_timestamp_seconds", "When the first licence that holds ends; 0 when there is none.", func() float64 { return n.status.FirstEnd(expiry.Licence) }},
		{"nodes", "Nodes of the district, this one included.", func() float64 { return float64(len(n.cluster.Status().Peers)) }},
		{"nodes_answering", "Those of them that answer this one, itself included.", func() float64 { return float64(answering(n.cluster.Status().Peers)) }},
		{"clock_off_seconds", "By how much the machine's clock is ahead of the time by which the node goes.", func() float64 { return n.clock.Status().OffSeconds }},
		{"quarantined", "1 when the node takes no part in the district's agreement any more.", func() float64 { return yes(n.cluster.Quarantine() != nil) }},
		{"scrubbed_timestamp_seconds", "When everything on the disk was last read and checked; 0 is not yet.", func() float64 { return float64(n.scrubber.Last()) }},
		{"spool_used_bytes", "Bytes of the spool that hold receipts which are not agreed yet.", func() float64 { return float64(n.receipts.SpoolStatus().Used) }},
		{"spool_total_bytes", "Size of the spool.", func() float64 { return float64(n.receipts.SpoolStatus().Total) }},
		{"receipts_given_up", "Receipts of sent and delivered that were not kept for want of room, since the start.", func() float64 { return float64(n.receipts.GivenUp()) }},
		{"broadcast_only", "1 while the disk is too full for the agreed state: devices are warned, nothing else is written.", func() float64 { return yes(n.disk.Full()) }},
		{"store_bytes", "Size of the agreed state on disk.", func() float64 { return float64(n.store.Size()) }},
	} {
		n.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "almenara", Subsystem: "node", Name: g.name, Help: g.help,
		}, g.value))
	}
}

// answering counts the nodes that answer.
func answering(all []peers.Peer) (count int) {
	for _, p := range all {
		if p.Reachable {
			count++
		}
	}
	return count
}

func policyVersion(n *Node) float64 {
	a, err := n.state.Authority()
	if err != nil {
		n.log.Error("reading the policy", "error", err)
	}
	return float64(a.Version)
}
