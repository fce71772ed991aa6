package command

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNearest(t *testing.T) {
	names := []string{"status", "serve", "simulate"}
	require.Equal(t, "status", Nearest("stauts", names))
	require.Equal(t, "serve", Nearest("server", names))
	require.Empty(t, Nearest("cancel", names))
}
