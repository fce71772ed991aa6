package fact

import "fmt"

// When the disk does not take an alert, the warning goes on in memory: told to this
// node's devices, pushed to the others and adopted, and shown as not stored here.
// The node's own facts get an epoch of their own then, which is never written, so
// that no sequence number can be given twice after a restart.

// keep puts a foreign fact into memory.
func (j *Journal) keep(s Signed, f Fact) (fresh bool, err error) {
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

// keepOwn is appendOwn without a disk.
func (j *Journal) keepOwn(stream Stream, sign func(epoch, seq uint64) (Signed, Fact, error)) error {
	s, f, err := j.signInMemory(stream, sign)
	if err == nil {
		j.arrived(f, s)
	}
	return err
}

func (j *Journal) signInMemory(stream Stream, sign func(epoch, seq uint64) (Signed, Fact, error)) (Signed, Fact, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return Signed{}, Fact{}, ErrClosed
	}
	if j.inMemory >= maxMemory {
		return Signed{}, Fact{}, ErrJournalFull
	}
	if j.spare == 0 {
		j.spare = newEpoch(j.epoch)
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

func (j *Journal) remember(f Fact, s Signed, payload []byte) error {
	l, err := j.lane(f.lane())
	if err != nil {
		return err
	}
	if j.inMemory >= maxMemory {
		return ErrJournalFull
	}
	j.inMemory++
	l.entries[f.Seq] = &entry{id: s.ID(), memory: payload, length: len(payload)}
	l.climb()
	return nil
}
