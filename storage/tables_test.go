package storage

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

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
	update(t, s, func(tx *Txn) error { return tx.Set(checkpointKey(alertA, 9, 0), []byte("half")) })
	data, index = read()
	require.Equal(t, big, data)
	require.EqualValues(t, 5, index)
	require.NoError(t, s.SaveCheckpoint(alertA, 9, []byte("small")))
	data, index = read()
	require.Equal(t, "small", string(data))
	require.EqualValues(t, 9, index)
	require.Equal(t, before, hashOf(t, s), "checkpoints are each replica's own")
	update(t, s, func(tx *Txn) error { return tx.Set(checkpointKey(alertA, 9, 0), []byte("spoil")) })
	data, _ = read()
	require.Nil(t, data)
}

const alertA = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
