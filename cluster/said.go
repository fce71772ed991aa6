package cluster

import (
	"net/http"

	"almenara/cluster/fence"
	"almenara/cluster/marks"
	"almenara/cluster/memory"
	"almenara/cluster/peers"
)

// sayings is what nodes say of themselves and of each other on every request and answer.
type sayings struct {
	fence  *fence.Fence
	peers  *peers.Peers
	memory *memory.Memory
}

// tell puts what this node says of itself, and of the peer, on a request or an answer.
func (s *sayings) tell(id string, h http.Header) {
	s.peers.Tell(h)
	s.memory.Tell(id, h)
}

// heard takes what a member says of itself.
func (s *sayings) heard(id string, h http.Header) {
	s.peers.Hear(id, h)
	s.memory.Hear(id, h)
}

// recall takes what a peer remembers of this node.
func (s *sayings) recall(peer string, h http.Header) {
	if s.fence.Quarantined() {
		return
	}
	if missing := s.memory.Missing(peer, h); missing != "" {
		s.fence.QuarantineFor(marks.CauseMemory, missing)
	}
}
