package present

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A node whose clock was set back while it was down gives its first manifest a version
// above the last one of before: devices take an equal one for the one that they have.
func TestNextVersion_IsAboveTheLastOneBeforeAStart(t *testing.T) {
	clock := &roamClock{wall: noon}
	before, err := NextVersion(clock, 0)
	require.NoError(t, err)
	again, err := NextVersion(clock, before)
	require.NoError(t, err)
	require.Greater(t, again, before)
	clock.wall = noon.Add(-1)
	after, err := NextVersion(clock, 0)
	require.NoError(t, err)
	require.Greater(t, after, again)
}
