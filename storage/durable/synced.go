//go:build !lossy

package durable

// Parts of a node whose syncs the power-cut test leaves out, one at a time, in a program of its
// own, to show that it notices.
const (
	PartStore   = "store"   // Badger's SyncWrites
	PartJournal = "journal" // the sync of a batch of facts
	PartLog     = "log"     // the sync of entries of the raft log
	PartFiles   = "files"   // the sync of a small file before it is renamed
)

// Synced is true: what is shipped syncs everything. Only the build tag lossy, which
// nothing but scripts/powercut.sh sets, makes it a question.
func Synced(string) bool { return true }
