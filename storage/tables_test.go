package storage

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"
)

const alertA, alertB = "aaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbb"

func TestFacts_ByPlaceByIDAndAfter(t *testing.T) {
	s := openStore(t, t.TempDir())
	at := func(origin string, seq uint64) FactKey { return FactKey{Origin: origin, Stream: 2, Epoch: 9, Seq: seq} }
	update(t, s, func(tx *Txn) error {
		for seq := uint64(1); seq <= 5; seq++ {
			require.NoError(t, PutFact(tx, fmt.Appendf(nil, "a%d", seq), at("node-a", seq), fmt.Appendf(nil, "fact-%d", seq), nil))
		}
		require.NoError(t, PutFact(tx, []byte("b1"), at("node-ab", 1), []byte("other"), nil))
		k, err := PutReceiptBlock(tx, ReceiptBlock{Alert: alertA, Index: 77, N: 2, Signed: []byte("block")})
		require.NoError(t, err)
		require.NoError(t, PutFact(tx, []byte("a6"), at("node-a", 6), []byte("block"), k))
		return SetMark(tx, Mark{Origin: "node-a", Stream: 2, Epoch: 9, Seq: 6})
	})
	require.NoError(t, s.View(func(tx *Txn) error {
		some, err := FactsAfter(tx, at("node-a", 2), 2, 1<<20)
		require.NoError(t, err)
		require.Equal(t, []StoredFact{{at("node-a", 3), []byte("fact-3")}, {at("node-a", 4), []byte("fact-4")}}, some)
		rest, err := FactsAfter(tx, at("node-a", 4), 100, 1)
		require.NoError(t, err)
		require.Len(t, rest, 1, "at least one, whatever the bytes")
		rest, err = FactsAfter(tx, at("node-a", 5), 100, 1<<20)
		require.NoError(t, err)
		require.Equal(t, "block", string(rest[0].Signed), "a receipt block is kept once and found by its place")
		byID, ok, err := FactByID(tx, []byte("a6"))
		require.True(t, ok)
		require.Equal(t, at("node-a", 6), byID.Key)
		require.NoError(t, err)
		has, err := HasFact(tx, []byte("zz"))
		require.False(t, has)
		require.NoError(t, err)
		mark, err := MarkOf(tx, "node-a", 2, 9)
		require.EqualValues(t, 6, mark)
		require.NoError(t, err)
		mark, err = MarkOf(tx, "node-a", 2, 8)
		require.Zero(t, mark)
		return err
	}))
}

func TestReceiptBlocks_FromAnIndexOfOneAlert(t *testing.T) {
	s := openStore(t, t.TempDir())
	update(t, s, func(tx *Txn) error {
		for _, alert := range []string{alertB, alertA} {
			for index := uint64(1); index <= 3; index++ {
				_, err := PutReceiptBlock(tx, ReceiptBlock{Alert: alert, Index: index, N: 1, Signed: fmt.Append(nil, alert[:1], index)})
				require.NoError(t, err)
			}
		}
		_, err := PutReceiptBlock(tx, ReceiptBlock{Alert: "short"})
		require.ErrorIs(t, err, ErrDamaged)
		return nil
	})
	require.NoError(t, s.View(func(tx *Txn) error {
		var got []string
		require.NoError(t, ReceiptBlocks(tx, alertA, 2, func(b ReceiptBlock) (bool, error) {
			got = append(got, string(b.Signed))
			return true, nil
		}))
		require.Equal(t, []string{"a2", "a3"}, got)
		alerts, err := ReceiptAlerts(tx)
		require.Equal(t, []string{alertA, alertB}, alerts)
		return err
	}))
}

func TestResults_RingDisplacesTheOldest(t *testing.T) {
	s := openStore(t, t.TempDir())
	for from := 0; from < KeptResults; from += 2000 {
		update(t, s, func(tx *Txn) error {
			for i := from; i < from+2000; i++ {
				displaced, _, err := PutResult(tx, RequestResult{RequestID: fmt.Sprint("r", i)})
				require.NoError(t, err)
				require.Empty(t, displaced)
			}
			return nil
		})
	}
	update(t, s, func(tx *Txn) error {
		displaced, slot, err := PutResult(tx, RequestResult{RequestID: "next"})
		require.Equal(t, "r0", displaced)
		require.Zero(t, slot)
		return err
	})
}

// Replicas build equal sets in different ways; what they store must not show it.
func TestEncodeBitmap_DependsOnTheSetOnly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 60 {
		limit := uint32(1) << (4 + rng.IntN(16))
		first, second := roaring.New(), roaring.New()
		for range rng.IntN(9000) {
			first.Add(rng.Uint32N(limit))
		}
		if round%3 == 0 {
			first.AddRange(uint64(limit), uint64(limit)+5000)
		}
		values := first.ToArray()
		rng.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		second.AddRange(0, 200_000)
		second.RunOptimize()
		second.AndNot(roaring.Flip(first, 0, 1<<20))
		for _, v := range values {
			second.Add(v)
		}
		a, err := EncodeBitmap(first)
		require.NoError(t, err)
		b, err := EncodeBitmap(second)
		require.NoError(t, err)
		require.Equal(t, a, b, "round %d", round)
		back, err := DecodeBitmap(a)
		require.NoError(t, err)
		require.True(t, back.Equals(first))
	}
	_, err := DecodeBitmap([]byte{0x3A, 0x30, 0, 0, 1})
	require.Error(t, err)
}

func TestCheckpoint_TheNewestWholeOneCounts(t *testing.T) {
	s := openStore(t, t.TempDir())
	read := func() (data []byte, index uint64) {
		require.NoError(t, s.View(func(tx *Txn) (err error) {
			data, index, err = Checkpoint(tx, alertA)
			return err
		}))
		return data, index
	}
	data, _ := read()
	require.Nil(t, data)
	big := make([]byte, 3*checkpointPiece+17)
	for i := range big {
		big[i] = byte(i * 7)
	}
	require.NoError(t, s.SaveCheckpoint(alertA, 5, big))
	data, index := read()
	require.Equal(t, big, data)
	require.EqualValues(t, 5, index)
	before := hashOf(t, s)
	// A crash before the head is written leaves the pieces of the next one: not counted.
	update(t, s, func(tx *Txn) error { return tx.set(checkpointKey(alertA, 9, 0), []byte("half")) })
	data, index = read()
	require.Equal(t, big, data)
	require.EqualValues(t, 5, index)
	require.NoError(t, s.SaveCheckpoint(alertA, 9, []byte("small")))
	data, index = read()
	require.Equal(t, "small", string(data))
	require.EqualValues(t, 9, index)
	require.Equal(t, before, hashOf(t, s), "checkpoints are each replica's own")
	update(t, s, func(tx *Txn) error { return tx.set(checkpointKey(alertA, 9, 0), []byte("spoil")) })
	data, _ = read()
	require.Nil(t, data)
}
