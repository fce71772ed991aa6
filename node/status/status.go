// Package status says how this node and its district are, gathered from the parts: what the API,
// the board, metrics and the daily log tell of it.
//
//	cluster, ring, district, state, disk, … ─> Reporter ─> wire.Status, sentences, ends
//
// It reads and counts; it decides nothing and changes nothing. It never imports api, channels
// or another part of node but alone, district, expiry, keyring, records and wire.
package status

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"almenara/cluster"
	"almenara/cluster/agreed"
	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/node/alone"
	"almenara/node/district"
	"almenara/node/keyring"
	"almenara/node/records"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience/lookup"
)

// Cluster is this node's part in the raft group; *cluster.Cluster is one.
type Cluster interface {
	Status() cluster.Status
	Quarantine() *marks.Quarantine // nil while it takes part
	Identity() *identity.Identity
}

// State is what was agreed; *agreed.Reader is one.
type State interface {
	Authority() (agreed.Authority, error)
	Index() *lookup.Index
}

// Machine is the state machine; *fsm.FSM is one.
type Machine interface {
	Halted() error // why it has stopped; nil while it runs
	StateHash() (index uint64, sum [32]byte, err error)
}

// Disk is how full the disk is; *machine.Disk is one.
type Disk interface {
	Full() bool
	Sentence() why.Sentence
}

// Self is what does not change while the node runs.
type Self struct {
	ID, Name, District, Version string
	Dir                         string // the data folder
}

// Options say what a Reporter needs. None may be nil.
type Options struct {
	Self     Self
	Cluster  Cluster
	State    State
	Machine  Machine
	Disk     Disk
	Store    *storage.Store
	Ring     *keyring.Ring
	District *district.District
	Alone    func() alone.State
	// Parts fills in what further parts say of themselves.
	Parts func(*wire.Status)
	// Sentences are what an operator should do something about, each the zero value where there is nothing.
	Sentences []func() why.Sentence
	Clock     func() time.Time
	Logger    *slog.Logger
}

// Reporter answers service.Status. Its methods may be called from any goroutine.
type Reporter struct {
	self      Self
	cluster   Cluster
	state     State
	machine   Machine
	disk      Disk
	store     *storage.Store
	ring      *keyring.Ring
	district  *district.District
	alone     func() alone.State
	parts     func(*wire.Status)
	sentences []func() why.Sentence
	clock     func() time.Time
	log       *slog.Logger
}

// New makes one.
func New(o Options) *Reporter {
	return &Reporter{
		self: o.Self, cluster: o.Cluster, state: o.State, machine: o.Machine, disk: o.Disk, store: o.Store, ring: o.Ring,
		district: o.District, alone: o.Alone, parts: o.Parts, sentences: o.Sentences, clock: o.Clock, log: o.Logger,
	}
}

// Status implements service.Status. withHash adds the hash of the agreed state, which reads all of
// it.
func (r *Reporter) Status(_ context.Context, withHash bool) (wire.Status, error) {
	c := r.cluster.Status()
	s := wire.Status{
		Node: r.self.ID, Name: r.self.Name, Version: r.self.Version, District: r.self.District, DataDirectory: r.self.Dir,
		Incarnation: c.Incarnation, Isolated: r.district.Isolated(), Quarantined: r.cluster.Quarantine() != nil,
		Role: c.Role, Leader: c.Leader, Term: c.Term, Quorum: c.HasQuorum,
		Applied: c.AppliedIndex, Committed: c.CommitIndex, Members: uint64(r.state.Index().Len()),
		Nodes: r.nodeInfos(c), Warnings: r.warnings(), Ends: r.ends(),
	}
	r.parts(&s)
	s.Ready, s.Why = r.ready(c)
	state := r.alone()
	// The watch keeps one time for one loss, so that every answer, page and refusal says the same.
	s.Alone, s.AloneSince, s.PolicyAge = state.Alone, state.Since.Truncate(time.Second), int64(state.Age.Seconds())
	if state.Age < 0 {
		s.PolicyAge = -1
	}
	rules, err := r.state.Authority()
	if err != nil {
		return s, fmt.Errorf("reading the policy: %w", err)
	}
	s.PolicyVersion = rules.Version
	if withHash {
		index, sum, err := r.machine.StateHash()
		if err != nil {
			return s, fmt.Errorf("hashing the state: %w", err)
		}
		s.StateHash = fmt.Sprintf("%d:%x", index, sum)
	}
	return s, nil
}

// ready says whether the node does all of its work, and what is missing otherwise.
// A node that is alone still warns its devices; it is not ready for the rest.
func (r *Reporter) ready(c cluster.Status) (bool, why.Sentence) {
	quarantine := r.cluster.Quarantine()
	switch {
	case r.machine.Halted() != nil:
		return false, why.Sayf("the state machine has stopped: %v", r.machine.Halted()).Because(why.MachineStopped, r.machine.Halted())
	case quarantine != nil:
		return false, quarantined(quarantine, c.AppliedIndex == 0)
	case r.district.Record().ID == "":
		return false, why.Sayf("the district's record has not arrived yet").Because(why.NoDistrictRecord)
	case !r.ring.Holds():
		return false, why.Sayf("this node's key is not in the district's key ring, so its devices are at the others; it is about to be let in, or to end").Because(why.NotInKeyRing)
	case r.disk.Full():
		return false, r.disk.Sentence()
	case !c.HasQuorum:
		return false, why.Sayf("no majority of the district's nodes can be reached; devices here are still warned").Because(why.MajorityGone)
	case c.DiskStalled > 2*time.Second:
		stalled := c.DiskStalled.Round(time.Second)
		return false, why.Sayf("the disk has not answered for %v", stalled).Because(why.DiskStalled, stalled)
	}
	return true, why.Sentence{}
}

func (r *Reporter) nodeInfos(c cluster.Status) []wire.NodeInfo {
	nodes, _, err := r.ring.Read()
	if err != nil {
		r.log.Error("reading the nodes", "error", err)
	}
	var out []wire.NodeInfo
	for _, p := range c.Peers {
		info := wire.NodeInfo{ID: p.ID, Internode: p.Addr, Voter: p.Voter, Reachable: p.Reachable, Leader: p.ID == c.Leader,
			CommandVersion: p.Version, LogHeld: p.Held, LostLog: p.LostLog, NeverSeen: records.NeverSeen(p)}
		if !p.Answered.IsZero() { // measured by the monotonic clock, said in the node's time
			info.LastAnswer = r.clock().Add(-time.Since(p.Answered)).UTC().Truncate(time.Second)
		}
		for _, node := range nodes {
			if node.ID == p.ID {
				info.Name, info.API = node.Name, node.API
			}
		}
		out = append(out, info)
	}
	return out
}
