package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"almenara/cluster/fact"
)

// What Append and the journal's other methods refuse.
var (
	// ErrFull: every segment holds facts that are not adopted yet. Facts that
	// are not adopted are never overwritten.
	ErrFull = errors.New("journal is full of facts that are not adopted")
	// ErrTooLarge: a fact over 512 KiB or over a segment.
	ErrTooLarge = errors.New("fact is too large")
	// ErrConflict: the place in the origin's stream is taken by another fact: the
	// origin was cloned, or its key is in wrong hands. The first one stays.
	ErrConflict = errors.New("another fact has this sequence number")
	// ErrTooFarAhead: the fact is far beyond a gap; it is taken when the gap is filled.
	ErrTooFarAhead = errors.New("fact is too far ahead of a gap")
	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("journal is closed")
)

// Bounds of what one answer of a journal holds, and of how many lanes it has.
const (
	MaxLanes  = 4096    // streams of origins and epochs; facts of one more are refused
	PageFacts = 64      // facts that travel at once
	PageBytes = 1 << 20 // of their canonical bytes, about
)

const (
	maxAhead       = 4096 // facts above a gap, per lane
	maxMemory      = 1024 // facts kept in memory for want of a disk
	defaultSegment = 4 << 20
	minSegments    = 4
)

// Options says where the journal is and how large it may be.
type Options struct {
	Dir           string // made when missing
	Origin        string // this node's server id
	AlertsBytes   int64  // preallocated for the Alerts stream; zero means 64 MiB
	ReceiptsBytes int64  // preallocated for the Receipts stream; zero means 256 MiB
	SegmentBytes  int64  // of one file; zero means 4 MiB
	Logger        *slog.Logger
	Clock         func() time.Time // the time of day, for a new epoch; nil is the machine's
	// Open opens the file at path, made with size bytes of zeros where there is none; nil
	// opens it on this disk.
	Open func(path string, size int64) (File, error)
}

// Journal keeps facts on this disk until the state machine has them. Each stream
// has its own ring of preallocated segments, so that receipts never take the room
// or wait in the way of alerts. Methods may be called from any goroutine.
//
// After a crash every fact whose Append returned nil is there; others may be. The
// node's own sequence numbers go on without a gap in the same epoch, or in a new
// epoch when anything was lost or the journal is new.
type Journal struct {
	options Options
	epoch   uint64
	rings   map[fact.Stream]*ring
	opened  time.Time

	mu       sync.Mutex // everything below, and rings but for their files
	lanes    map[fact.LaneKey]*lane
	next     map[fact.Stream]uint64 // the node's own next sequence number in epoch
	spare    uint64                 // epoch of own facts that are in memory only; 0 until needed
	spareSeq map[fact.Stream]uint64
	inMemory int
	closed   bool

	arrived func(fact.Fact, fact.Signed) // with flushMu of its ring held
}

// OnArrival sets what is called for every fact that became durable, or is in memory for
// want of a disk, in order of its batch and never twice at a time for one stream. It must
// not append to the journal. It is called once, before the journal is used.
func (j *Journal) OnArrival(fn func(fact.Fact, fact.Signed)) { j.arrived = fn }

// Epoch is the epoch of this node's own facts.
func (j *Journal) Epoch() uint64 { return j.epoch }

// Stalled is how long the flush that is running has been running; zero when none is. Who
// waits for it is not answered: a disk that stalls must end the process, as for the raft
// log.
func (j *Journal) Stalled() (longest time.Duration) {
	for _, r := range j.rings {
		if since := r.flushes.Load(); since > 0 {
			longest = max(longest, time.Since(j.opened)-time.Duration(since))
		}
	}
	return longest
}

// Append makes a fact of any origin durable: on a nil error it is on this disk, or
// it is in the state machine already. fresh says that it was not known before. The
// caller has verified the signature and that f is what s says.
func (j *Journal) Append(s fact.Signed, f fact.Fact) (fresh bool, err error) {
	if f.Seq == 0 || j.rings[f.Stream] == nil {
		return false, fmt.Errorf("journaling fact: stream %d, sequence number %d", f.Stream, f.Seq)
	}
	payload, err := s.Encode()
	if err != nil {
		return false, fmt.Errorf("encoding fact: %w", err)
	}
	id := s.ID()
	j.mu.Lock()
	known, b, err := j.known(f, id)
	if known || err != nil {
		j.mu.Unlock()
		return false, j.settled(b, err)
	}
	b, leader, err := j.enqueue(f, s, payload, id, f.Origin == j.options.Origin)
	j.mu.Unlock()
	if err != nil {
		return false, err
	}
	return true, j.commit(j.rings[f.Stream], b, leader)
}

// known says whether f is journaled, or being journaled with b, or adopted.
func (j *Journal) known(f fact.Fact, id fact.ID) (known bool, b *batch, err error) {
	if j.closed {
		return false, nil, ErrClosed
	}
	l, err := j.lane(f.Lane())
	if err != nil {
		return false, nil, err
	}
	if e, ok := l.entries[f.Seq]; ok {
		if e.id != id {
			return false, nil, fmt.Errorf("%w: %s %d of %s", ErrConflict, e.id, f.Seq, f.Origin)
		}
		return true, e.batch, nil
	}
	if f.Seq <= l.base {
		return true, nil, nil
	}
	if f.Seq > l.high+maxAhead {
		return false, nil, ErrTooFarAhead
	}
	return false, nil, nil
}

func (j *Journal) settled(b *batch, err error) error {
	if b == nil || err != nil {
		return err
	}
	<-b.done
	return b.err
}

func (j *Journal) lane(key fact.LaneKey) (*lane, error) {
	l := j.lanes[key]
	if l != nil {
		return l, nil
	}
	if len(j.lanes) >= MaxLanes {
		return nil, errors.New("too many origins and epochs")
	}
	l = &lane{entries: map[uint64]*entry{}}
	j.lanes[key] = l
	return l, nil
}

// Sign makes the fact of this node that has the place in its stream. It is called with the
// journal's lock held, so that the number and the place agree; on an error of its own
// nothing was recorded, and the number goes to the next.
type Sign func(epoch, seq uint64) (fact.Signed, fact.Fact, error)

// AppendOwn gives the next sequence number of the stream to the fact that sign makes, and
// makes it durable: on a nil error it is on this disk. It is in no lane before that: when
// the disk fails, nobody has seen the number, and this epoch ends.
func (j *Journal) AppendOwn(stream fact.Stream, sign Sign) error {
	r := j.rings[stream]
	if r == nil {
		return fmt.Errorf("journaling fact: stream %d", stream)
	}
	j.mu.Lock()
	b, leader, err := j.enqueueOwn(r, stream, sign)
	j.mu.Unlock()
	if err != nil {
		return err
	}
	return j.commit(r, b, leader)
}

func (j *Journal) enqueueOwn(r *ring, stream fact.Stream, sign Sign) (*batch, bool, error) {
	if j.closed {
		return nil, false, ErrClosed
	}
	if r.broken != nil {
		return nil, false, r.broken
	}
	s, f, err := sign(j.epoch, j.next[stream])
	if err != nil {
		return nil, false, err
	}
	payload, err := s.Encode()
	if err != nil {
		return nil, false, fmt.Errorf("encoding fact: %w", err)
	}
	if _, err := j.lane(f.Lane()); err != nil {
		return nil, false, err
	}
	return j.enqueue(f, s, payload, s.ID(), true)
}

func (j *Journal) enqueue(f fact.Fact, s fact.Signed, payload []byte, id fact.ID, own bool) (*batch, bool, error) {
	floor := j.next[f.Stream] - 1
	e, b, leader, err := j.rings[f.Stream].place(payload, own, header{Epoch: j.epoch, Floor: floor})
	if err != nil {
		return nil, false, err
	}
	e.id = id
	b.arrived = append(b.arrived, arrival{f, s, e})
	e.segment.highest[f.Lane()] = max(e.segment.highest[f.Lane()], f.Seq)
	j.lanes[f.Lane()].entries[f.Seq] = e
	if f.Origin == j.options.Origin && f.Epoch == j.epoch { // one of ours that came back from a peer counts too
		j.next[f.Stream] = max(j.next[f.Stream], f.Seq+1)
	}
	return b, leader, nil
}

// commit returns when b is durable: its maker flushes it, as soon as the flush
// before it has ended; whoever came meanwhile shares it.
func (j *Journal) commit(r *ring, b *batch, leader bool) error {
	if !leader {
		<-b.done
		return b.err
	}
	r.flushMu.Lock()
	defer r.flushMu.Unlock()
	j.mu.Lock()
	r.pending = nil // from here on the batch is ours
	err := r.broken
	j.mu.Unlock()
	if err == nil {
		r.flushes.Store(max(1, int64(time.Since(j.opened))))
		err = b.store()
		r.flushes.Store(0)
	}
	j.land(r, b, err)
	b.err = err
	close(b.done)
	return err
}

// land enters a flushed batch into the lanes and tells of its facts.
func (j *Journal) land(r *ring, b *batch, err error) {
	j.mu.Lock()
	if err != nil && r.broken == nil {
		r.broken = err
		j.options.Logger.Error("journal takes no more facts", "error", err)
	}
	var tell []arrival
	for _, a := range b.arrived {
		l := j.lanes[a.fact.Lane()]
		a.entry.batch = nil
		if err != nil || a.fact.Seq <= l.base {
			delete(l.entries, a.fact.Seq)
		}
		if err == nil || a.fact.Seq <= l.base { // adopted meanwhile: durable all the same
			tell = append(tell, a)
		}
		l.climb()
	}
	j.mu.Unlock()
	for _, a := range tell {
		j.arrived(a.fact, a.signed)
	}
}

// Close waits for the flushes under way and closes the files.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	pending := []*batch{j.rings[fact.Alerts].pending, j.rings[fact.Receipts].pending}
	j.mu.Unlock()
	for _, b := range pending {
		if b != nil {
			<-b.done
		}
	}
	return errors.Join(j.rings[fact.Alerts].close(), j.rings[fact.Receipts].close())
}
