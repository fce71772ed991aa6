package journal

import (
	"fmt"
	"slices"

	"almenara/cluster/fact"
)

// After returns facts of one lane above seq, in order and without a gap, at most
// count and about 1 MiB; none when the next one is not in the journal, because it
// has not come yet or was trimmed.
func (j *Journal) After(origin string, stream fact.Stream, epoch, seq uint64, count int) ([]fact.Signed, error) {
	entries := j.entriesAfter(fact.LaneKey{Origin: origin, Stream: stream, Epoch: epoch}, seq, count)
	facts := make([]fact.Signed, 0, len(entries))
	for _, e := range entries {
		payload, ok, err := e.read()
		if err != nil {
			return facts, err
		}
		if !ok {
			break // its segment was given to others meanwhile: it is adopted
		}
		s, err := fact.DecodeSigned(payload)
		if err != nil {
			return facts, err
		}
		facts = append(facts, s)
	}
	return facts, nil
}

func (j *Journal) entriesAfter(key fact.LaneKey, seq uint64, count int) []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.lanes[key]
	if l == nil || j.closed {
		return nil
	}
	var entries []entry
	for bytes := 0; len(entries) < count && seq < l.high; {
		seq++
		e, ok := l.entries[seq]
		if !ok {
			break
		}
		if bytes += e.length; bytes > PageBytes && len(entries) > 0 {
			break
		}
		entries = append(entries, *e)
	}
	return entries
}

// read returns false when the segment has been reused.
func (e entry) read() ([]byte, bool, error) {
	if e.memory != nil {
		return e.memory, true, nil
	}
	b := make([]byte, recordHeader+e.length)
	if _, err := e.segment.file.ReadAt(b, e.at); err != nil {
		return nil, false, fmt.Errorf("reading journal: %w", err)
	}
	payload, ok := decodeRecord(b, e.generation)
	return payload, ok, nil
}

// Vector says how far this node has every stream it knows of, in a fixed order.
func (j *Journal) Vector() []fact.Lane {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := make([]fact.Lane, 0, len(j.lanes))
	for k, l := range j.lanes {
		v = append(v, fact.Lane{Origin: k.Origin, Stream: k.Stream, Epoch: k.Epoch, High: l.high})
	}
	slices.SortFunc(v, fact.CompareLanes)
	return v
}

// Trim asks marks how far the state machine has each lane, durably, and frees the
// segments whose facts it has altogether. It returns how many. marks is called
// without a lock held.
func (j *Journal) Trim(marks func(origin string, stream fact.Stream, epoch uint64) uint64) int {
	for _, lane := range j.Vector() {
		j.Adopt(lane.Key(), marks(lane.Origin, lane.Stream, lane.Epoch))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	adopted := func(k fact.LaneKey) uint64 { return j.lanes[k].base }
	return j.rings[fact.Alerts].release(adopted) + j.rings[fact.Receipts].release(adopted)
}

// Adopt notes that the state machine has the lane up to seq, and says whether the
// journal holds that fact. That the state machine is known to have it says nothing of
// it: its mark is on disk, and read by others, before it reports the fact.
func (j *Journal) Adopt(key fact.LaneKey, seq uint64) (had bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq == 0 {
		return true
	}
	l, err := j.lane(key)
	if err != nil {
		return false
	}
	_, had = l.entries[seq]
	j.inMemory -= l.adopt(seq)
	if key.Origin == j.options.Origin && key.Epoch == j.epoch {
		j.next[key.Stream] = max(j.next[key.Stream], seq+1)
	}
	return had
}

// Adopted is how far the lane is known to be adopted; 0 for one that is not known.
func (j *Journal) Adopted(key fact.LaneKey) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.lanes[key]; l != nil {
		return l.base
	}
	return 0
}

// High is how far the lane is here without a gap; 0 for one that is not known.
func (j *Journal) High(key fact.LaneKey) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.lanes[key]; l != nil {
		return l.high
	}
	return 0
}

// Usage is the bytes of one stream's segments that hold facts, and of all of them.
func (j *Journal) Usage(stream fact.Stream) (used, total int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.rings[stream]
	if r == nil {
		return 0, 0
	}
	return int64(len(r.segments)-len(r.free)) * r.size, int64(len(r.segments)) * r.size
}

// Oldest is the hybrid time of the oldest fact of a stream that this node has and that
// is not adopted; false when there is none, or it cannot be read.
func (j *Journal) Oldest(stream fact.Stream) (hlc uint64, ok bool) {
	for _, l := range j.Vector() {
		if l.Stream != stream {
			continue
		}
		s, waits := j.first(l.Key())
		if f, err := s.Fact(); waits && err == nil && (!ok || f.HLC < hlc) {
			hlc, ok = f.HLC, true
		}
	}
	return hlc, ok
}

// first reads the first fact of the lane that is not adopted.
func (j *Journal) first(key fact.LaneKey) (s fact.Signed, ok bool) {
	return firstAbove(func() uint64 { return j.Adopted(key) }, func(base uint64) ([]fact.Signed, error) {
		return j.After(key.Origin, key.Stream, key.Epoch, base, 1)
	})
}

// firstAbove reads the first fact above the base, which may move meanwhile, and what was
// above it be gone.
func firstAbove(base func() uint64, after func(uint64) ([]fact.Signed, error)) (s fact.Signed, ok bool) {
	for was := base(); ; {
		facts, err := after(was)
		if err == nil && len(facts) > 0 {
			return facts[0], true
		}
		now := base()
		if now == was {
			return s, false
		}
		was = now
	}
}
