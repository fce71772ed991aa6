package audit

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage"
)

func TestAgreedAt_IsBetweenTheLinesAround(t *testing.T) {
	s := auditStore(t, 6) // of the entries 10 to 15, at 0 to 5000
	require.NoError(t, s.View(func(tx *storage.Txn) error {
		for _, c := range []struct {
			index     uint64
			says, now int64
			want      int64
		}{
			{12, 1500, 9000, 1500},
			{12, 100, 9000, 1000},   // a clock that is behind, or what came late
			{12, 8000, 9000, 2000},  // a clock that is ahead
			{16, 8000, 9000, 8000},  // after the last line
			{16, 99999, 9000, 9000}, // and not later than now
			{9, 1, 9000, 0},         // before the first
			{14, 100, 2500, 100},    // lines of a time that has not come say nothing
		} {
			got, err := AgreedAt(tx, c.index, c.says, c.now)
			require.NoError(t, err)
			require.Equal(t, c.want, got, c)
		}
		first, ok, err := FirstOf(tx, 13)
		require.NoError(t, err)
		require.True(t, ok)
		require.EqualValues(t, 4, first.N)
		_, ok, err = FirstOf(tx, 16)
		require.False(t, ok)
		return err
	}))
}
