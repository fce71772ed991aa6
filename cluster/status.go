package cluster

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Status is what this node knows of itself and its peers.
type Status struct {
	ID           string
	Role         string // leader, follower, candidate or stopped
	Leader       string // server id; empty when unknown
	Term         uint64
	CommitIndex  uint64
	AppliedIndex uint64 // really applied by the state machine
	// LastContact is when a follower last heard from its leader; now, on a leader;
	// zero when never.
	LastContact time.Time
	// HasQuorum: on the leader, that its lease holds; elsewhere, that a leader is in
	// contact. It may be true for one heartbeat timeout too long.
	HasQuorum bool
	// AloneSince is when HasQuorum became false; zero while it is true.
	AloneSince  time.Time
	DiskStalled time.Duration // how long the oldest running write to the log takes
	Peers       []Peer        // the raft configuration, this node included
	Incarnation uint64        // of the district, as this node has it; 1 where it was never begun anew
}

// Peer is one server of the raft configuration.
type Peer struct {
	ID          string
	Addr        string // where this node would dial it
	Voter       bool
	LastContact time.Time // last answer or request; now, for this node; zero when never
	Reachable   bool      // heard within 3 s
	Version     uint64    // highest command version that it is known to apply; 0 when it was never heard
	// Held is the highest raft index that it said it holds, durable there and committed; 0
	// when it never did.
	Held uint64 `cbor:"-"`
	// LostLog: it was started with less of the raft log than it has had, so this node does
	// not speak raft with it.
	LostLog bool `cbor:"-"`
}

const reachableFor = 3 * time.Second

// Status is taken at one moment; it never waits.
func (c *Cluster) Status() Status {
	_, leader := c.raft.LeaderWithID()
	s := Status{
		ID: c.NodeID(), Role: role(c.raft.State()), Leader: string(leader),
		Term: c.raft.CurrentTerm(), CommitIndex: c.raft.CommitIndex(), AppliedIndex: c.fsm.index(),
		LastContact: c.lastContact(), HasQuorum: c.hasQuorum(), AloneSince: c.peers.alone(),
		DiskStalled: c.dog.stalled(), Incarnation: c.identity.Load().Incarnation.Count(),
	}
	switch { // the watch may be half a heartbeat timeout behind
	case s.HasQuorum:
		s.AloneSince = time.Time{}
	case s.AloneSince.IsZero():
		s.AloneSince = time.Now()
	}
	for _, server := range c.servers() {
		s.Peers = append(s.Peers, c.peer(server))
	}
	return s
}

func (c *Cluster) peer(server raft.Server) Peer {
	p := Peer{ID: string(server.ID), Voter: server.Suffrage == raft.Voter, LastContact: time.Now()}
	p.Addr, _ = c.resolve(p.ID)
	p.Version, p.Held = c.options.Version, c.position().Index
	if p.ID != c.NodeID() {
		p.LastContact, p.Version = c.peers.lastHeard(p.ID), c.peers.version(p.ID)
		p.Held, p.LostLog = c.logs.of(p.ID).Index.At, c.logs.behind(p.ID)
	}
	p.Reachable = time.Since(p.LastContact) < reachableFor
	return p
}

// Members are the server ids of the others in the raft configuration.
func (c *Cluster) Members() []string {
	var ids []string
	for _, s := range c.servers() {
		if string(s.ID) != c.NodeID() {
			ids = append(ids, string(s.ID))
		}
	}
	return ids
}

// servers is the latest configuration, which may not be committed yet.
func (c *Cluster) servers() []raft.Server {
	f := c.raft.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	return f.Configuration().Servers
}

func role(s raft.RaftState) string {
	switch s {
	case raft.Leader:
		return "leader"
	case raft.Candidate:
		return "candidate"
	case raft.Follower:
		return "follower"
	default:
		return "stopped"
	}
}

func (c *Cluster) lastContact() time.Time {
	if c.raft.State() == raft.Leader {
		return time.Now()
	}
	return c.raft.LastContact()
}

// hasQuorum trusts raft: a leader steps down within its lease (two thirds of a
// heartbeat timeout), a follower forgets its leader within twice the timeout.
func (c *Cluster) hasQuorum() bool {
	_, leader := c.raft.LeaderWithID()
	switch c.raft.State() {
	case raft.Leader:
		return true
	case raft.Follower:
		return leader != "" && time.Since(c.raft.LastContact()) < 2*c.raft.ReloadableConfig().HeartbeatTimeout
	default:
		return false
	}
}

// watchQuorum notes when quorum was lost, and ends the cautious timeouts of the
// start when there is a leader.
func (c *Cluster) watchQuorum() {
	tick := time.NewTicker(c.options.HeartbeatTimeout / 2)
	defer tick.Stop()
	begun, starting := time.Now(), true
	for {
		quorum := c.hasQuorum()
		c.peers.setAlone(quorum)
		if starting && (quorum || time.Since(begun) > startingAtMost) {
			starting = !c.endStart()
		}
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			return
		}
	}
}

// startingAtMost bounds the tripled timeouts of a node that finds no leader.
const startingAtMost = 30 * time.Second

func (c *Cluster) endStart() bool {
	rc := c.raft.ReloadableConfig()
	rc.HeartbeatTimeout, rc.ElectionTimeout = c.options.HeartbeatTimeout, c.options.HeartbeatTimeout
	if err := c.raft.ReloadConfig(rc); err != nil {
		c.options.Logger.Error("setting heartbeat timeout", "error", err)
		return false
	}
	return true
}

// peerBook is what this node has seen of its peers, in memory only.
type peerBook struct {
	mu         sync.Mutex
	heard      map[string]time.Time // by server id; members only
	addrs      map[string]string    // announced by the node itself, newer than the configuration
	gone       map[string]struct{}  // seen in a configuration and then not
	seen       map[string]struct{}  // the last configuration
	aloneSince time.Time

	versions        map[string]uint64 // highest command version each peer said, also before this run
	versionsChanged bool              // since known was last asked
}

func (b *peerBook) init() {
	b.heard, b.addrs = map[string]time.Time{}, map[string]string{}
	b.gone, b.seen = map[string]struct{}{}, map[string]struct{}{}
	b.versions = map[string]uint64{}
	b.aloneSince = time.Now()
}

func (b *peerBook) hear(id string, version uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard[id] = time.Now()
	if b.versions[id] != version {
		b.versions[id], b.versionsChanged = version, true
	}
}

func (b *peerBook) lastHeard(id string) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heard[id]
}

func (b *peerBook) alone() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.aloneSince
}

func (b *peerBook) setAlone(quorum bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case quorum:
		b.aloneSince = time.Time{}
	case b.aloneSince.IsZero():
		b.aloneSince = time.Now()
	}
}

// note compares the present configuration with the last one.
func (b *peerBook) note(servers []raft.Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := map[string]struct{}{}
	for _, s := range servers {
		now[string(s.ID)] = struct{}{}
		delete(b.gone, string(s.ID))
	}
	for id := range b.seen {
		if _, ok := now[id]; !ok {
			b.gone[id] = struct{}{}
			delete(b.heard, id)
			delete(b.addrs, id)
			delete(b.versions, id)
			b.versionsChanged = true
		}
	}
	b.seen = now
}

func (b *peerBook) isGone(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.gone[id]
	return ok
}

func (b *peerBook) announced(id string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.addrs[id]
	return a, ok
}

func (b *peerBook) announce(id, addr string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addrs[id] = addr
}
