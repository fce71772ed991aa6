package receipt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/alert"
)

const tallyVersion = 1

// MarshalBinary writes the whole tally. Equal states give equal bytes with one
// version of the bitmap library, however the states came about: fit for a state
// hash and a checkpoint.
//
// The layout is a version byte, then to the end alerts, ascending:
//
//	alert (26 letters), number of revisions, each: revision, rungs as a bit set,
//	  for each of them the length of a portable roaring bitmap, and the bitmap;
//	number of answers, each: member, revision, time (units of Resolution), length, UTF-8
func (t *Tally) MarshalBinary() ([]byte, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := []byte{tallyVersion}
	var err error
	for _, id := range slices.Sorted(maps.Keys(t.alerts)) {
		out = append(out, id...)
		if out, err = t.alerts[id].append(out); err != nil {
			return nil, fmt.Errorf("encoding tally of alert %s: %w", id, err)
		}
	}
	return out, nil
}

func (s *sheet) append(out []byte) (_ []byte, err error) {
	out = binary.AppendUvarint(out, uint64(len(s.ladders)))
	for _, rev := range slices.Sorted(maps.Keys(s.ladders)) {
		out = binary.AppendUvarint(out, uint64(rev))
		if out, err = s.ladders[rev].append(out); err != nil {
			return nil, err
		}
	}
	out = binary.AppendUvarint(out, uint64(len(s.answers)))
	for _, a := range s.sortedAnswers() {
		out = binary.AppendUvarint(out, uint64(a.Member))
		out = binary.AppendUvarint(out, uint64(a.Revision))
		out = binary.AppendUvarint(out, uint64(tickOf(a.At)))
		out = append(out, byte(len(a.Text)))
		out = append(out, a.Text...)
	}
	return out, nil
}

func (l *ladder) append(out []byte) ([]byte, error) {
	rungs := uint64(0)
	for r, members := range l {
		if members != nil {
			rungs |= 1 << r
		}
	}
	out = binary.AppendUvarint(out, rungs)
	for _, members := range l {
		if members == nil {
			continue
		}
		raw, err := canonical(members).ToBytes()
		if err != nil {
			return nil, fmt.Errorf("encoding bitmap: %w", err)
		}
		out = binary.AppendUvarint(out, uint64(len(raw)))
		out = append(out, raw...)
	}
	return out, nil
}

// canonical builds the bitmap anew in ascending order: the containers of a bitmap
// remember how it came about.
func canonical(members *roaring.Bitmap) *roaring.Bitmap {
	out := roaring.New()
	buf := make([]uint32, 4096)
	for it := members.ManyIterator(); ; {
		n := it.NextMany(buf)
		if n == 0 {
			break
		}
		out.AddMany(buf[:n])
	}
	out.RunOptimize()
	return out
}

// UnmarshalBinary replaces the tally by what MarshalBinary wrote. On an error,
// which wraps ErrMalformed, the tally is as before. It keeps nothing of b.
func (t *Tally) UnmarshalBinary(b []byte) error {
	r := &reader{rest: b}
	if r.byte() != tallyVersion {
		r.fail("unknown version")
	}
	loaded := NewTally()
	var last alert.ID
	for r.err == nil && len(r.rest) > 0 {
		id := r.alert()
		if id <= last {
			r.fail("alerts are not in order")
		}
		last = id
		r.sheet(loaded.sheet(id))
	}
	if r.err != nil {
		return fmt.Errorf("decoding tally at byte %d: %w", len(b)-len(r.rest), r.err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.alerts = loaded.alerts
	return nil
}

func (r *reader) sheet(s *sheet) {
	revisions := r.upTo(math.MaxInt32, "number of revisions")
	for i := uint64(0); i < revisions && r.err == nil; i++ {
		rev := alert.Revision(r.uvarint())
		if _, twice := s.ladders[rev]; twice {
			r.fail("revision comes twice")
		}
		s.ladders[rev] = r.ladder()
	}
	answers := r.upTo(math.MaxUint32, "number of answers")
	for i := uint64(0); i < answers && r.err == nil; i++ {
		a := Answer{
			Member:   uint32(r.upTo(math.MaxUint32, "member")),
			Revision: alert.Revision(r.uvarint()),
			At:       timeOf(int64(r.upTo(maxTick, "time"))),
			Text:     r.text(MaxAnswer),
		}
		if _, twice := s.answers[a.Member]; twice || a.Text == "" {
			r.fail("answer is empty or comes twice")
		}
		s.answers[a.Member] = a
	}
}

func (r *reader) ladder() *ladder {
	l := new(ladder)
	rungs := r.uvarint()
	if rungs == 0 || rungs&^(1<<(Refused+1)-1<<Queued) != 0 {
		r.fail("rung does not exist")
	}
	for rung := Queued; rung <= Refused && r.err == nil; rung++ {
		if rungs&(1<<rung) != 0 {
			l[rung] = r.members()
		}
	}
	return l
}

// members reads one bitmap into memory of its own, and checks it: the library
// reads bitmaps that break it later.
func (r *reader) members() *roaring.Bitmap {
	raw := r.bytes(int(r.upTo(uint64(len(r.rest)), "length of bitmap")))
	if r.err != nil {
		return nil
	}
	members := roaring.New()
	n, err := members.ReadFrom(bytes.NewReader(raw))
	if err == nil {
		err = members.Validate()
	}
	if err != nil {
		r.fail("bitmap: " + err.Error())
		return nil
	}
	if int(n) != len(raw) || members.IsEmpty() {
		r.fail("bitmap is empty or has a tail")
		return nil
	}
	return members
}
