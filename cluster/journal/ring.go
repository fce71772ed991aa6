package journal

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"almenara/cluster/fact"
	"almenara/storage/durable"
)

// segment is one preallocated file of a ring. Fields are guarded by Journal.mu;
// only the file is used outside of it.
type segment struct {
	file       File
	generation uint64 // 0: free
	end        int64  // where the next record goes
	used       bool   // free, with old content
	highest    map[fact.LaneKey]uint64
}

// ring is the segments of one stream. The active segment takes records until it is
// full; then a free one becomes active. A segment is free again when all its facts
// are adopted, in whatever order that happens.
type ring struct {
	stream     fact.Stream
	size       int64 // of a segment
	segments   []*segment
	free       []*segment
	active     *segment
	generation uint64 // the highest given
	pending    *batch // collects until its leader gets flushMu
	broken     error  // set by the first failed write: nothing is written any more

	// flushMu serializes writing and syncing. It is taken before Journal.mu.
	flushMu sync.Mutex
	flushes atomic.Int64 // since when the running flush runs, in ns since the journal was opened; 0: none
}

// batch is the records that share one write and one sync. The one who made it
// flushes it; the others wait for done.
type batch struct {
	writes  []write
	arrived []arrival
	done    chan struct{}
	err     error // set before done is closed
}

type write struct {
	segment *segment
	at      int64
	bytes   []byte
}

// arrival is one fact of a batch, in the order in which it was placed.
type arrival struct {
	fact   fact.Fact
	signed fact.Signed
	entry  *entry
}

// place finds room for a payload and puts its record into the pending batch, whose
// maker it reports. Facts of others leave the last quarter of the ring to the
// node's own. Call it under Journal.mu.
func (r *ring) place(payload []byte, own bool, h header) (e *entry, b *batch, leader bool, err error) {
	n := recordBytes(len(payload))
	if r.broken != nil {
		return nil, nil, false, r.broken
	}
	if len(payload) > maxRecord || headerBytes+n > r.size {
		return nil, nil, false, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(payload))
	}
	fresh := r.active == nil || r.active.end+n > r.size
	if fresh && (len(r.free) == 0 || !own && len(r.free) <= len(r.segments)/4) {
		return nil, nil, false, ErrFull
	}
	b = r.pending
	if b == nil {
		b, leader = &batch{done: make(chan struct{})}, true
		r.pending = b
	}
	if fresh {
		r.rotate(b, h)
	}
	s := r.active
	b.add(s, s.end, appendRecord(nil, s.generation, payload))
	e = &entry{segment: s, generation: s.generation, at: s.end, length: len(payload), batch: b}
	s.end += n
	return e, b, leader, nil
}

func (r *ring) rotate(b *batch, h header) {
	s := r.free[0]
	r.free = r.free[1:]
	r.generation++
	s.used = false
	s.generation, s.end, s.highest = r.generation, headerBytes, map[fact.LaneKey]uint64{}
	h.Generation, h.Stream = s.generation, r.stream
	b.add(s, 0, h.encode())
	r.active = s
}

// add joins writes that touch.
func (b *batch) add(s *segment, at int64, bytes []byte) {
	if n := len(b.writes); n > 0 {
		last := &b.writes[n-1]
		if last.segment == s && last.at+int64(len(last.bytes)) == at {
			last.bytes = append(last.bytes, bytes...)
			return
		}
	}
	b.writes = append(b.writes, write{s, at, bytes})
}

// store writes and syncs. Nothing may be believed about the files after an error:
// the kernel drops pages that it could not write, and the next sync says nothing.
func (b *batch) store() error {
	var touched []File
	for _, w := range b.writes {
		if _, err := w.segment.file.WriteAt(w.bytes, w.at); err != nil {
			return fmt.Errorf("writing journal: %w", err)
		}
		if !slices.Contains(touched, w.segment.file) {
			touched = append(touched, w.segment.file)
		}
	}
	if !durable.Synced(durable.PartJournal) {
		return nil
	}
	for _, f := range touched {
		if err := f.Sync(); err != nil {
			return fmt.Errorf("syncing journal: %w", err)
		}
	}
	return nil
}

// release frees the segments, the active one apart, whose facts are all adopted.
func (r *ring) release(adopted func(fact.LaneKey) uint64) (freed int) {
	for _, s := range r.segments {
		if s.generation == 0 || s == r.active || !s.over(adopted) {
			continue
		}
		s.generation, s.highest, s.used = 0, nil, true
		r.free = append(r.free, s)
		freed++
	}
	return freed
}

func (s *segment) over(adopted func(fact.LaneKey) uint64) bool {
	for key, seq := range s.highest {
		if adopted(key) < seq {
			return false
		}
	}
	return true
}

func (r *ring) close() error {
	r.flushMu.Lock()
	defer r.flushMu.Unlock()
	var errs []error
	for _, s := range r.segments {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}
