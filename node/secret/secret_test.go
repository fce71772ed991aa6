package secret

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNew_IsKnownByItsHashAlone(t *testing.T) {
	text, hash := New()
	require.True(t, Is(text, hash))
	require.False(t, Is(text+"x", hash))
	require.False(t, Is(text, nil))
	other, _ := New()
	require.NotEqual(t, text, other)
	require.Len(t, text, 43, "256 bits")
}
