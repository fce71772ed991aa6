package receipt

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

func tallyOf(rs ...Receipt) *Tally {
	t := NewTally()
	t.Add(Block{Receipts: rs})
	return t
}

func state(t testing.TB, tally *Tally) []byte {
	t.Helper()
	raw, err := tally.MarshalBinary()
	require.NoError(t, err)
	return raw
}

func TestTally_StateDependsOnTheSetAlone(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		in := randomReceipts(r, 400)
		want := state(t, tallyOf(in...))
		for range 3 {
			tally := NewTally()
			rest := append(shuffledCopy(r, in), shuffledCopy(r, in)...)
			for len(rest) > 0 {
				n := min(1+r.IntN(50), len(rest))
				b := Block{Receipts: rest[:n]}
				if r.IntN(2) == 0 {
					b = mustDecode(t, mustEncode(t, b))
				}
				tally.Add(b)
				rest = rest[n:]
			}
			require.Equal(t, want, state(t, tally), "seed %d", seed)
		}
	}
}

func TestTally_LargeStatesAreEqualHoweverTheyCameAbout(t *testing.T) {
	up, down := NewTally(), NewTally()
	all := make([]Receipt, 70_000)
	for i := range all {
		all[i] = receiptOf(uint32(i)+uint32(i/5000), Presented, 0)
	}
	up.Add(Block{Receipts: all})
	for i := len(all); i > 0; i -= 1000 {
		down.Add(Block{Receipts: all[i-1000 : i]})
	}
	require.Equal(t, state(t, up), state(t, down))
	loaded := NewTally()
	require.NoError(t, loaded.UnmarshalBinary(state(t, down)))
	require.Equal(t, state(t, up), state(t, loaded))
	loaded.Add(Block{Receipts: all[:10]})
	require.Equal(t, state(t, up), state(t, loaded))
}

func TestTally_CountsApplyWhatRungsImply(t *testing.T) {
	tally := tallyOf(
		receiptOf(1, Acknowledged, 0), receiptOf(2, Presented, 0), receiptOf(3, Verified, 0),
		receiptOf(4, Delivered, 0), receiptOf(5, Sent, 0), receiptOf(6, Queued, 0),
		receiptOf(7, Refused, 0), receiptOf(8, Failed, 0), receiptOf(9, Expired, 0), receiptOf(10, Cancelled, 0),
	)
	want := Counts{
		Queued: 10, Sent: 7, Delivered: 5, Verified: 3, Presented: 2, Acknowledged: 1,
		Failed: 1, Expired: 1, Cancelled: 1, Refused: 1,
	}
	require.Equal(t, want, tally.Counts(typhoon, revision))
	require.Equal(t, Counts{}, tally.Counts(typhoon, revision+1))
	require.Equal(t, Counts{}, tally.Counts(rain, revision))
	require.Equal(t, []uint32{1, 2, 3, 4, 7}, tally.Members(typhoon, revision, Delivered).ToArray())
	require.Equal(t, []uint32{7}, tally.Members(typhoon, revision, Refused).ToArray())
	target := roaring.BitmapOf(1, 2, 3, 11)
	require.Equal(t, []uint32{3, 11}, tally.Missing(target, typhoon, revision, Presented).ToArray())
	require.Equal(t, []uint32{1, 2, 3, 11}, target.ToArray())
}

func TestTally_EndsCountOnceAndNeverOverPresentation(t *testing.T) {
	tally := tallyOf(
		receiptOf(1, Presented, 0), receiptOf(1, Cancelled, 1), receiptOf(2, Acknowledged, 0), receiptOf(2, Failed, 1),
		receiptOf(3, Expired, 0), receiptOf(3, Refused, 0), receiptOf(3, Failed, 0),
	)
	require.Equal(t, Counts{Queued: 3, Sent: 3, Delivered: 3, Verified: 2, Presented: 2, Acknowledged: 1, Refused: 1, Cancelled: 1},
		tally.Counts(typhoon, revision))
	require.Equal(t, []uint32{1}, tally.Members(typhoon, revision, Cancelled).ToArray(), "it has really stopped")
	require.True(t, tally.Members(typhoon, revision, Failed).IsEmpty())
	require.True(t, tally.Members(typhoon, revision, Expired).IsEmpty())
}

func TestTally_CountsAgreeWithMembers(t *testing.T) {
	for seed := range uint64(30) {
		tally := tallyOf(randomReceipts(rand.New(rand.NewPCG(seed, 9)), 300)...)
		for _, id := range tally.Alerts() {
			for _, rev := range tally.Revisions(id) {
				c := tally.Counts(id, rev)
				for r, n := range map[Rung]uint64{
					Queued: c.Queued, Sent: c.Sent, Delivered: c.Delivered, Verified: c.Verified, Presented: c.Presented,
					Acknowledged: c.Acknowledged, Failed: c.Failed, Expired: c.Expired, Cancelled: c.Cancelled, Refused: c.Refused,
				} {
					require.Equal(t, n, tally.Members(id, rev, r).GetCardinality(), "seed %d %s", seed, r)
				}
			}
		}
	}
}

func TestTally_MembersIsTheCallersOwn(t *testing.T) {
	tally := tallyOf(receiptOf(1, Sent, 0))
	tally.Members(typhoon, revision, Sent).Add(99)
	require.Equal(t, uint64(1), tally.Counts(typhoon, revision).Sent)
}

func TestTally_LastAnswerOfTheHighestRevisionStands(t *testing.T) {
	newer := answered(1, -50, "moved")
	newer.Revision++
	tally := tallyOf(answered(1, 5, "safe"), answered(1, 3, "help"), answered(2, 1, "a"), answered(2, 1, "b"), receiptOf(3, Acknowledged, 0))
	require.Equal(t, []Answer{
		{Member: 1, Revision: revision, At: answered(1, 5, "").At, Text: "safe"},
		{Member: 2, Revision: revision, At: answered(1, 1, "").At, Text: "b"},
	}, tally.Answers(typhoon))
	tally.Add(Block{Receipts: []Receipt{newer}})
	require.Equal(t, "moved", tally.Answers(typhoon)[0].Text)
	require.Equal(t, []alert.Revision{revision, revision + 1}, tally.Revisions(typhoon))
	tally.Forget(typhoon)
	require.Empty(t, tally.Answers(typhoon))
	require.Empty(t, tally.Alerts())
	require.Empty(t, tally.Revisions(typhoon))
}

func TestTally_IgnoresWhatCannotBe(t *testing.T) {
	tally := tallyOf(Receipt{Alert: typhoon}, Receipt{Alert: "../x", Rung: Sent}, Receipt{Alert: typhoon, Rung: 200})
	require.Empty(t, tally.Alerts())
}

func TestTally_ReadersAndOneWriterAtOnce(t *testing.T) {
	tally := NewTally()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				tally.Counts(typhoon, revision)
				tally.Members(typhoon, revision, Presented)
				tally.Answers(typhoon)
				if _, err := tally.MarshalBinary(); err != nil {
					panic(err)
				}
			}
		})
	}
	for i := range uint32(200) {
		tally.Add(Block{Receipts: []Receipt{receiptOf(i, Presented, 0), answered(i, 1, "safe")}})
	}
	wg.Wait()
	require.Equal(t, uint64(200), tally.Counts(typhoon, revision).Acknowledged)
}

func TestUnmarshalBinary_RefusesAndLeavesTheTallyAlone(t *testing.T) {
	tally := tallyOf(receiptOf(1, Sent, 0), answered(2, 0, "safe"))
	good := state(t, tally)
	for n := range good {
		if n == 1 {
			continue // a version alone is an empty tally
		}
		require.ErrorIs(t, tally.UnmarshalBinary(good[:n]), ErrMalformed, "cut at %d", n)
	}
	body := good[1:]
	for name, raw := range map[string][]byte{
		"version":      append([]byte{2}, body...),
		"tail":         append(append([]byte{}, good...), 1),
		"alert twice":  append(append([]byte{}, good...), body...),
		"no rung":      append(append([]byte{tallyVersion}, typhoon...), 1, 5, 0),
		"unknown rung": append(append([]byte{tallyVersion}, typhoon...), 1, 5, 0x80, 0x10),
		"rung 0":       append(append([]byte{tallyVersion}, typhoon...), 1, 5, 1),
		"bitmap whose cardinality lies": withBitmap(t, func(raw []byte) []byte {
			binary.LittleEndian.PutUint16(raw[10:], 5000) // cardinality minus one: an array becomes a bitmap container
			return append(raw, make([]byte, 8192)...)
		}),
		"bitmap with a tail": withBitmap(t, func(raw []byte) []byte { return append(raw, 0) }),
		"bitmap not sorted": withBitmap(t, func(raw []byte) []byte {
			copy(raw[len(raw)-4:], []byte{9, 0, 1, 0})
			return raw
		}),
		"empty bitmap": withBitmap(t, func([]byte) []byte {
			raw, err := roaring.New().ToBytes()
			require.NoError(t, err)
			return raw
		}),
	} {
		require.ErrorIs(t, tally.UnmarshalBinary(raw), ErrMalformed, name)
	}
	require.Equal(t, good, state(t, tally))
	require.NoError(t, tally.UnmarshalBinary([]byte{tallyVersion}))
	require.Empty(t, tally.Alerts())
}

// withBitmap is a tally with one bitmap of two members, changed.
func withBitmap(t *testing.T, change func([]byte) []byte) []byte {
	t.Helper()
	raw, err := roaring.BitmapOf(1, 9).ToBytes()
	require.NoError(t, err)
	raw = change(raw)
	out := append([]byte{tallyVersion}, typhoon...)
	out = append(out, 1, 5, 1<<Sent)
	out = binary.AppendUvarint(out, uint64(len(raw)))
	return append(append(out, raw...), 0)
}

func FuzzTally(f *testing.F) {
	f.Add([]byte{tallyVersion})
	f.Add(state(f, tallyOf(randomReceipts(rand.New(rand.NewPCG(2, 2)), 60)...)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tally := NewTally()
		if err := tally.UnmarshalBinary(raw); err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		again := NewTally()
		require.NoError(t, again.UnmarshalBinary(state(t, tally)))
		require.Equal(t, state(t, tally), state(t, again))
		for _, id := range tally.Alerts() {
			for _, rev := range tally.Revisions(id) {
				tally.Counts(id, rev)
			}
		}
	})
}

func BenchmarkCounts500000(b *testing.B) {
	tally := NewTally()
	tally.Add(Block{Receipts: fleet(fleetSize)})
	for b.Loop() {
		tally.Counts(typhoon, revision)
	}
}

func BenchmarkMarshal500000(b *testing.B) {
	tally := NewTally()
	tally.Add(Block{Receipts: fleet(fleetSize)})
	for b.Loop() {
		state(b, tally)
	}
}
