package journal

import (
	"context"
	"errors"
	"fmt"

	"almenara/cluster/fact"
)

// ErrRotten is returned by Verify: a fact that was on this disk cannot be read back.
var ErrRotten = errors.New("journal does not hold what was written")

// Verify reads every fact that the journal holds and checks it against its checksum.
// It may be called at any time; facts that are written or trimmed meanwhile are left out.
// It ends with ctx's error when ctx does.
func (j *Journal) Verify(ctx context.Context) error {
	for _, l := range j.Vector() {
		if err := j.verifyLane(ctx, l.Key()); err != nil {
			return fmt.Errorf("verifying facts of %s: %w", l.Origin, err)
		}
	}
	return nil
}

func (j *Journal) verifyLane(ctx context.Context, key fact.LaneKey) error {
	for seq, e := range j.durable(key) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		_, ok, err := e.read()
		if ok && err == nil || !j.still(key, seq, e) {
			continue
		}
		return fmt.Errorf("%w: fact %d: %w", ErrRotten, seq, errors.Join(err, errRecord))
	}
	return nil
}

var errRecord = errors.New("its record is damaged")

// durable copies the lane's entries that are on disk.
func (j *Journal) durable(key fact.LaneKey) map[uint64]entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := map[uint64]entry{}
	if l := j.lanes[key]; l != nil && !j.closed {
		for seq, e := range l.entries {
			if e.batch == nil && e.memory == nil {
				out[seq] = *e
			}
		}
	}
	return out
}

// still says that the entry is where it was: its segment was not given to others.
func (j *Journal) still(key fact.LaneKey, seq uint64, was entry) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.lanes[key]
	if l == nil || j.closed {
		return false
	}
	e, ok := l.entries[seq]
	return ok && e.at == was.at && e.segment == was.segment && e.generation == was.segment.generation
}
