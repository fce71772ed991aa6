package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLimiter_BoundsEachKeyAndAll(t *testing.T) {
	t.Parallel()
	l := newLimiter(3, 2)
	require.True(t, l.take("a"))
	require.True(t, l.take("a"))
	require.False(t, l.take("a"))
	require.True(t, l.take("b"))
	require.False(t, l.take("c"))
	l.give("a")
	require.True(t, l.take("c"))
}
