// Package marks is what lies beside the raft log and says what the log itself cannot.
//
//	raft.begun                this id has voted or has a log ──┐
//	the log, the state ────────────────────────────────────────┴▶ CheckLog: is anything lost?
//	raft.removed              this id is no member any more
//	raft.quarantined          why this node agrees to nothing any more: Quarantine, Cause
//	incarnations.disbelieved  restored copies that are not heard: RestoredCopies
//
// It owns these four files. It decides nothing about other nodes, starts nothing, and imports
// identity, the log and nothing else of the cluster.
package marks
