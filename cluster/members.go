package cluster

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"
)

const (
	membershipTimeout = 5 * time.Second
	// staleAfter is how long without a leader this node takes its own view of the
	// membership for possibly outdated.
	staleAfter = 10 * time.Second
)

// allowed says whether the holder of this certificate may talk to us. A member may.
// A stranger may while our own view is empty (we were just admitted) or stale (we
// were away, and the district may have changed meanwhile), unless we saw it removed.
func (c *Cluster) allowed(id string) bool {
	if id == "" || !c.begun.Load() {
		return false
	}
	servers := c.servers()
	if slices.ContainsFunc(servers, func(s raft.Server) bool { return string(s.ID) == id }) {
		return true
	}
	if len(servers) == 0 {
		return true
	}
	return !c.peers.isGone(id) && time.Since(c.lastContact()) > staleAfter
}

// stranger is the answer to a peer that is no member: the index of the committed
// configuration in which it is not.
type stranger struct {
	_     struct{} `cbor:",toarray"`
	Index uint64
}

func (c *Cluster) refuseStranger(w http.ResponseWriter, req *http.Request) {
	if !c.begun.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	conf, index := c.fsm.committed()
	if inConfiguration(conf, PeerID(req.Context())) {
		index = 0 // removal is not committed yet
	}
	b, _ := cbor.Marshal(stranger{Index: index})
	w.WriteHeader(http.StatusGone)
	_, _ = w.Write(b)
}

func inConfiguration(conf raft.Configuration, id string) bool {
	return slices.ContainsFunc(conf.Servers, func(s raft.Server) bool { return string(s.ID) == id })
}

// resolve is where a node is dialled: the caller's knowledge, then what the node
// itself announced, then the raft configuration.
func (c *Cluster) resolve(id string) (string, bool) {
	if c.options.Address != nil {
		if addr, ok := c.options.Address(id); ok {
			return addr, true
		}
	}
	if addr, ok := c.peers.announced(id); ok {
		return addr, true
	}
	for _, s := range c.servers() {
		if string(s.ID) == id {
			return string(s.Address), true
		}
	}
	return "", false
}

// addressProvider gives raft "id@host:port", see stream.
type addressProvider struct{ c *Cluster }

// ServerAddr implements raft.ServerAddressProvider.
func (p addressProvider) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	if string(id) == p.c.NodeID() {
		return raft.ServerAddress(string(id) + "@" + p.c.options.Advertise), nil
	}
	if p.c.begun.Load() {
		if addr, ok := p.c.resolve(string(id)); ok {
			return raft.ServerAddress(string(id) + "@" + addr), nil
		}
	}
	return "", fmt.Errorf("no address known for %s", id)
}

// closeStrangers ends raft's connections with nodes that are no longer members.
func (c *Cluster) closeStrangers() {
	c.peers.note(c.servers())
	c.port.conns.closeIf(protoRaft, func(peer string) bool { return peer != "" && !c.allowed(peer) })
}

// setServer adds a server without a vote, or changes the address of one that is
// there; its vote stays as it is. An address belongs to whoever announced it last:
// raft wants each of them once, and a box that comes back under a new id has the one
// of its old id, which is a member until the new one has a vote.
func (c *Cluster) setServer(id, addr string) error {
	for _, s := range c.servers() {
		if string(s.ID) != id && string(s.Address) == addr && string(s.ID) != c.NodeID() {
			if err := c.putServer(string(s.ID), string(s.ID)+nowhere); err != nil {
				return err
			}
		}
	}
	return c.putServer(id, addr)
}

// nowhere ends the address of a member whose box has another id now (RFC 2606).
const nowhere = ".invalid:1"

func (c *Cluster) putServer(id, addr string) error {
	for _, s := range c.servers() {
		if string(s.ID) == id && string(s.Address) == addr {
			return nil
		}
		if string(s.ID) == id && s.Suffrage == raft.Voter {
			return c.raft.AddVoter(s.ID, raft.ServerAddress(addr), 0, membershipTimeout).Error()
		}
	}
	return c.raft.AddNonvoter(raft.ServerID(id), raft.ServerAddress(addr), 0, membershipTimeout).Error()
}

// handleAddress takes a member's new address: known here at once, and to all when
// this node leads.
func (c *Cluster) handleAddress(w http.ResponseWriter, req *http.Request) {
	b, ok := readBody(w, req)
	if !ok {
		return
	}
	id, addr := PeerID(req.Context()), string(b)
	if !validAddress(addr) {
		http.Error(w, "not host:port", http.StatusBadRequest)
		return
	}
	c.peers.announce(id, addr)
	if c.raft.State() != raft.Leader {
		return
	}
	if err := c.setServer(id, addr); err != nil {
		fail(w, raftOutcome(err))
	}
}

func validAddress(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	return err == nil && host != "" && port != "" && len(addr) <= 255
}
