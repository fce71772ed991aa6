package raftfix

import "github.com/hashicorp/raft"

// matched is raft's transport, with the commit index that a leader sends kept to what
// its message makes certain: a follower may take as committed only what matches the
// leader's log, which is up to the last entry of the message (Raft, figure 2,
// "index of last new entry"). hashicorp/raft 1.7.3 goes by the end of the follower's
// log instead: after appends that failed often, on a full disk for instance, a leader
// sends older entries again, and a tail that it never had would be applied.
//
// Pipelines would pass it by; there are none, with one request in flight at most.
//
// Delete it when a follower goes by the last entry of the message; until then
// TestMatched_AnUnmatchedTailIsNeverCommitted applies entry 12 without it.
type matched struct{ *raft.NetworkTransport }

// AppendEntries implements raft.Transport.
func (m matched) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	args.LeaderCommitIndex = min(args.LeaderCommitIndex, args.PrevLogEntry+uint64(len(args.Entries)))
	return m.NetworkTransport.AppendEntries(id, target, args, resp)
}
