package journal

import (
	"fmt"

	"almenara/cluster/fact"
)

// When the disk does not take an alert, the warning goes on in memory: told to this
// node's devices, pushed to the others and adopted, and shown as not stored here.
// The node's own facts get an epoch of their own then, which is never written, so
// that no sequence number can be given twice after a restart.

// Keep puts another node's fact into memory, where the disk does not take it; fresh says
// that it was not known before. 1,024 facts find room; then it returns ErrFull.
func (j *Journal) Keep(s fact.Signed, f fact.Fact) (fresh bool, err error) {
	payload, err := s.Encode()
	if err != nil {
		return false, fmt.Errorf("encoding fact: %w", err)
	}
	j.mu.Lock()
	known, b, err := j.known(f, s.ID())
	if known || err != nil {
		j.mu.Unlock()
		return false, j.settled(b, err)
	}
	err = j.remember(f, s, payload)
	j.mu.Unlock()
	if err == nil {
		j.arrived(f, s)
	}
	return err == nil, err
}

// KeepOwn is AppendOwn without a disk: the fact gets a number of an epoch that is never
// written.
func (j *Journal) KeepOwn(stream fact.Stream, sign Sign) error {
	s, f, err := j.signInMemory(stream, sign)
	if err == nil {
		j.arrived(f, s)
	}
	return err
}

func (j *Journal) signInMemory(stream fact.Stream, sign Sign) (fact.Signed, fact.Fact, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return fact.Signed{}, fact.Fact{}, ErrClosed
	}
	if j.inMemory >= maxMemory {
		return fact.Signed{}, fact.Fact{}, ErrFull
	}
	if j.spare == 0 {
		j.spare = newEpoch(j.options.Clock(), j.epoch)
	}
	s, f, err := sign(j.spare, j.spareSeq[stream]+1)
	if err != nil {
		return s, f, err
	}
	payload, err := s.Encode()
	if err != nil {
		return s, f, fmt.Errorf("encoding fact: %w", err)
	}
	if err := j.remember(f, s, payload); err != nil {
		return s, f, err
	}
	j.spareSeq[stream]++
	return s, f, nil
}

func (j *Journal) remember(f fact.Fact, s fact.Signed, payload []byte) error {
	l, err := j.lane(f.Lane())
	if err != nil {
		return err
	}
	if j.inMemory >= maxMemory {
		return ErrFull
	}
	j.inMemory++
	l.entries[f.Seq] = &entry{id: s.ID(), memory: payload, length: len(payload)}
	l.climb()
	return nil
}
