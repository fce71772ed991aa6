package journal

import (
	"fmt"
	"slices"

	"almenara/cluster/fact"
)

// zeros is how much is overwritten at a time, in bytes.
const zeros = 256 << 10

// Clear overwrites facts that were adopted, which stay in the files of the rings until others take their
// place. The segment in use is left behind first, where all of it was adopted; facts that are not adopted stay.
// One segment of a ring at a time cannot be used meanwhile. On nil, nothing that was adopted before the call is
// on this disk, apart from a segment in which something else still waits.
func (j *Journal) Clear() error {
	for _, stream := range []fact.Stream{fact.Alerts, fact.Receipts} {
		r := j.rings[stream]
		if err := leave(j, r); err != nil {
			return fmt.Errorf("clearing journal: %w", err)
		}
		for {
			s := takeUsed(j, r)
			if s == nil {
				break
			}
			err := s.zero(r.size)
			giveBack(j, r, s, err == nil)
			if err != nil {
				return fmt.Errorf("clearing journal: %w", err)
			}
		}
	}
	return nil
}

// leave begins the next segment where everything in the one in use was adopted. It does what a fact does that
// finds no room.
func leave(j *Journal, r *ring) error {
	adopted := func(k fact.LaneKey) uint64 { return j.lanes[k].base }
	j.mu.Lock()
	s := r.active
	if j.closed || r.broken != nil || s == nil || s.end == headerBytes || r.pending != nil || len(r.free) == 0 || !s.over(adopted) {
		j.mu.Unlock()
		return nil
	}
	b := &batch{done: make(chan struct{})}
	r.pending = b
	r.rotate(b, header{Epoch: j.epoch, Floor: j.next[r.stream] - 1})
	j.mu.Unlock()
	if err := j.commit(r, b, true); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	r.release(adopted)
	return nil
}

// takeUsed takes a free segment with old content out of the ring; nil where there is none, or no other one is free.
func takeUsed(j *Journal, r *ring) *segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := slices.IndexFunc(r.free, func(s *segment) bool { return s.used })
	if i < 0 || j.closed || len(r.free) < 2 {
		return nil
	}
	s := r.free[i]
	r.free = slices.Delete(r.free, i, i+1)
	return s
}

func giveBack(j *Journal, r *ring, s *segment, cleared bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if cleared {
		s.used = false
	}
	r.free = append(r.free, s)
}

// zero overwrites the segment, its header first: a segment without one is free.
func (s *segment) zero(size int64) error {
	b := make([]byte, zeros)
	if _, err := s.file.WriteAt(b[:headerBytes], 0); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil { // or a power cut could leave a header above records that are gone
		return err
	}
	for at := int64(0); at < size; at += zeros {
		if _, err := s.file.WriteAt(b[:min(zeros, size-at)], at); err != nil {
			return err
		}
	}
	return s.file.Sync()
}
