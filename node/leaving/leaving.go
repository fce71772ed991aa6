// Package leaving lets a node leave that the district goes on without: what it still takes of its own
// devices goes to the nodes of the new incarnation, and the other way round it takes in what such a
// node brings.
//
//	Quarantined ─> Run ─> waysOut ─> folder.HandOver, again and again
//	a node that leaves ─> Handler: its key ring ─> keyring, by which its facts are believed
//
// It decides nothing. It never imports api, channels but for the bound of a key ring, or another
// part of node.
package leaving

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"almenara/channels/contract"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/marks"
)

const (
	leaveEvery    = 2 * time.Second
	maxRingBytes  = contract.MaxSigned
	leaveLogEvery = time.Minute
)

// Cluster says when this node is quarantined, and why; *cluster.Cluster is one.
type Cluster interface {
	Quarantined() <-chan struct{}
	Quarantine() *marks.Quarantine
}

// Nodes are those of the district as this node knows it; *membership.Membership is one.
type Nodes interface {
	Former() []string
	AddressOf(id string) (string, bool)
}

// Ring is the key ring; *keyring.Ring is one.
type Ring interface {
	Signed() []byte
	Learn(ring []byte) error
}

// Options say what a Leaver needs. None may be nil.
type Options struct {
	Self    string // id of this node
	Cluster Cluster
	Nodes   Nodes
	Ring    Ring
	Lanes   func() ([]fact.Lane, error) // how far the state machine has each stream
	// HandOver gives the facts that it lacks to the node at an address.
	HandOver func(ctx context.Context, addr string, ring []byte, lanes []fact.Lane) (exchange.HandedOver, error)
	Told     func() // the status, readers and devices hear of the quarantine
	Logger   *slog.Logger
}

// Leaver hands over. Its methods may be called from any goroutine.
type Leaver struct {
	self     string
	cluster  Cluster
	nodes    Nodes
	ring     Ring
	lanes    func() ([]fact.Lane, error)
	handOver func(ctx context.Context, addr string, ring []byte, lanes []fact.Lane) (exchange.HandedOver, error)
	told     func()
	log      *slog.Logger
}

// New makes one.
func New(o Options) *Leaver {
	return &Leaver{
		self: o.Self, cluster: o.Cluster, nodes: o.Nodes, ring: o.Ring, lanes: o.Lanes, handOver: o.HandOver, told: o.Told, log: o.Logger,
	}
}

// Handler takes the key ring of a node that takes no part in the district any more.
func (l *Leaver) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxRingBytes))
		if err == nil {
			err = l.ring.Learn(raw)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
}

// Run gives a quarantined node's facts to the district that goes on without it,
// again and again: it keeps taking alerts and receipts of its own devices.
func (l *Leaver) Run(ctx context.Context) {
	select {
	case <-l.cluster.Quarantined():
	case <-ctx.Done():
		return
	}
	l.told()
	ticker := time.NewTicker(leaveEvery)
	defer ticker.Stop()
	var logged time.Time
	for {
		out, err := l.leaveOnce(ctx)
		if (out.Sent > 0 || err != nil) && time.Since(logged) > leaveLogEvery {
			logged = time.Now()
			l.log.Info("handing facts over to the district that goes on", "sent", out.Sent, "waiting", out.Waiting, "gaps", len(out.Gaps), "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// leaveOnce hands over to the first node that takes it.
func (l *Leaver) leaveOnce(ctx context.Context) (out exchange.HandedOver, err error) {
	lanes, err := l.lanes()
	if err != nil {
		return out, err
	}
	for _, addr := range l.waysOut() {
		if out, err = l.handOver(ctx, addr, l.ring.Signed(), lanes); err == nil {
			return out, nil
		}
	}
	return out, err
}

// waysOut are the addresses of the others, who told of the new incarnation first.
func (l *Leaver) waysOut() []string {
	var addrs []string
	if q := l.cluster.Quarantine(); q != nil && q.Addr != "" {
		addrs = append(addrs, q.Addr)
	}
	for _, id := range l.nodes.Former() {
		if addr, ok := l.nodes.AddressOf(id); ok && id != l.self && !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}
