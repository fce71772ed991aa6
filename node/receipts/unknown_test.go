package receipts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// One device that told of 220,000 revisions of one alert took 200 MB for good.
func TestUnknownLimiter_BoundTheRevisionsOfOneAlert(t *testing.T) {
	var s unknownLimiter
	now := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	const id = alert.ID("7qggodrwesnbuxamkutppyfgoa")
	for rev := range alert.Revision(unknownEach) {
		require.True(t, s.admit("lift-1", about{id, rev}, now))
	}
	require.False(t, s.admit("lift-1", about{id, 1000}, now))
	require.True(t, s.admit("lift-1", about{id, 3}, now), "what was taken once")
	require.True(t, s.admit("lift-2", about{id, 1000}, now), "of another device")
	require.True(t, s.admit("lift-1", about{id, 1000}, now.Add(unknownEvery)))
}
