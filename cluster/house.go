package cluster

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"
)

const (
	houseTick    = time.Second // at most: a shorter Stabilization is looked at more often
	shortestTick = 100 * time.Millisecond
	pingTimeout  = time.Second
	renewTick    = 24 * time.Hour
	promotionLag = 250 // entries; raft-autopilot's MaxTrailingLogs
)

// pong is the answer to a ping.
type pong struct {
	_         struct{} `cbor:",toarray"`
	LastIndex uint64   // of the peer's log
}

// keepHouse does every second what no event triggers: asks after the peers, ends
// connections of removed nodes, promotes new ones, announces a changed address.
func (c *Cluster) keepHouse() {
	tick := time.NewTicker(min(houseTick, max(shortestTick, c.options.Stabilization)))
	defer tick.Stop()
	renewal := time.NewTicker(renewTick)
	defer renewal.Stop()
	defer c.saveHeld()
	var pings sync.WaitGroup
	defer pings.Wait()
	pinging := newLimiter(maxPings, 1)
	known, lost, fenced := links{}, lostLogs{}, c.fenced
	for {
		select {
		case <-tick.C:
			c.sweep(&pings, pinging)
			for _, peer := range c.Status().Peers {
				known.note(c.options.Logger, peer)
				lost.note(c.options.Logger, peer)
			}
		case <-fenced:
			fenced = nil
			c.endForQuarantine()
		case <-renewal.C:
			if err := c.renew(time.Now()); err != nil {
				c.options.Logger.Error("renewing certificate", "error", err)
			}
		case <-c.removed:
			return
		case <-c.ctx.Done():
			return
		}
	}
}

const maxPings = 64

func (c *Cluster) sweep(pings *sync.WaitGroup, pinging *limiter) {
	if c.Quarantine() == nil && (c.raft.State() == raft.Shutdown || c.fsm.expelled()) {
		c.beRemoved() // by raft's own ShutdownOnRemove, or by an entry we applied
		return
	}
	if c.raft.LastIndex() > 0 {
		if err := c.markBegun(); err != nil {
			c.options.Logger.Error("marking raft state", "error", err)
		}
	}
	c.closeStrangers()
	c.saveVersions()
	c.logs.keep(c.servers())
	if time.Since(c.heldSaved) >= heldEvery {
		c.saveHeld()
	}
	for _, id := range c.Members() {
		if pinging.take(id) {
			pings.Go(func() {
				defer pinging.give(id)
				c.ping(id)
			})
		}
	}
	c.greetFormer(pings, pinging)
	if c.raft.State() == raft.Leader {
		c.promote()
	}
}

// ping asks one peer; contact and version are noted by the RPC client.
func (c *Cluster) ping(id string) {
	ctx, cancel := context.WithTimeout(c.ctx, pingTimeout)
	defer cancel()
	if c.moved() {
		_, _ = c.rpc.call(ctx, id, "/cluster/address", []byte(c.options.Advertise))
	}
	b, err := c.rpc.call(ctx, id, "/cluster/ping", nil)
	if c.learnRemoval(err) {
		c.beRemoved()
	}
	var p pong
	if err == nil && decodeCBOR(b, &p) == nil {
		c.promotions.observe(id, p.LastIndex+promotionLag >= c.raft.LastIndex())
	} else {
		c.promotions.observe(id, false)
	}
}

func (c *Cluster) handlePing(w http.ResponseWriter, _ *http.Request) {
	b, _ := cbor.Marshal(pong{LastIndex: c.raft.LastIndex()})
	_, _ = w.Write(b)
}

// moved says that the configuration has an old address for this node.
func (c *Cluster) moved() bool {
	for _, s := range c.servers() {
		if string(s.ID) == c.NodeID() {
			return string(s.Address) != c.options.Advertise
		}
	}
	return false
}

// promote gives a vote to every new node that has kept up for long enough: voting
// earlier would raise the quorum before the node can be counted on. Every node watches
// for itself all the time: where leaders come and go, one that began anew would never
// have seen a newcomer long enough. What it saw as a follower was held against its own
// log, so the newcomer is asked once more against the leader's.
func (c *Cluster) promote() {
	if c.moved() {
		c.change(c.NodeID(), c.setServer(c.NodeID(), c.options.Advertise))
	}
	for _, s := range c.servers() {
		if s.Suffrage == raft.Voter || !c.promotions.stable(string(s.ID), c.options.Stabilization) ||
			len(c.behind(c.ctx, []raft.Server{s})) > 0 {
			continue
		}
		c.change(string(s.ID), c.raft.AddVoter(s.ID, s.Address, 0, membershipTimeout).Error())
	}
}

func (c *Cluster) change(id string, err error) {
	if err != nil { // tried again at the next tick
		c.options.Logger.Warn("changing membership", "peer", id, "error", err)
	}
}

// renew replaces the certificate when it needs it and writes nothing: the file's
// one is renewed again at the next start.
func (c *Cluster) renew(now time.Time) error {
	fresh, err := c.identity.Load().renewed(now, []string{c.options.Advertise}, c.start)
	if err != nil {
		return err
	}
	c.identity.Store(fresh)
	return nil
}

// promotions knows since when each peer has kept up with this node's log.
type promotions struct {
	mu    sync.Mutex
	since map[string]time.Time
}

func (p *promotions) observe(id string, keepsUp bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since == nil {
		p.since = map[string]time.Time{}
	}
	if _, ok := p.since[id]; ok && keepsUp {
		return
	}
	delete(p.since, id)
	if keepsUp {
		p.since[id] = time.Now()
	}
}

func (p *promotions) stable(id string, long time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	since, ok := p.since[id]
	return ok && time.Since(since) >= long
}
