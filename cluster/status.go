package cluster

import (
	"almenara/cluster/peers"
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
	FirstIndex   uint64 // the oldest entry that the log still has; 0 when it has none
	// LastContact is when a follower last heard from its leader; now, on a leader;
	// zero when never.
	LastContact time.Time
	// HasQuorum: on the leader, that its lease holds; elsewhere, that a leader is in
	// contact. It may be true for one heartbeat timeout too long.
	HasQuorum bool
	// AloneSince is when HasQuorum became false; zero while it is true.
	AloneSince  time.Time
	DiskStalled time.Duration // how long the oldest running write to the log takes
	Peers       []peers.Peer  // the raft configuration, this node included
	Incarnation uint64        // of the district, as this node has it; 1 where it was never begun anew
}

// Status is taken at one moment; it never waits.
func (c *Cluster) Status() Status {
	seen, since := c.group.Quorum.Look()
	_, leader := c.group.Raft.LeaderWithID()
	s := Status{
		ID: c.NodeID(), Role: role(c.group.Raft.State()), Leader: string(leader),
		Term: c.group.Raft.CurrentTerm(), CommitIndex: c.group.Raft.CommitIndex(), AppliedIndex: c.group.FSM.Index(),
		LastContact: c.group.LastContact(), HasQuorum: seen.Has(), AloneSince: since,
		DiskStalled: c.dog.Stalled(), Incarnation: c.identity.Load().Incarnation.Count(),
	}
	s.FirstIndex, _ = c.store.FirstIndex()
	for _, server := range c.group.Servers() {
		s.Peers = append(s.Peers, c.peer(server))
	}
	return s
}

func (c *Cluster) peer(server raft.Server) peers.Peer {
	now := time.Now()
	p := peers.Peer{ID: string(server.ID), Voter: server.Suffrage == raft.Voter, LastContact: now, Answered: now}
	p.Addr, _ = c.peers.Resolve(p.ID)
	p.Version, p.Held = c.options.Version, c.group.Position().Index
	if p.ID != c.NodeID() {
		p.LastContact, p.Answered, p.Version = c.peers.LastHeard(p.ID), c.peers.LastAnswer(p.ID), c.peers.VersionOf(p.ID)
		p.Held, p.LostLog = c.memory.Held(p.ID), c.memory.Lost(p.ID)
	}
	p.Reachable = c.peers.Reachable(p.ID)
	return p
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

// HasQuorum says whether this node has a majority with it: on the leader, that its lease
// holds; elsewhere, that a leader is in contact. It may be true for one heartbeat timeout
// too long. It costs an atomic read.
func (c *Cluster) HasQuorum() bool { return c.group.Quorum.State().Has() }
