package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/cluster/journal/journaltest"
)

func TestJournal_KeepsFactsAndEpochAcrossReopen(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	for i := range 5 {
		require.Equal(t, uint64(i+1), record(t, j, fmt.Sprint(i)).Seq)
	}
	s, f := journaltest.Named("other").Fact(t, fact.Alerts, 9, 1, "theirs")
	fresh, err := j.Append(s, f)
	require.NoError(t, err)
	require.True(t, fresh)
	epoch := j.Epoch()
	require.NoError(t, j.Close())
	require.NoError(t, j.Close())
	_, err = tryWrite(t, j, "late")
	require.ErrorIs(t, err, ErrClosed)

	j = openJournal(t, o)
	require.Equal(t, epoch, j.Epoch())
	require.Equal(t, []string{"0", "1", "2", "3", "4"}, journaltest.Bodies(t, j, "self", epoch, 0))
	require.Equal(t, []string{"3", "4"}, journaltest.Bodies(t, j, "self", epoch, 3))
	require.Equal(t, []string{"theirs"}, journaltest.Bodies(t, j, "other", 9, 0))
	require.Equal(t, uint64(6), record(t, j, "5").Seq)

	anew := openJournal(t, smallRing(t, nil))
	require.Greater(t, anew.Epoch(), epoch)
}

func TestJournal_AcknowledgedFactSurvivesPowerCut(t *testing.T) {
	d := journaltest.NewDisk()
	o := smallRing(t, d)
	j := openJournal(t, o)
	record(t, j, "acknowledged")
	d.Crash()
	require.Equal(t, []string{"acknowledged"}, journaltest.Bodies(t, openJournal(t, o), "self", j.Epoch(), 0))
}

// The test above proves something only if it can fail.
func TestJournal_PowerCutTestFindsMissingSync(t *testing.T) {
	d := journaltest.NewDisk()
	d.SkipSyncs(true)
	o := smallRing(t, d)
	j := openJournal(t, o)
	record(t, j, "acknowledged")
	d.Crash()
	require.Empty(t, journaltest.Bodies(t, openJournal(t, o), "self", j.Epoch(), 0))
}

// The process dies between a write and its sync, comes back and counts the fact as its
// own; then the power fails.
func TestJournal_WhatWasFoundAtTheStartSurvivesPowerCut(t *testing.T) {
	d := journaltest.NewDisk()
	o := smallRing(t, d)
	d.SkipSyncs(true)
	j := openJournal(t, o)
	record(t, j, "written")
	d.SkipSyncs(false)
	require.Equal(t, []string{"written"}, journaltest.Bodies(t, openJournal(t, o), "self", j.Epoch(), 0))
	d.Crash()
	require.Equal(t, []string{"written"}, journaltest.Bodies(t, openJournal(t, o), "self", j.Epoch(), 0))
}

func TestJournal_CrashAtEveryByteOfTheTail(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	record(t, j, "first")
	record(t, j, "second")
	path := filepath.Join(o.Dir, "alerts-000.journal")
	before := mustRead(t, path)
	end := j.rings[fact.Alerts].active.end
	record(t, j, "third")
	whole := mustRead(t, path)
	last := j.rings[fact.Alerts].active.end
	epoch := j.Epoch()
	require.NoError(t, j.Close())
	for cut := end; cut <= last; cut++ {
		torn := append(append([]byte{}, whole[:cut]...), before[cut:]...)
		require.NoError(t, os.WriteFile(path, torn, 0o600))
		j, err := Open(o)
		require.NoError(t, err)
		require.Equal(t, epoch, j.Epoch(), "a torn tail loses nothing that was acknowledged")
		got := journaltest.Bodies(t, j, "self", epoch, 0)
		require.Equal(t, []string{"first", "second", "third"}[:len(got)], got)
		require.GreaterOrEqual(t, len(got), 2)
		require.Equal(t, uint64(len(got)+1), record(t, j, "next").Seq)
		require.NoError(t, j.Close())
		j, err = Open(o)
		require.NoError(t, err)
		require.Equal(t, append(got, "next"), journaltest.Bodies(t, j, "self", epoch, 0))
		require.NoError(t, j.Close())
	}
}

func TestJournal_LostDataInTheMiddleBeginsANewEpoch(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	record(t, j, "first")
	at := j.rings[fact.Alerts].active.end
	record(t, j, "second")
	record(t, j, "third")
	epoch := j.Epoch()
	require.NoError(t, j.Close())
	path := filepath.Join(o.Dir, "alerts-000.journal")
	b := mustRead(t, path)
	b[at+recordHeader+3] ^= 1
	require.NoError(t, os.WriteFile(path, b, 0o600))

	j = openJournal(t, o)
	require.Greater(t, j.Epoch(), epoch)
	require.Equal(t, []string{"first"}, journaltest.Bodies(t, j, "self", epoch, 0))
	require.Equal(t, uint64(1), record(t, j, "afresh").Seq)
}

func TestJournal_KnownFactIsNotWrittenTwice(t *testing.T) {
	j := openJournal(t, smallRing(t, nil))
	s, f := journaltest.Named("other").Fact(t, fact.Alerts, 9, 1, "once")
	_, err := j.Append(s, f)
	require.NoError(t, err)
	end := j.rings[fact.Alerts].active.end
	fresh, err := j.Append(s, f)
	require.NoError(t, err)
	require.False(t, fresh)
	require.Equal(t, end, j.rings[fact.Alerts].active.end)

	clone, g := journaltest.Named("other").Fact(t, fact.Alerts, 9, 1, "a clone of the origin")
	_, err = j.Append(clone, g)
	require.ErrorIs(t, err, ErrConflict)
	ahead, h := journaltest.Named("other").Fact(t, fact.Alerts, 9, maxAhead+10, "far")
	_, err = j.Append(ahead, h)
	require.ErrorIs(t, err, ErrTooFarAhead)
}

func TestJournal_GapIsNotCrossed(t *testing.T) {
	j := openJournal(t, smallRing(t, nil))
	for _, seq := range []uint64{3, 1, 5, 2} {
		s, f := journaltest.Named("other").Fact(t, fact.Alerts, 9, seq, fmt.Sprint(seq))
		_, err := j.Append(s, f)
		require.NoError(t, err)
	}
	require.Equal(t, uint64(3), j.High(fact.LaneKey{Origin: "other", Stream: fact.Alerts, Epoch: 9}))
	require.Equal(t, []string{"1", "2", "3"}, journaltest.Bodies(t, j, "other", 9, 0))
	require.False(t, j.Adopt(fact.LaneKey{Origin: "other", Stream: fact.Alerts, Epoch: 9}, 4))
	require.Equal(t, uint64(5), j.High(fact.LaneKey{Origin: "other", Stream: fact.Alerts, Epoch: 9}), "raft filled the gap")
}

func fillRing(t *testing.T, j *Journal) (n uint64) {
	for {
		_, err := tryWrite(t, j, strings.Repeat("x", 700))
		if err != nil {
			require.ErrorIs(t, err, ErrFull)
			return n
		}
		n++
	}
}

func TestJournal_FullRingRefusesUntilFactsAreAdopted(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	n := fillRing(t, j)
	require.GreaterOrEqual(t, n, uint64(12))
	mark := n / 2
	marks := func(string, fact.Stream, uint64) uint64 { return mark }
	require.Positive(t, j.Trim(marks))
	more := fillRing(t, j)
	require.Positive(t, more)
	require.Len(t, journaltest.Bodies(t, j, "self", j.Epoch(), mark), int(n+more-mark), "nothing that is not adopted was overwritten")

	epoch := j.Epoch()
	require.NoError(t, j.Close())
	j = openJournal(t, o)
	require.Equal(t, epoch, j.Epoch())
	j.Trim(marks)
	require.Len(t, journaltest.Bodies(t, j, "self", epoch, mark), int(n+more-mark))
	mark = n + more
	j.Trim(marks)
	require.Equal(t, mark+1, record(t, j, "on").Seq)
}

// goRound makes facts of another origin until every segment was used again.
func goRound(t *testing.T, j *Journal) {
	r := j.rings[fact.Alerts]
	for seq, turn := uint64(1), r.generation; r.generation <= turn+uint64(len(r.segments)); seq++ {
		s, f := journaltest.Named("other").Fact(t, fact.Alerts, 9, seq, strings.Repeat("y", 700))
		_, err := j.Append(s, f)
		require.NoError(t, err)
		j.Trim(func(origin string, _ fact.Stream, _ uint64) uint64 {
			return map[string]uint64{"other": seq, "self": 3}[origin]
		})
	}
}

func TestJournal_SequenceGoesOnWhenEveryRecordIsGone(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	for range 3 {
		record(t, j, "ours")
	}
	epoch := j.Epoch()
	goRound(t, j)
	require.NoError(t, j.Close())
	j = openJournal(t, o)
	require.Equal(t, epoch, j.Epoch())
	require.Equal(t, uint64(4), record(t, j, "on").Seq)
}

func TestJournal_OldContentOfAReusedSegmentIsNoFact(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	goRound(t, j)
	for j.rings[fact.Alerts].active.end > headerBytes+2*recordBytes(900) { // old records lie right behind
		goRound(t, j)
	}
	end, lanes := j.rings[fact.Alerts].active.end, len(j.rings[fact.Alerts].active.highest)
	require.NoError(t, j.Close())
	j = openJournal(t, o)
	require.Equal(t, end, j.rings[fact.Alerts].active.end)
	require.Len(t, j.rings[fact.Alerts].active.highest, lanes)
}

func TestJournal_OthersLeaveRoomForOwnFacts(t *testing.T) {
	j := openJournal(t, smallRing(t, nil))
	var err error
	for seq := uint64(1); err == nil; seq++ {
		s, f := journaltest.Named("other").Fact(t, fact.Alerts, 9, seq, strings.Repeat("x", 700))
		_, err = j.Append(s, f)
	}
	require.ErrorIs(t, err, ErrFull)
	for range 3 {
		record(t, j, strings.Repeat("!", 700))
	}
}

func TestJournal_ConcurrentAppendsShareSyncs(t *testing.T) {
	d := journaltest.NewDisk()
	release := d.HoldSyncs()
	j := openJournal(t, smallRing(t, d))
	const n = 20
	var wg sync.WaitGroup
	started := make(chan struct{}, n)
	for i := range n {
		wg.Go(func() {
			started <- struct{}{}
			record(t, j, fmt.Sprint(i))
		})
	}
	for range n {
		<-started
	}
	placed := func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.next[fact.Alerts] == n+1
	}
	require.Eventually(t, placed, 5*time.Second, time.Millisecond)
	release()
	wg.Wait()
	require.LessOrEqual(t, d.Syncs(), 3, "one flush was under way and the others shared the next")
	require.Len(t, journaltest.Bodies(t, j, "self", j.Epoch(), 0), n)
}

func TestJournal_TellsOfAFlushThatDoesNotReturn(t *testing.T) {
	d := journaltest.NewDisk()
	j := openJournal(t, smallRing(t, d))
	record(t, j, "soon")
	require.Zero(t, j.Stalled())
	letGo := d.HoldSyncs()
	t.Cleanup(letGo) // the journal's end waits for the flush
	done := make(chan struct{})
	go func() {
		defer close(done)
		record(t, j, "late")
	}()
	require.Eventually(t, func() bool { return j.Stalled() > 20*time.Millisecond }, 5*time.Second, time.Millisecond)
	letGo()
	<-done
	require.Zero(t, j.Stalled())
}

// Oldest is asked while facts are adopted one after the other.
func TestJournal_KnowsTheOldestWhileOthersAreAdopted(t *testing.T) {
	o := smallRing(t, journaltest.NewDisk())
	o.AlertsBytes, o.SegmentBytes = 1<<20, 256<<10
	j := openJournal(t, o)
	const n = 500
	for i := range n {
		record(t, j, fmt.Sprint(i))
	}
	key := fact.LaneKey{Origin: "self", Stream: fact.Alerts, Epoch: j.Epoch()}
	adopted := make(chan struct{})
	go func() {
		defer close(adopted)
		for seq := range uint64(n - 1) {
			j.Adopt(key, seq+1)
		}
	}()
	for done := false; !done; {
		_, ok := j.Oldest(fact.Alerts)
		require.True(t, ok, "one is left to the end")
		select {
		case <-adopted:
			done = true
		default:
		}
	}
	j.Adopt(key, n)
	_, ok := j.Oldest(fact.Alerts)
	require.False(t, ok)
}

// Whether an alert waits decides whether receipts may go: one that is still there must not
// be overlooked because others were adopted between the two looks.
func TestJournal_FindsTheOldestWhileOthersAreAdopted(t *testing.T) {
	left, _ := journaltest.Named("self").Fact(t, fact.Alerts, 1, 3, "left")
	bases := []uint64{0, 1, 2, 2}
	base := func() uint64 { now := bases[0]; bases = bases[1:]; return now }
	found, ok := firstAbove(base, func(base uint64) ([]fact.Signed, error) {
		switch base {
		case 0: // adopted and trimmed since
			return nil, nil
		case 1:
			return nil, errors.New("its segment was given to others")
		}
		return []fact.Signed{left}, nil
	})
	require.True(t, ok)
	require.Equal(t, left, found)
	_, ok = firstAbove(func() uint64 { return 7 }, func(uint64) ([]fact.Signed, error) { return nil, nil })
	require.False(t, ok)
}

func TestJournal_FailedSyncIsNeverBelievedAgain(t *testing.T) {
	d := journaltest.NewDisk()
	o := smallRing(t, d)
	j := openJournal(t, o)
	record(t, j, "good")
	broken := errors.New("input/output error")
	d.FailSyncs(broken)
	_, err := tryWrite(t, j, "lost")
	require.ErrorIs(t, err, broken)
	d.FailSyncs(nil) // the kernel has dropped the page and reports nothing any more
	_, err = tryWrite(t, j, "too late")
	require.Error(t, err)
	require.Equal(t, []string{"good"}, journaltest.Bodies(t, j, "self", j.Epoch(), 0))

	require.NoError(t, j.KeepOwn(fact.Alerts, func(epoch, seq uint64) (fact.Signed, fact.Fact, error) {
		require.NotEqual(t, j.Epoch(), epoch, "no number of an epoch on disk is given to what is not on disk")
		s, f := journaltest.Named("self").Fact(t, fact.Alerts, epoch, seq, "in memory")
		return s, f, nil
	}))
	require.Equal(t, []string{"in memory"}, journaltest.Bodies(t, j, "self", j.spare, 0))
}

func TestJournal_FoldsToTheSameInAnyOrder(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		j := openJournal(t, smallRing(t, nil))
		var seqs []uint64
		for seq := range uint64(12) {
			for range 1 + r.IntN(3) {
				seqs = append(seqs, seq+1)
			}
		}
		r.Shuffle(len(seqs), func(a, b int) { seqs[a], seqs[b] = seqs[b], seqs[a] })
		fresh := 0
		for _, seq := range seqs {
			s, f := journaltest.Named("other").Fact(t, fact.Alerts, 9, seq, fmt.Sprint(seq))
			is, err := j.Append(s, f)
			require.NoError(t, err)
			if is {
				fresh++
			}
		}
		require.Equal(t, 12, fresh)
		require.Len(t, journaltest.Bodies(t, j, "other", 9, 0), 12)
		require.NoError(t, j.Close())
	}
}

func FuzzSegment(f *testing.F) {
	s, _ := journaltest.Named("self").Fact(f, fact.Alerts, 1, 1, "seed")
	payload, err := s.Encode()
	require.NoError(f, err)
	h := header{Generation: 1, Epoch: 1, Stream: fact.Alerts}
	f.Add(appendRecord(h.encode(), 1, payload))
	f.Add(appendRecord(appendRecord(h.encode(), 1, payload), 2, payload))
	f.Add(h.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := journaltest.NewDisk()
		o := smallRing(t, d)
		first := d.Open(filepath.Join(o.Dir, "alerts-000.journal"), o.SegmentBytes)
		_, err := first.WriteAt(b[:min(int64(len(b)), o.SegmentBytes)], 0)
		require.NoError(t, err)
		j, err := Open(o)
		require.NoError(t, err)
		for _, l := range j.Vector() {
			_, err := j.After(l.Origin, l.Stream, l.Epoch, 0, 10)
			require.NoError(t, err)
		}
		require.NoError(t, j.Close())
	})
}
