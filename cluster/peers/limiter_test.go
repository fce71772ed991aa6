package peers

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLimiter_BoundsEachKeyAndAll(t *testing.T) {
	t.Parallel()
	l := NewLimiter(3, 2)
	require.True(t, l.Take("a"))
	require.True(t, l.Take("a"))
	require.False(t, l.Take("a"))
	require.True(t, l.Take("b"))
	require.False(t, l.Take("c"))
	l.Give("a")
	require.True(t, l.Take("c"))
}
