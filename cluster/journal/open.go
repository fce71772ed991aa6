package journal

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"almenara/cluster/fact"
	"almenara/storage/durable"
)

const epochFile = "epoch"

// Open opens the journal in options.Dir, or makes it. A torn tail is cut
// off. Lost data in the middle is logged and begins a new epoch; what can still be
// read stays.
func Open(options Options) (*Journal, error) {
	o := options.withDefaults()
	j := &Journal{
		opened:  time.Now(),
		options: o, rings: map[fact.Stream]*ring{}, lanes: map[fact.LaneKey]*lane{},
		next: map[fact.Stream]uint64{fact.Alerts: 1, fact.Receipts: 1}, spareSeq: map[fact.Stream]uint64{},
		arrived: func(fact.Fact, fact.Signed) {},
	}
	if err := durable.MkdirAll(o.Dir); err != nil {
		return nil, fmt.Errorf("making journal: %w", err)
	}
	known, err := readEpoch(filepath.Join(o.Dir, epochFile))
	if err != nil {
		return nil, err
	}
	j.epoch = known
	damaged := false
	for stream, name := range map[fact.Stream]string{fact.Alerts: "alerts", fact.Receipts: "receipts"} {
		d, err := j.openRing(stream, name)
		if err != nil {
			return nil, errors.Join(err, j.closeRings())
		}
		damaged = damaged || d
	}
	if known == 0 || damaged {
		if err := j.begin(); err != nil {
			return nil, errors.Join(err, j.closeRings())
		}
	}
	for _, l := range j.lanes {
		l.climb()
	}
	return j, nil
}

func (o Options) withDefaults() Options {
	if o.AlertsBytes == 0 {
		o.AlertsBytes = 64 << 20
	}
	if o.ReceiptsBytes == 0 {
		o.ReceiptsBytes = 256 << 20
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegment
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Open == nil {
		o.Open = openFile
	}
	return o
}

func (j *Journal) closeRings() error {
	var errs []error
	for _, r := range j.rings {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

// begin starts a new epoch, above the last one known.
func (j *Journal) begin() error {
	j.epoch = newEpoch(j.options.Clock(), j.epoch)
	j.next = map[fact.Stream]uint64{fact.Alerts: 1, fact.Receipts: 1}
	b := binary.LittleEndian.AppendUint64(nil, j.epoch)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return durable.WriteFile(filepath.Join(j.options.Dir, epochFile), b)
}

// readEpoch returns 0 for a file that is missing or cannot be read as one.
func readEpoch(path string) (uint64, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading epoch: %w", err)
	}
	if len(b) != 12 || crc32.Checksum(b[:8], castagnoli) != binary.LittleEndian.Uint32(b[8:]) {
		return 0, nil
	}
	return binary.LittleEndian.Uint64(b), nil
}

// newEpoch is the wall clock with 16 random bits, and above last: a box whose
// clock was reset still gets one that was never used.
func newEpoch(now time.Time, last uint64) uint64 {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	epoch := uint64(now.UnixMilli())<<16 | uint64(binary.LittleEndian.Uint16(b[:]))
	return max(epoch, last+1)
}

func (j *Journal) openRing(stream fact.Stream, name string) (damaged bool, err error) {
	total := j.options.AlertsBytes
	if stream == fact.Receipts {
		total = j.options.ReceiptsBytes
	}
	r := &ring{stream: stream, size: j.options.SegmentBytes}
	j.rings[stream] = r
	var used []*segment
	floors := map[*segment]header{}
	for i := range max(minSegments, int(total/j.options.SegmentBytes)) {
		path := filepath.Join(j.options.Dir, fmt.Sprintf("%s-%03d.journal", name, i))
		f, err := j.options.Open(path, r.size)
		if err != nil {
			return false, err
		}
		s := &segment{file: f}
		r.segments = append(r.segments, s)
		h, ok, empty, err := readHeader(f, stream)
		if err != nil {
			return false, err
		}
		if !ok {
			s.used = !empty
			r.free = append(r.free, s)
			continue
		}
		s.generation, floors[s] = h.Generation, h
		used = append(used, s)
	}
	slices.SortFunc(used, func(a, b *segment) int { return cmp.Compare(a.generation, b.generation) })
	for _, s := range used {
		// The process before this one may have died between a write and its sync: what is
		// read here counts as durable, so it has to be.
		if err := s.file.Sync(); err != nil {
			return false, fmt.Errorf("syncing segment: %w", err)
		}
		d, err := j.load(r, s, floors[s])
		if err != nil {
			return false, err
		}
		damaged = damaged || d
		r.active, r.generation = s, s.generation
	}
	return damaged, nil
}

// readHeader reads how a segment begins; empty says with zeros.
func readHeader(f File, stream fact.Stream) (h header, ok, empty bool, err error) {
	b := make([]byte, headerBytes)
	if _, err := f.ReadAt(b, 0); err != nil {
		return header{}, false, false, fmt.Errorf("reading segment: %w", err)
	}
	h, ok = decodeHeader(b, stream)
	return h, ok, bytes.Equal(b, make([]byte, headerBytes)), nil
}

// load enters a segment's facts into the lanes.
func (j *Journal) load(r *ring, s *segment, h header) (damaged bool, err error) {
	content := make([]byte, r.size)
	if _, err := s.file.ReadAt(content, 0); err != nil {
		return false, fmt.Errorf("reading segment: %w", err)
	}
	s.highest = map[fact.LaneKey]uint64{}
	if h.Epoch == j.epoch {
		j.next[r.stream] = max(j.next[r.stream], h.Floor+1)
	}
	unreadable := 0
	s.end, damaged = scan(content, h.Generation, func(at int64, payload []byte) {
		if !j.index(s, at, payload) {
			unreadable++
		}
	})
	if damaged || unreadable > 0 {
		j.options.Logger.Error("journal has lost facts", "generation", h.Generation, "offset", s.end, "unreadable", unreadable)
	}
	return damaged || unreadable > 0, nil
}

func (j *Journal) index(s *segment, at int64, payload []byte) bool {
	signed, err := fact.DecodeSigned(payload)
	if err != nil {
		return false
	}
	f, err := signed.Fact()
	if err != nil || f.Seq == 0 {
		return false
	}
	l, err := j.lane(f.Lane())
	if err != nil {
		return false
	}
	s.highest[f.Lane()] = max(s.highest[f.Lane()], f.Seq)
	l.entries[f.Seq] = &entry{id: signed.ID(), segment: s, generation: s.generation, at: at, length: len(payload)}
	if f.Origin == j.options.Origin && f.Epoch == j.epoch {
		j.next[f.Stream] = max(j.next[f.Stream], f.Seq+1)
	}
	return true
}
