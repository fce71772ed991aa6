package node

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"almenara/channels/contract"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/folder"
)

const (
	leaveEvery    = 2 * time.Second
	maxForeign    = 1024 // keys of nodes that are on no record here
	maxRingBytes  = contract.MaxSigned
	leaveLogEvery = time.Minute
)

// serveLeaving answers nodes that take no part in the district any more.
func (n *Node) serveLeaving() {
	for path, handler := range n.exchange.HandoverHandlers() {
		n.cluster.HandleHandover(path, handler)
	}
	n.cluster.HandleHandover("POST "+folder.RingPath, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxRingBytes))
		if err == nil {
			err = n.ring.Learn(raw)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
}

// leave gives a quarantined node's facts to the district that goes on without it,
// again and again: it keeps taking alerts and receipts of its own devices.
func (n *Node) leave(ctx context.Context) {
	select {
	case <-n.cluster.Quarantined():
	case <-ctx.Done():
		return
	}
	n.shed()
	ticker := time.NewTicker(leaveEvery)
	defer ticker.Stop()
	var logged time.Time
	for {
		out, err := n.leaveOnce(ctx)
		if (out.Sent > 0 || err != nil) && time.Since(logged) > leaveLogEvery {
			logged = time.Now()
			n.log.Info("handing facts over to the district that goes on", "sent", out.Sent, "waiting", out.Waiting, "gaps", len(out.Gaps), "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// shed lets the status, the console and the devices know.
func (n *Node) shed() {
	n.presenter.Changed()
	n.duty()
}

// leaveOnce hands over to the first node that takes it.
func (n *Node) leaveOnce(ctx context.Context) (out exchange.HandedOver, err error) {
	lanes, err := n.lanes()
	if err != nil {
		return out, err
	}
	for _, addr := range n.waysOut() {
		if out, err = folder.HandOver(ctx, n.identity, addr, n.ring.Signed(), n.exchange, lanes); err == nil {
			return out, nil
		}
	}
	return out, err
}

// waysOut are the addresses of the others, who told of the new incarnation first.
func (n *Node) waysOut() []string {
	var addrs []string
	if q := n.cluster.Quarantine(); q != nil && q.Addr != "" {
		addrs = append(addrs, q.Addr)
	}
	for _, id := range n.membership.Former() {
		if addr, ok := n.membership.AddressOf(id); ok && id != n.ID() && !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// lanes are those of the state machine.
func (n *Node) lanes() ([]fact.Lane, error) {
	marks, err := n.state.Marks()
	return folder.LanesOf(marks), err
}
