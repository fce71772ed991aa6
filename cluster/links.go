package cluster

import (
	"almenara/cluster/peers"
	"log/slog"
)

// links remembers which peers answered, so that a lost or regained link is logged
// once: it is a state, not an error. Only maintenance's goroutine uses it.
type links map[string]bool

// note compares with what was known of the peer.
func (l links) note(log *slog.Logger, peer peers.Peer) {
	was, known := l[peer.ID]
	l[peer.ID] = peer.Reachable
	switch {
	case known && was && !peer.Reachable:
		log.Warn("link lost", "peer", peer.ID, "address", peer.Addr, "last_contact", peer.LastContact)
	case known && !was && peer.Reachable:
		log.Info("link is back", "peer", peer.ID, "address", peer.Addr)
	}
}

// lostLogs remembers which peers are refused by raft for want of their log, so that each
// is logged once. Only maintenance's goroutine uses it.
type lostLogs map[string]bool

// note compares with what was known of the peer.
func (l lostLogs) note(log *slog.Logger, peer peers.Peer) {
	was := l[peer.ID]
	l[peer.ID] = peer.LostLog
	switch {
	case !was && peer.LostLog:
		log.Error("a node was started with less of the raft log than it has had: raft does not hear it; it must join anew", "peer", peer.ID, "address", peer.Addr)
	case was && !peer.LostLog:
		log.Info("a node that had lost its raft log is back with all of it", "peer", peer.ID, "address", peer.Addr)
	}
}
