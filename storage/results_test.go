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
