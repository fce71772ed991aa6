package peers

import "time"

// Peer is one server of the raft configuration.
type Peer struct {
	ID          string
	Addr        string // where this node would dial it
	Voter       bool
	LastContact time.Time // last answer or request; now, for this node; zero when never
	Reachable   bool      // it answered a call of this node within 3 s: that it calls us is not enough
	Answered    time.Time `cbor:"-"` // when it last did; now, for this node; zero when never
	Version     uint64    // highest command version that it is known to apply; 0 when it was never heard
	// Held is the highest raft index that it said it holds, durable there and committed; 0
	// when it never did.
	Held uint64 `cbor:"-"`
	// LostLog: it was started with less of the raft log than it has had, so this node does
	// not speak raft with it.
	LostLog bool `cbor:"-"`
}
