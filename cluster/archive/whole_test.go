package archive

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/archived"
)

// An alert that is put into the archive while somebody reads is found: on the board that person looked at too late,
// and in a transaction that began too early, it is in neither.
func TestWhole_ReadsAgainWhatWasPutIntoTheArchiveMeanwhile(t *testing.T) {
	a, reads := empty(), 0
	require.NoError(t, a.Whole(func() error {
		if reads++; reads == 1 {
			a.Retired([]archived.Group{{Keys: []string{"fire"}}})
		}
		return nil
	}))
	require.Equal(t, 2, reads)

	reads = 0
	require.NoError(t, a.Whole(func() error { reads++; a.Retired(nil); return nil }))
	require.Equal(t, 1, reads, "nothing was put there")

	wrong := errors.New("the disk")
	require.ErrorIs(t, a.Whole(func() error { a.Retired([]archived.Group{{Keys: []string{"fire"}}}); return wrong }), wrong)
}
