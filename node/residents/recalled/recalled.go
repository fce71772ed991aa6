// Package recalled reads facts that were agreed on, from the newest back. It imports no other room.
package recalled

import (
	"fmt"
	"time"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/storage/alert"
)

// Log has what was agreed; *agreed.Reader is one.
type Log interface {
	KeptBefore(kind fact.Kind, index uint64, n uint16, limit int) ([]agreed.KeptFact, error)
	AgreedAt(index uint64) (at time.Time, ok bool, err error)
}

// atOnce is how many facts are read at a time.
const atOnce = 1000

// Each calls fn for the facts of a kind, about most of them, back to the oldest time, with since when each is known:
// what was said since stands above what a clock that was ahead said of later.
func Each(log Log, kind fact.Kind, oldest time.Time, most int, clock func() time.Time, fn func(f fact.Fact, known time.Time)) error {
	var index uint64
	var n uint16
	for read, over := 0, false; !over && read < most; {
		kept, err := log.KeptBefore(kind, index, n, atOnce)
		if err != nil {
			return fmt.Errorf("recalling what residents answered: %w", err)
		}
		for _, k := range kept {
			at, ok, err := log.AgreedAt(k.Index)
			if err != nil {
				return fmt.Errorf("recalling when residents answered: %w", err)
			}
			known := clock()
			if ok {
				known = alert.Earlier(at, known)
			}
			fn(k.Fact, known)
			index, n, over = k.Index, k.N, fact.WallTime(k.Fact.HLC).Before(oldest)
		}
		read, over = read+len(kept), over || len(kept) < atOnce
	}
	return nil
}
