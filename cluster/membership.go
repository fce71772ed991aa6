package cluster

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/loglimit"
	"almenara/cluster/memory"
	"almenara/cluster/peers"
)

const (
	membershipTimeout = 5 * time.Second
	// staleAfter is how long without a leader this node takes its own view of the
	// membership for possibly outdated.
	staleAfter = 10 * time.Second
)

// membership is who belongs to the district: who is let in and taken out, who votes, and at
// which address raft has each. Changes are the leader's.
type membership struct {
	*group
	proposals *proposals
	fence     *fence
	peers     *peers.Peers
	memory    *memory.Memory
	port      *internode.Port
	rpc       *internode.RPC

	dir           string
	stabilization time.Duration
	logger        *slog.Logger

	promotions  promotions
	sameAddress loglimit.Line
	removed     chan struct{} // closed when this node has learnt that it was removed
	removeOne   sync.Once
}

// allowed says whether the holder of this certificate may talk to us. A member may.
// A stranger may while our own view is empty (we were just admitted) or stale (we
// were away, and the district may have changed meanwhile), unless we saw it removed.
func (m *membership) allowed(id string) bool {
	if id == "" || !m.begun.Load() {
		return false
	}
	servers := m.servers()
	if slices.ContainsFunc(servers, func(s raft.Server) bool { return string(s.ID) == id }) {
		return true
	}
	if len(servers) == 0 {
		return true
	}
	return !m.peers.Gone(id) && time.Since(m.lastContact()) > staleAfter
}

// stranger is the answer to a peer that is no member: the index of the committed
// configuration in which it is not.
type stranger struct {
	_     struct{} `cbor:",toarray"`
	Index uint64
}

func (m *membership) refuseStranger(w http.ResponseWriter, req *http.Request) {
	if !m.begun.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	conf, index := m.fsm.Committed()
	if inConfiguration(conf, internode.PeerID(req.Context())) {
		index = 0 // removal is not committed yet
	}
	b, _ := cbor.Marshal(stranger{Index: index})
	w.WriteHeader(http.StatusGone)
	_, _ = w.Write(b)
}

// addressProvider gives raft "id@host:port", see stream.
type addressProvider struct {
	group *group
	peers *peers.Peers
}

// ServerAddr implements raft.ServerAddressProvider.
func (p addressProvider) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	if string(id) == p.group.self {
		return raft.ServerAddress(string(id) + "@" + p.peers.Advertise), nil
	}
	if p.group.begun.Load() {
		if addr, ok := p.peers.Resolve(string(id)); ok {
			return raft.ServerAddress(string(id) + "@" + addr), nil
		}
	}
	return "", fmt.Errorf("no address known for %s", id)
}

// mayRaft says whether the holder of this certificate may speak raft with us.
func (m *membership) mayRaft(id string) bool { return !m.fence.quarantined() && m.allowed(id) }

// closeStrangers ends raft's connections with nodes that are no longer members.
func (m *membership) closeStrangers() {
	m.peers.Keep()
	m.port.CloseIf(identity.ProtoRaft, func(peer string) bool { return peer != "" && !m.allowed(peer) })
}

// setServer adds a server without a vote, or changes the address of one that is
// there; its vote stays as it is. An address belongs to whoever announced it last:
// raft wants each of them once, and a box that comes back under a new id has the one
// of its old id, which is a member until the new one has a vote.
func (m *membership) setServer(id, addr string) error {
	for _, s := range m.servers() {
		if string(s.ID) != id && string(s.Address) == addr && string(s.ID) != m.self {
			if err := m.putServer(string(s.ID), string(s.ID)+peers.Nowhere); err != nil {
				return err
			}
		}
	}
	return m.putServer(id, addr)
}

func (m *membership) putServer(id, addr string) error {
	for _, s := range m.servers() {
		if string(s.ID) == id && string(s.Address) == addr {
			return nil
		}
		if string(s.ID) == id && s.Suffrage == raft.Voter {
			return m.raft.AddVoter(s.ID, raft.ServerAddress(addr), 0, membershipTimeout).Error()
		}
	}
	return m.raft.AddNonvoter(raft.ServerID(id), raft.ServerAddress(addr), 0, membershipTimeout).Error()
}

// handleAddress takes a member's new address from software that does not say it with
// every call.
func (m *membership) handleAddress(w http.ResponseWriter, req *http.Request) {
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
