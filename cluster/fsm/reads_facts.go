package fsm

import (
	"fmt"
	"time"

	"almenara/cluster/fact"
	"almenara/storage"
)

// Mark is the highest sequence number of one origin, stream and epoch up to which
// everything is in the log: the origin may forget it. 0 for an unknown stream.
func (f *FSM) Mark(origin string, stream fact.Stream, epoch uint64) (uint64, error) {
	return read(f, func(t *storage.Txn) (uint64, error) { return t.Mark(origin, uint8(stream), epoch) })
}

// Marks reads all marks by origin, stream and epoch.
func (f *FSM) Marks() ([]storage.Mark, error) { return read(f, (*storage.Txn).Marks) }

// HasFact reports whether the fact is in the log.
func (f *FSM) HasFact(id fact.ID) (bool, error) {
	return read(f, func(t *storage.Txn) (bool, error) { return t.HasFact(id[:]) })
}

// Fact reads an adopted fact.
func (f *FSM) Fact(id fact.ID) (signed fact.Signed, ok bool, err error) {
	stored, ok, err := find(f, func(t *storage.Txn) (storage.StoredFact, bool, error) { return t.FactByID(id[:]) })
	if err != nil || !ok {
		return signed, false, err
	}
	signed, err = fact.DecodeSigned(stored.Signed)
	return signed, err == nil, err
}

// FactsAfter reads adopted facts of one stream with a sequence number above after, in
// order, until limit facts or maxBytes are reached (at least one).
func (f *FSM) FactsAfter(origin string, stream fact.Stream, epoch, after uint64, limit, maxBytes int) ([]fact.Signed, error) {
	stored, err := read(f, func(t *storage.Txn) ([]storage.StoredFact, error) {
		return t.FactsAfter(storage.FactKey{Origin: origin, Stream: uint8(stream), Epoch: epoch, Seq: after}, limit, maxBytes)
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
func (f *FSM) KeptFacts(kind fact.Kind, index uint64, n uint16, limit int) ([]KeptFact, error) {
	stored, err := read(f, func(t *storage.Txn) ([]storage.KeptFact, error) {
		return t.KeptFacts(uint8(kind), index, n, limit)
	})
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
	return out, err
}

// ActiveFacts reads the alert facts that were adopted at since or later, in log
// order. A node rebuilds its board with those of the last alert.MaxLifetime and
// alert.EndMemory.
func (f *FSM) ActiveFacts(since time.Time) (out []fact.Signed, err error) {
	log := f.memory.Load().adoptions()
	err = f.store.View(func(t *storage.Txn) error {
		for _, a := range log {
			if a.At < since.UnixMilli() {
				continue
			}
			stored, ok, err := t.FactByID(a.FactID)
			if err != nil {
				return err
			}
			if !ok {
				continue // adopted by the entry that is being committed
			}
			signed, err := fact.DecodeSigned(stored.Signed)
			if err != nil {
				return fmt.Errorf("%w: fact %x: %w", storage.ErrDamaged, a.FactID, err)
			}
			out = append(out, signed)
		}
		return nil
	})
	return out, err
}

// adoptions is the log of adopted alert messages; it must not be modified.
func (m *memory) adoptions() []storage.Adoption {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	return m.log[:len(m.log):len(m.log)]
}
