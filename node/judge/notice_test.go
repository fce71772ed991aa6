package judge

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamedAsNotice(t *testing.T) {
	for _, name := range []string{"notice-0123456789ab-1", "notice-abcdef012345-40"} {
		require.ErrorContains(t, NamedAsNotice(name), "leave the identifier to the node")
	}
	for _, name := range []string{"notice-board-1", "notice-0123456789ab", "a-notice-0123456789ab-1", "NOTICE-0123456789AB-1", ""} {
		require.NoError(t, NamedAsNotice(name), name)
	}
}
