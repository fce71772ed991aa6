// Package membership is who belongs to a district by raft: who is let in and taken out, who
// votes, and at which address raft has each. It never imports cluster, and decides nothing
// about invitations: that is AdmissionOptions.Decide.
package membership

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"

	"almenara/cluster/group"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/memory"
	"almenara/cluster/peers"
	"almenara/cluster/proposals"
	"almenara/storage/loglimit"
)

const (
	membershipTimeout = 5 * time.Second
	// staleAfter is how long without a leader this node takes its own view of the
	// membership for possibly outdated.
	staleAfter = 10 * time.Second
)

// MembershipOptions say what the membership rests on. All are needed.
type Options struct {
	Group         *group.Group
	Proposals     *proposals.Proposals
	Quarantined   func() bool     // this node agrees to nothing any more
	Context       context.Context // ends with the node
	Dir           string          // where the mark of a removal lies
	Stabilization time.Duration   // how long a newcomer keeps up before it votes
	Removed       chan struct{}   // closed when this node has learnt that it was removed
	Logger        *slog.Logger
}

// Membership is who belongs to the district: who is let in and taken out, who votes, and at
// which address raft has each. Changes are the leader's. Its methods may be called from any
// goroutine.
type Membership struct {
	Options
	peers  *peers.Peers
	memory *memory.Memory
	port   *internode.Port
	rpc    *internode.RPC

	promotions  promotions
	sameAddress loglimit.Lines
	removeOne   sync.Once
}

// newMembership makes one; Open comes before anything is asked of it.
func New(o Options) *Membership { return &Membership{Options: o} }

// Open hands over what is opened after the membership is made.
func (m *Membership) Open(port *internode.Port, rpc *internode.RPC, known *peers.Peers, remembered *memory.Memory) {
	m.port, m.rpc, m.peers, m.memory = port, rpc, known, remembered
}

// Observe notes what a ping of a member said of where its log ends, or that it did not answer.
func (m *Membership) Observe(id string, answered bool, lastIndex uint64) {
	m.promotions.observe(id, answered && lastIndex+promotionLag >= m.Group.Raft.LastIndex())
}

// Allowed says whether the holder of this certificate may talk to us. A member may.
// A stranger may while our own view is empty (we were just admitted) or stale (we
// were away, and the district may have changed meanwhile), unless we saw it removed.
func (m *Membership) Allowed(id string) bool {
	if id == "" || !m.Group.Begun.Load() {
		return false
	}
	servers := m.Group.Servers()
	if slices.ContainsFunc(servers, func(s raft.Server) bool { return string(s.ID) == id }) {
		return true
	}
	if len(servers) == 0 {
		return true
	}
	return !m.peers.Gone(id) && time.Since(m.Group.LastContact()) > staleAfter
}

// stranger is the answer to a peer that is no member: the index of the committed
// configuration in which it is not.
type stranger struct {
	_     struct{} `cbor:",toarray"`
	Index uint64
}

func (m *Membership) RefuseStranger(w http.ResponseWriter, req *http.Request) {
	if !m.Group.Begun.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	conf, index := m.Group.FSM.Committed()
	if group.InConfiguration(conf, internode.PeerID(req.Context())) {
		index = 0 // removal is not committed yet
	}
	b, _ := cbor.Marshal(stranger{Index: index})
	w.WriteHeader(http.StatusGone)
	_, _ = w.Write(b)
}

// addressProvider gives raft "id@host:port", see stream.
type Addresses struct {
	Group *group.Group
	Peers *peers.Peers
}

// ServerAddr implements raft.ServerAddressProvider.
func (p Addresses) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	if string(id) == p.Group.Self {
		return raft.ServerAddress(string(id) + "@" + p.Peers.Advertise), nil
	}
	if p.Group.Begun.Load() {
		if addr, ok := p.Peers.Resolve(string(id)); ok {
			return raft.ServerAddress(string(id) + "@" + addr), nil
		}
	}
	return "", fmt.Errorf("no address known for %s", id)
}

// MayRaft says whether the holder of this certificate may speak raft with us.
func (m *Membership) MayRaft(id string) bool { return !m.Quarantined() && m.Allowed(id) }

// CloseStrangers ends raft's connections with nodes that are no longer members.
func (m *Membership) CloseStrangers() {
	m.peers.Keep()
	m.port.CloseIf(identity.ProtoRaft, func(peer string) bool { return peer != "" && !m.Allowed(peer) })
}

// setServer adds a server without a vote, or changes the address of one that is
// there; its vote stays as it is. An address belongs to whoever announced it last:
// raft wants each of them once, and a box that comes back under a new id has the one
// of its old id, which is a member until the new one has a vote.
func (m *Membership) setServer(id, addr string) error {
	for _, s := range m.Group.Servers() {
		if string(s.ID) != id && string(s.Address) == addr && string(s.ID) != m.Group.Self {
			if err := m.putServer(string(s.ID), string(s.ID)+peers.Nowhere); err != nil {
				return err
			}
		}
	}
	return m.putServer(id, addr)
}

func (m *Membership) putServer(id, addr string) error {
	for _, s := range m.Group.Servers() {
		if string(s.ID) == id && string(s.Address) == addr {
			return nil
		}
		if string(s.ID) == id && s.Suffrage == raft.Voter {
			return m.Group.Raft.AddVoter(s.ID, raft.ServerAddress(addr), 0, membershipTimeout).Error()
		}
	}
	return m.Group.Raft.AddNonvoter(raft.ServerID(id), raft.ServerAddress(addr), 0, membershipTimeout).Error()
}

// HandleAddress takes a member's new address from software that does not say it with
// every call.
func (m *Membership) HandleAddress(w http.ResponseWriter, req *http.Request) {
	b, ok := internode.ReadBody(w, req)
	if !ok {
		return
	}
	id, addr := internode.PeerID(req.Context()), string(b)
	if !internode.ValidAddress(addr) {
		http.Error(w, "not host:port", http.StatusBadRequest)
		return
	}
	m.peers.Announce(id, addr)
}
