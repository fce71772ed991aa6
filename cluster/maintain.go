package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/foreign"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/memory"
	"almenara/cluster/peers"
)

const (
	longestTick  = time.Second // at most: a shorter Stabilization is looked at more often
	shortestTick = 100 * time.Millisecond
	pingTimeout  = time.Second
	renewTick    = time.Minute
	promotionLag = 250 // entries; raft-autopilot's MaxTrailingLogs
)

// pong is the answer to a ping.
type pong struct {
	_         struct{} `cbor:",toarray"`
	LastIndex uint64   // of the peer's log
}

// maintenance is what a node does again and again though no event triggers it.
type maintenance struct {
	*group
	members  *membership
	fence    *fence
	peers    *peers.Peers
	memory   *memory.Memory
	port     *internode.Port
	rpc      *internode.RPC
	identity *atomic.Pointer[identity.Identity]
	status   func() []peers.Peer

	ctx    context.Context // ends with Stop
	dir    string
	names  func() []string // for the certificate; nil is none
	seek   []string        // addresses at which nodes may be met
	clock  func() time.Time
	logger *slog.Logger
}

// run does every second what no event triggers: asks after the peers, ends
// connections of removed nodes, promotes new ones, announces a changed address.
func (m *maintenance) run() {
	tick := time.NewTicker(min(longestTick, max(shortestTick, m.members.stabilization)))
	defer tick.Stop()
	renewal := time.NewTicker(renewTick)
	defer renewal.Stop()
	defer m.memory.Save(true)
	defer m.peers.Save()
	var pings sync.WaitGroup
	defer pings.Wait()
	pinging := newLimiter(maxPings, 1)
	known, lost, fenced := links{}, lostLogs{}, m.fence.raised
	m.askPeers(&pings, pinging) // at once: a node that moved is looked for elsewhere
	for {
		select {
		case <-tick.C:
			m.sweep(&pings, pinging)
			for _, peer := range m.status() {
				known.note(m.logger, peer)
				lost.note(m.logger, peer)
			}
		case <-fenced:
			fenced = nil
			m.fence.end()
		case <-renewal.C:
			if err := m.renew(m.clock()); err != nil {
				m.logger.Error("renewing certificate", "error", err)
			}
		case <-m.members.removed:
			return
		case <-m.ctx.Done():
			return
		}
	}
}

const maxPings = 64

func (m *maintenance) sweep(pings *sync.WaitGroup, pinging *limiter) {
	if !m.fence.quarantined() && (m.raft.State() == raft.Shutdown || m.fsm.Expelled()) {
		m.members.beRemoved() // by raft's own ShutdownOnRemove, or by an entry we applied
		return
	}
	if m.raft.LastIndex() > 0 {
		if err := marks.MarkBegun(m.dir, m.self); err != nil {
			m.logger.Error("marking raft state", "error", err)
		}
	}
	m.members.closeStrangers()
	m.peers.Save()
	m.memory.Keep(m.servers())
	m.memory.Save(false)
	m.askPeers(pings, pinging)
	m.seekPeers(pings, pinging)
	m.fence.greetFormer(pings, pinging)
	if m.raft.State() == raft.Leader {
		m.members.promote()
	}
}

func (m *maintenance) askPeers(pings *sync.WaitGroup, pinging *limiter) {
	for _, id := range m.members.members() {
		if addr, ok := m.peers.Resolve(id); ok {
			m.port.TrustAddress(addr)
		}
		if pinging.take(id) {
			pings.Go(func() {
				defer pinging.give(id)
				m.ping(id)
			})
		}
	}
}

// ping asks one peer; contact and version are noted by the RPC client.
func (m *maintenance) ping(id string) {
	ctx, cancel := context.WithTimeout(m.ctx, pingTimeout)
	defer cancel()
	if m.peers.HasMoved() {
		_, _ = m.rpc.Call(ctx, id, "/cluster/address", []byte(m.peers.Advertise))
	}
	b, err := m.rpc.Call(ctx, id, "/cluster/ping", nil)
	if m.members.learnRemoval(err) {
		m.members.beRemoved()
	}
	var p pong
	if err == nil && foreign.Decode(b, &p) == nil {
		m.members.promotions.observe(id, p.LastIndex+promotionLag >= m.raft.LastIndex())
	} else {
		m.members.promotions.observe(id, false)
	}
}

// renew replaces the certificate when it needs it and writes nothing: the file's
// one is renewed again at the next start.
func (m *maintenance) renew(now time.Time) error {
	names := []string{m.peers.Advertise}
	if m.names != nil {
		names = append(names, m.names()...)
	}
	fresh, err := m.identity.Load().Renewed(now, names, m.memory.Claim())
	if err != nil {
		return err
	}
	m.identity.Store(fresh)
	return nil
}

// seekPeers asks at the addresses that the operator named which node is there, while
// there is no leader: after a move of every node at once nobody knows where another is.
func (m *maintenance) seekPeers(asked *sync.WaitGroup, asking *limiter) {
	if m.quorum.State().Has() {
		return
	}
	for _, addr := range m.seek {
		if addr == m.peers.Advertise || !asking.take(addr) {
			continue
		}
		asked.Go(func() {
			defer asking.give(addr)
			ctx, cancel := context.WithTimeout(m.ctx, pingTimeout)
			defer cancel()
			conn, err := m.port.Dial(ctx, "", addr, identity.ProtoRPC)
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			if id, err := identity.NodeOf(conn.Cert); err == nil && id != m.self {
				m.peers.Found(id, addr)
			}
		})
	}
}
