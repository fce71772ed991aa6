package agreed

import (
	"fmt"
	"time"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/archived"
	"almenara/storage/audit"
	"almenara/storage/factlog"
)

// Mark is the highest sequence number of one origin, stream and epoch up to which
// everything is in the log: the origin may forget it. 0 for an unknown stream.
func (r *Reader) Mark(origin string, stream fact.Stream, epoch uint64) (uint64, error) {
	return read(r, func(t *storage.Txn) (uint64, error) { return factlog.MarkOf(t, origin, uint8(stream), epoch) })
}

// Marks reads all marks by origin, stream and epoch.
func (r *Reader) Marks() ([]factlog.Mark, error) { return read(r, factlog.Marks) }

// HasFact reports whether the fact is in the log.
func (r *Reader) HasFact(id fact.ID) (bool, error) {
	return read(r, func(t *storage.Txn) (bool, error) { return factlog.Has(t, id[:]) })
}

// Fact reads an adopted fact.
func (r *Reader) Fact(id fact.ID) (signed fact.Signed, ok bool, err error) {
	stored, ok, err := find(r, func(t *storage.Txn) (factlog.Fact, bool, error) { return factlog.ByID(t, id[:]) })
	if err != nil || !ok {
		return signed, false, err
	}
	signed, err = fact.DecodeSigned(stored.Signed)
	return signed, err == nil, err
}

// FactsAfter reads adopted facts of one stream with a sequence number above after, in
// order, until limit facts or maxBytes are reached (at least one).
func (r *Reader) FactsAfter(origin string, stream fact.Stream, epoch, after uint64, limit, maxBytes int) ([]fact.Signed, error) {
	stored, err := read(r, func(t *storage.Txn) ([]factlog.Fact, error) {
		return factlog.After(t, factlog.Key{Origin: origin, Stream: uint8(stream), Epoch: epoch, Seq: after}, limit, maxBytes)
	})
	out := make([]fact.Signed, len(stored))
	for i := range stored {
		if out[i], err = fact.DecodeSigned(stored[i].Signed); err != nil {
			return nil, fmt.Errorf("%w: fact of %s: %w", storage.ErrDamaged, origin, err)
		}
	}
	return out, err
}

// KeptFact is an adopted fact of a kind that is listed: approvals, spells of being alone.
type KeptFact struct {
	Index  uint64 // raft index of its adoption
	N      uint16 // within the entry
	ID     fact.ID
	Signed fact.Signed
	Fact   fact.Fact
}

// KeptFacts reads up to limit (0: all) adopted facts of a listed kind in log order,
// after the place index, n; 0, 0 is from the first.
func (r *Reader) KeptFacts(kind fact.Kind, index uint64, n uint16, limit int) ([]KeptFact, error) {
	stored, err := read(r, func(t *storage.Txn) ([]factlog.Kept, error) {
		return factlog.KeptAfter(t, uint8(kind), index, n, limit)
	})
	if err != nil {
		return nil, err
	}
	return opened(kind, stored)
}

// KeptBefore reads up to limit (0: all) adopted facts of a listed kind, the newest in the log first,
// before the place index, n; 0, 0 is from the last.
func (r *Reader) KeptBefore(kind fact.Kind, index uint64, n uint16, limit int) ([]KeptFact, error) {
	stored, err := read(r, func(t *storage.Txn) ([]factlog.Kept, error) {
		return factlog.KeptBefore(t, uint8(kind), index, n, limit)
	})
	if err != nil {
		return nil, err
	}
	return opened(kind, stored)
}

// opened reads what is in stored facts.
func opened(kind fact.Kind, stored []factlog.Kept) (_ []KeptFact, err error) {
	out := make([]KeptFact, len(stored))
	for i, s := range stored {
		k := KeptFact{Index: s.Index, N: s.N}
		if k.Signed, err = fact.DecodeSigned(s.Signed); err == nil {
			k.Fact, err = k.Signed.Fact()
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s of %s: %w", storage.ErrDamaged, kind, s.Key.Origin, err)
		}
		k.ID = k.Signed.ID()
		out[i] = k
	}
	return out, nil
}

// AgreedAt is when the entry with that index was proposed, by the clock of who proposed it; false where
// the audit has no line of it.
func (r *Reader) AgreedAt(index uint64) (at time.Time, ok bool, err error) {
	line, ok, err := find(r, func(t *storage.Txn) (audit.Entry, bool, error) { return audit.FirstOf(t, index) })
	return time.UnixMilli(line.At).UTC(), ok, err
}

// Recall calls fn for the alert facts that may still matter at now, in log order among
// those that have not run out and among those that have, and for the approvals of these
// and of what has not come. A node lays them on its own board when it starts. The rest is
// in the archive and costs nothing.
func (r *Reader) Recall(now time.Time, fn func(fact.Signed) error) error {
	alerts := r.state.Derived().Alerts
	before := alerts.OnBoard()
	return r.state.Store().View(func(t *storage.Txn) error {
		groups, err := archived.Until(t, now.UnixMilli())
		if err != nil {
			return err
		}
		var facts []archived.Fact
		for _, g := range groups {
			facts = append(facts, g.Facts...)
		}
		facts = append(append(facts, before...), alerts.OnBoard()...) // some may have gone or come meanwhile
		told := make(map[string]bool)
		for _, one := range facts {
			if told[string(one.ID)] {
				continue
			}
			told[string(one.ID)] = true
			if err := recall(t, one, fn); err != nil {
				return err
			}
			approvals, err := archived.ApprovalsOf(t, one.ID)
			if err != nil {
				return err
			}
			for _, a := range approvals {
				if err := recall(t, a, fn); err != nil {
					return err
				}
			}
		}
		waiting, err := archived.WaitingApprovals(t)
		for _, a := range waiting {
			if err == nil {
				err = recall(t, a, fn)
			}
		}
		return err
	})
}

func recall(t *storage.Txn, one archived.Fact, fn func(fact.Signed) error) error {
	stored, ok, err := factlog.ByID(t, one.ID)
	if err != nil || !ok { // adopted by the entry that is being committed
		return err
	}
	signed, err := fact.DecodeSigned(stored.Signed)
	if err != nil {
		return fmt.Errorf("%w: fact %x: %w", storage.ErrDamaged, one.ID, err)
	}
	return fn(signed)
}
