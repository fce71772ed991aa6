package agreed

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
)

// clocksApart is how far apart the times of entries next to each other in the log may be:
// each is that of the node that led.
const clocksApart = time.Hour

// Adoptions lists the alert messages that were adopted at since or later, in log
// order. It reads back from the newest.
func (r *Reader) Adoptions(since time.Time) (out []factlog.Adoption, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		return factlog.AdoptionsBefore(t, factlog.Place{}, func(a factlog.Adoption) (bool, error) {
			if a.At >= since.UnixMilli() {
				out = append(out, a)
			}
			return a.At >= since.Add(-clocksApart).UnixMilli(), nil
		})
	})
	slices.Reverse(out)
	return out, err
}

// lanePage is how many facts of a stream are read at once.
const lanePage = 256

// AlertStream calls fn for the adopted facts of all origins' alert streams that were
// made at since or later by their origin's clock, the newest first within an origin.
func (r *Reader) AlertStream(since time.Time, fn func(fact.Fact) error) error {
	marks, err := r.Marks()
	if err != nil {
		return err
	}
	for _, m := range marks {
		for last := m.Seq; m.Stream == uint8(fact.Alerts) && last > 0; {
			first := uint64(0)
			if last > lanePage {
				first = last - lanePage
			}
			page, err := r.FactsAfter(m.Origin, fact.Alerts, m.Epoch, first, int(last-first), 64<<20)
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

// MadeBetween calls fn for the receipt blocks of an origin that it made from one time to
// another, by its own clock, in order. An origin's times grow with its numbers, so what is
// older is not read.
func (r *Reader) MadeBetween(origin string, from, to time.Time, fn func(fact.Fact, receipt.Block)) error {
	marks, err := r.Marks()
	if err != nil {
		return err
	}
	for _, m := range marks {
		if m.Origin != origin || m.Stream != uint8(fact.Receipts) {
			continue
		}
		read := func(after uint64, limit int) (page []fact.Fact) {
			signed, failed := r.FactsAfter(origin, fact.Receipts, m.Epoch, after, limit, 64<<20)
			for i := 0; i < len(signed) && failed == nil; i++ {
				var one fact.Fact
				one, failed = signed[i].Fact()
				page = append(page, one)
			}
			err = errors.Join(err, failed)
			return page
		}
		after := uint64(sort.Search(int(m.Seq), func(n int) bool {
			page := read(uint64(n), 1)
			return len(page) == 0 || !fact.WallTime(page[0].HLC).Before(from)
		}))
		for page := read(after, lanePage); len(page) > 0 && err == nil; page = read(after, lanePage) {
			for _, one := range page {
				after = one.Seq
				if fact.WallTime(one.HLC).After(to) {
					page = nil
					break
				}
				if block, wrong := receipt.DecodeBlock(one.Body); wrong == nil {
					fn(one, block)
				}
			}
			if page == nil {
				break
			}
		}
		if err != nil {
			return fmt.Errorf("reading the receipts of %s: %w", origin, err)
		}
	}
	return nil
}

// ReceiptFacts calls fn for the receipt blocks of an alert, under this one id, that
// were adopted at the raft index from or later, in log order.
func (r *Reader) ReceiptFacts(id alert.ID, from uint64, fn func(fact.Fact, receipt.Block)) error {
	return r.state.Store().View(func(t *storage.Txn) error {
		return factlog.ReceiptBlocks(t, string(id), from, func(stored factlog.ReceiptBlock) (bool, error) {
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
