package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/fence"
	"almenara/cluster/foreign"
	"almenara/cluster/group"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/membership"
	"almenara/cluster/memory"
	"almenara/cluster/peers"
)

const (
	longestTick  = time.Second // at most: a shorter Stabilization is looked at more often
	shortestTick = 100 * time.Millisecond
	renewTick    = time.Minute
)

// maintenance is what a node does again and again though no event triggers it.
type maintenance struct {
	group    *group.Group
	members  *membership.Membership
	fence    *fence.Fence
	peers    *peers.Peers
	memory   *memory.Memory
	port     *internode.Port
	rpc      *internode.RPC
	identity *atomic.Pointer[identity.Identity]
	status   func() []peers.Peer

	ctx   context.Context // ends with Stop
	dir   string
	names func() []string // for the certificate; nil is none
	seek  []string        // addresses at which nodes may be met
	// admitted are the nodes that admitted this one, by server id
	admitted []string
	clock    func() time.Time
	logger   *slog.Logger
}

// run does every second what no event triggers: asks after the peers, ends
// connections of removed nodes, promotes new ones, announces a changed address.
func (m *maintenance) run() {
	tick := time.NewTicker(min(longestTick, max(shortestTick, m.members.Stabilization)))
	defer tick.Stop()
	renewal := time.NewTicker(renewTick)
	defer renewal.Stop()
	defer m.memory.Save(true)
	defer m.peers.Save()
	var pings sync.WaitGroup
	defer pings.Wait()
	pinging := peers.NewLimiter(maxPings, 1)
	known, lost, fenced := links{}, lostLogs{}, m.fence.Raised()
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
			m.fence.End()
		case <-renewal.C:
			if err := m.renew(m.clock()); err != nil {
				m.logger.Error("renewing certificate", "error", err)
			}
		case <-m.members.Removed:
			return
		case <-m.ctx.Done():
			return
		}
	}
}

const maxPings = 64

func (m *maintenance) sweep(pings *sync.WaitGroup, pinging *peers.Limiter) {
	if !m.fence.Quarantined() && (m.group.Raft.State() == raft.Shutdown || m.group.FSM.Expelled()) {
		m.members.BeRemoved() // by raft's own ShutdownOnRemove, or by an entry we applied
		return
	}
	if m.group.Raft.LastIndex() > 0 {
		if err := marks.MarkBegun(m.dir, m.group.Self); err != nil {
			m.logger.Error("marking raft state", "error", err)
		}
	}
	m.members.CloseStrangers()
	m.peers.Save()
	m.memory.Keep(m.group.Servers())
	m.memory.Save(false)
	m.askPeers(pings, pinging)
	m.seekPeers(pings, pinging)
	m.fence.GreetFormer(pings, pinging)
	if m.group.Raft.State() == raft.Leader {
		m.members.Promote()
	}
}

func (m *maintenance) askPeers(pings *sync.WaitGroup, pinging *peers.Limiter) {
	for _, id := range m.known() {
		if addr, ok := m.peers.Resolve(id); ok {
			m.port.TrustAddress(addr)
		}
		if pinging.Take(id) {
			pings.Go(func() {
				defer pinging.Give(id)
				m.ping(id)
			})
		}
	}
}

// known are the other nodes by the configuration; by the admission while there is none. A call
// tells them where this node is reached now.
func (m *maintenance) known() []string {
	if len(m.group.Servers()) == 0 {
		return m.admitted
	}
	return m.group.Members()
}

// ping asks one peer; contact and version are noted by the RPC client.
func (m *maintenance) ping(id string) {
	ctx, cancel := context.WithTimeout(m.ctx, peers.AskTimeout)
	defer cancel()
	if m.peers.HasMoved() {
		_, _ = m.rpc.Call(ctx, id, "/cluster/address", []byte(m.peers.Advertise))
	}
	b, err := m.rpc.Call(ctx, id, "/cluster/ping", nil)
	if m.members.LearnRemoval(err) {
		m.members.BeRemoved()
	}
	var p group.Pong
	answered := err == nil && foreign.Decode(b, &p) == nil
	m.members.Observe(id, answered, p.LastIndex)
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
func (m *maintenance) seekPeers(asked *sync.WaitGroup, asking *peers.Limiter) {
	if m.group.Quorum.State().Has() {
		return
	}
	for _, addr := range m.seek {
		if addr == m.peers.Advertise || !asking.Take(addr) {
			continue
		}
		asked.Go(func() {
			defer asking.Give(addr)
			ctx, cancel := context.WithTimeout(m.ctx, peers.AskTimeout)
			defer cancel()
			conn, err := m.port.Dial(ctx, "", addr, identity.ProtoRPC)
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			if id, err := identity.NodeOf(conn.Cert); err == nil && id != m.group.Self {
				m.peers.Found(id, addr)
			}
		})
	}
}
