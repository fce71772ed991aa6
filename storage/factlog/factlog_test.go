package factlog

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/storage"
	"almenara/storage/storagetest"
)

const alertA, alertB = "aaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbb"

func TestFacts_ByPlaceByIDAndAfter(t *testing.T) {
	s := storagetest.Open(t)
	at := func(origin string, seq uint64) Key { return Key{Origin: origin, Stream: 2, Epoch: 9, Seq: seq} }
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		for seq := uint64(1); seq <= 5; seq++ {
			require.NoError(t, Put(tx, fmt.Appendf(nil, "a%d", seq), at("node-a", seq), fmt.Appendf(nil, "fact-%d", seq), nil))
		}
		require.NoError(t, Put(tx, []byte("b1"), at("node-ab", 1), []byte("other"), nil))
		k, err := PutReceiptBlock(tx, ReceiptBlock{Alert: alertA, Index: 77, N: 2, Signed: []byte("block")})
		require.NoError(t, err)
		require.NoError(t, Put(tx, []byte("a6"), at("node-a", 6), []byte("block"), k))
		return SetMark(tx, Mark{Origin: "node-a", Stream: 2, Epoch: 9, Seq: 6})
	})
	require.NoError(t, s.View(func(tx *storage.Txn) error {
		some, err := After(tx, at("node-a", 2), 2, 1<<20)
		require.NoError(t, err)
		require.Equal(t, []Fact{{at("node-a", 3), []byte("fact-3")}, {at("node-a", 4), []byte("fact-4")}}, some)
		rest, err := After(tx, at("node-a", 4), 100, 1)
		require.NoError(t, err)
		require.Len(t, rest, 1, "at least one, whatever the bytes")
		rest, err = After(tx, at("node-a", 5), 100, 1<<20)
		require.NoError(t, err)
		require.Equal(t, "block", string(rest[0].Signed), "a receipt block is kept once and found by its place")
		byID, ok, err := ByID(tx, []byte("a6"))
		require.True(t, ok)
		require.Equal(t, at("node-a", 6), byID.Key)
		require.NoError(t, err)
		has, err := Has(tx, []byte("zz"))
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
	s := storagetest.Open(t)
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		for _, alert := range []string{alertB, alertA} {
			for index := uint64(1); index <= 3; index++ {
				_, err := PutReceiptBlock(tx, ReceiptBlock{Alert: alert, Index: index, N: 1, Signed: fmt.Append(nil, alert[:1], index)})
				require.NoError(t, err)
			}
		}
		_, err := PutReceiptBlock(tx, ReceiptBlock{Alert: "short"})
		require.ErrorIs(t, err, storage.ErrDamaged)
		return nil
	})
	require.NoError(t, s.View(func(tx *storage.Txn) error {
		var got []string
		require.NoError(t, ReceiptBlocks(tx, alertA, 2, func(b ReceiptBlock) (bool, error) {
			got = append(got, string(b.Signed))
			return true, nil
		}))
		require.Equal(t, []string{"a2", "a3"}, got)
		return nil
	}))
}

// TestEncodeBitmap_DependsOnTheSetOnly build equal sets in different ways; what they store must not show it.
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

// What is kept is read in both directions, in parts.
func TestKept_IsReadFromBothEnds(t *testing.T) {
	s := storagetest.Open(t)
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		for i := uint64(1); i <= 7; i++ {
			id := fmt.Appendf(nil, "id-%d", i)
			require.NoError(t, Put(tx, id, Key{Origin: "node-a", Stream: 2, Epoch: 9, Seq: i}, fmt.Appendf(nil, "fact-%d", i), nil))
			require.NoError(t, Keep(tx, uint8(4+i%2), 10*i, uint16(i), id))
		}
		return nil
	})
	require.NoError(t, s.View(func(tx *storage.Txn) error {
		texts := func(all []Kept, err error) (out []string) {
			require.NoError(t, err)
			for _, k := range all {
				out = append(out, string(k.Signed))
			}
			return out
		}
		require.Equal(t, []string{"fact-1", "fact-3", "fact-5", "fact-7"}, texts(KeptAfter(tx, 5, 0, 0, 0)))
		require.Equal(t, []string{"fact-5", "fact-7"}, texts(KeptAfter(tx, 5, 30, 3, 2)))
		require.Equal(t, []string{"fact-7", "fact-5", "fact-3", "fact-1"}, texts(KeptBefore(tx, 5, 0, 0, 0)))
		require.Equal(t, []string{"fact-7", "fact-5"}, texts(KeptBefore(tx, 5, 0, 0, 2)))
		require.Equal(t, []string{"fact-3", "fact-1"}, texts(KeptBefore(tx, 5, 50, 5, 9)))
		require.Equal(t, []string{"fact-6", "fact-4", "fact-2"}, texts(KeptBefore(tx, 4, 0, 0, 9)), "of one kind")
		require.Empty(t, texts(KeptBefore(tx, 5, 10, 1, 9)))
		return nil
	}))
}
