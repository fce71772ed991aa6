package cluster

import "log/slog"

// links remembers which peers answered, so that a lost or regained link is logged
// once: it is a state, not an error. Only keepHouse's goroutine uses it.
type links map[string]bool

// note compares with what was known of the peer.
func (l links) note(log *slog.Logger, peer Peer) {
	was, known := l[peer.ID]
	l[peer.ID] = peer.Reachable
	switch {
	case known && was && !peer.Reachable:
		log.Warn("link lost", "peer", peer.ID, "address", peer.Addr, "last_contact", peer.LastContact)
	case known && !was && peer.Reachable:
		log.Info("link is back", "peer", peer.ID, "address", peer.Addr)
	}
}

// ofLinks are messages of the raft library that come again and again while a link
// is down, or once for each connection that ends. They are for debugging; links
// tells of the state.
var ofLinks = map[string]bool{
	"failed to appendEntries to":                        true,
	"failed to heartbeat to":                            true,
	"failed to contact":                                 true,
	"failed to make requestVote RPC":                    true,
	"failed to make requestVote RPC with pre-vote":      true,
	"failed to accept connection":                       true,
	"failed to decode incoming command":                 true,
	"failed to flush response":                          true,
	"appendEntries rejected, sending older logs":        true,
	"rejecting vote request since we have a leader":     true,
	"rejecting pre-vote request since we have a leader": true,
}

// lostLogs remembers which peers are refused by raft for want of their log, so that each
// is logged once. Only keepHouse's goroutine uses it.
type lostLogs map[string]bool

// note compares with what was known of the peer.
func (l lostLogs) note(log *slog.Logger, peer Peer) {
	was := l[peer.ID]
	l[peer.ID] = peer.LostLog
	switch {
	case !was && peer.LostLog:
		log.Error("a node was started with less of the raft log than it has had: raft does not hear it; it must join anew", "peer", peer.ID, "address", peer.Addr)
	case was && !peer.LostLog:
		log.Info("a node that had lost its raft log is back with all of it", "peer", peer.ID, "address", peer.Addr)
	}
}
