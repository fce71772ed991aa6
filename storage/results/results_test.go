package results

import (
	"fmt"
	"testing"

	"almenara/storage"
	"almenara/storage/storagetest"

	"github.com/stretchr/testify/require"
)

func TestResults_RingDisplacesTheOldest(t *testing.T) {
	s := storagetest.Open(t)
	for from := 0; from < Kept; from += 2000 {
		storagetest.Update(t, s, func(tx *storage.Txn) error {
			for i := from; i < from+2000; i++ {
				displaced, _, err := Put(tx, Result{RequestID: fmt.Sprint("r", i)})
				require.NoError(t, err)
				require.Empty(t, displaced)
			}
			return nil
		})
	}
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		displaced, slot, err := Put(tx, Result{RequestID: "next"})
		require.Equal(t, "r0", displaced)
		require.Zero(t, slot)
		return err
	})
}
