package fsm

import (
	"fmt"
	"time"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// Adoptions lists the alert messages that were adopted at since or later, in log
// order.
func (f *FSM) Adoptions(since time.Time) (out []storage.Adoption) {
	for _, a := range f.memory.Load().adoptions() {
		if a.At >= since.UnixMilli() {
			out = append(out, a)
		}
	}
	return out
}

// lanePage is how many facts of a stream are read at once.
const lanePage = 256

// AlertStream calls fn for the adopted facts of all origins' alert streams that were
// made at since or later by their origin's clock, the newest first within an origin.
func (f *FSM) AlertStream(since time.Time, fn func(fact.Fact) error) error {
	marks, err := f.Marks()
	if err != nil {
		return err
	}
	for _, m := range marks {
		for last := m.Seq; m.Stream == uint8(fact.Alerts) && last > 0; {
			first := uint64(0)
			if last > lanePage {
				first = last - lanePage
			}
			page, err := f.FactsAfter(m.Origin, fact.Alerts, m.Epoch, first, int(last-first), 64<<20)
			if err != nil {
				return err
			}
			older, err := newest(page, since, fn)
			if err != nil {
				return err
			}
			if last = first; older {
				break
			}
		}
	}
	return nil
}

// newest calls fn from the end of the page on, and reports whether it came to facts
// that are older.
func newest(page []fact.Signed, since time.Time, fn func(fact.Fact) error) (older bool, err error) {
	for i := len(page) - 1; i >= 0; i-- {
		one, err := page[i].Fact()
		if err != nil {
			return false, fmt.Errorf("%w: fact in a stream: %w", storage.ErrDamaged, err)
		}
		if fact.WallTime(one.HLC).Before(since) {
			return true, nil
		}
		if err := fn(one); err != nil {
			return false, err
		}
	}
	return false, nil
}

// ReceiptFacts calls fn for the receipt blocks of an alert, under this one id, that
// were adopted at the raft index from or later, in log order.
func (f *FSM) ReceiptFacts(id alert.ID, from uint64, fn func(fact.Fact, receipt.Block)) error {
	return f.store.View(func(t *storage.Txn) error {
		return t.ReceiptBlocks(string(id), from, func(stored storage.ReceiptBlock) (bool, error) {
			signed, err := fact.DecodeSigned(stored.Signed)
			if err != nil {
				return false, fmt.Errorf("%w: receipts of %s: %w", storage.ErrDamaged, id, err)
			}
			one, err := signed.Fact()
			if err != nil {
				return false, fmt.Errorf("%w: receipts of %s: %w", storage.ErrDamaged, id, err)
			}
			block, err := receipt.DecodeBlock(one.Body)
			if err == nil {
				fn(one, block)
			}
			return true, nil
		})
	})
}
