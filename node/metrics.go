package node

import (
	"github.com/prometheus/client_golang/prometheus"
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
	for _, g := range []struct {
		name, help string
		value      func() float64
	}{
		{"quorum", "1 while a majority of the district's nodes can be reached.", func() float64 { return yes(n.cluster.Status().HasQuorum) }},
		{"leader", "1 while this node leads.", func() float64 { return yes(n.cluster.Status().Role == "leader") }},
		{"applied_index", "Raft index that the state machine has applied.", func() float64 { return float64(n.state.Applied()) }},
		{"members", "Members of the audience.", func() float64 { return float64(n.state.Index().Len()) }},
		{"devices_connected", "Devices connected to this node.", func() float64 { return float64(n.presence.count()) }},
		{"alerts_in_force", "Alerts in force, as this node knows it.", func() float64 { return float64(len(n.desk.at(n.options.Clock()).inForce)) }},
		{"facts_pending", "Alert facts of this node that are not committed yet.", func() float64 { return float64(n.under.count()) }},
		{"store_bytes", "Size of the agreed state on disk.", func() float64 { return float64(n.store.Size()) }},
	} {
		n.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "almenara", Subsystem: "node", Name: g.name, Help: g.help,
		}, g.value))
	}
}
