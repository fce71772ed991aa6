package tallies

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage"
	"almenara/storage/storagetest"
)

func TestCheckpoint_TheNewestWholeOneCounts(t *testing.T) {
	const alertA = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	s := storagetest.Open(t)
	read := func() (data []byte, index uint64) {
		require.NoError(t, s.View(func(tx *storage.Txn) (err error) {
			data, index, err = LastCheckpoint(tx, alertA)
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
	require.NoError(t, saveCheckpoint(s, alertA, 5, big))
	data, index := read()
	require.Equal(t, big, data)
	require.EqualValues(t, 5, index)
	hash := func() (sum [32]byte) {
		require.NoError(t, s.View(func(tx *storage.Txn) (err error) { sum, err = tx.Hash(); return err }))
		return sum
	}
	before := hash()
	// A crash before the head is written leaves the pieces of the next one: not counted.
	storagetest.Update(t, s, func(tx *storage.Txn) error { return tx.Set(checkpointKey(alertA, 9, 0), []byte("half")) })
	data, index = read()
	require.Equal(t, big, data)
	require.EqualValues(t, 5, index)
	require.NoError(t, saveCheckpoint(s, alertA, 9, []byte("small")))
	data, index = read()
	require.Equal(t, "small", string(data))
	require.EqualValues(t, 9, index)
	require.Equal(t, before, hash(), "checkpoints are each replica's own")
	storagetest.Update(t, s, func(tx *storage.Txn) error { return tx.Set(checkpointKey(alertA, 9, 0), []byte("spoil")) })
	data, _ = read()
	require.Nil(t, data)
}
