package storage

import "fmt"

// Applied says how far the database has come in the raft log. It is written in the
// same transaction as the effects of the entries, so that it never says more nor
// less than what is there.
type Applied struct {
	Index              uint64 `cbor:"1,keyasint"` // 0: nothing was applied yet
	Term               uint64 `cbor:"2,keyasint"`
	Configuration      []byte `cbor:"3,keyasint,omitempty"` // raft.EncodeConfiguration
	ConfigurationIndex uint64 `cbor:"4,keyasint,omitempty"`
	// Version is the highest version of an entry that was applied; 0 stands for 1. Older
	// software must not open or install what newer software's entries have made.
	Version uint64 `cbor:"5,keyasint,omitempty"`
	// Part is the entry, not applied to its end yet, whose first PartFacts facts are in
	// the database: a large adoption takes several transactions. They must not be looked
	// at again, because now they might have another effect. 0: none.
	Part      uint64 `cbor:"6,keyasint,omitempty"`
	PartFacts uint64 `cbor:"7,keyasint,omitempty"`
}

// Applied reads how far the database has come.
func (s *Store) Applied() (a Applied, err error) {
	err = s.View(func(t *Txn) error {
		a, err = AppliedRecord.Value(t)
		return err
	})
	return a, err
}

// Witness records that entries up to a were applied though some of them (barriers,
// no-ops) had no effect here. It never moves back: log entries may be applied while
// a snapshot is being recorded. At the same index the given configuration wins,
// because that is how a recovered cluster gets its new one. Durable on return.
func (s *Store) Witness(a Applied) error {
	err := s.Update(func(t *Txn) error {
		have, err := AppliedRecord.Value(t)
		if err != nil || have.Index > a.Index {
			return err
		}
		a.Version, a.Part, a.PartFacts = max(a.Version, have.Version), have.Part, have.PartFacts
		return AppliedRecord.Put(t, a)
	})
	if err != nil {
		return fmt.Errorf("recording applied index %d: %w", a.Index, err)
	}
	return nil
}
