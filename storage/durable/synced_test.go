//go:build !lossy

package durable

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSynced_IsNoOption(t *testing.T) {
	for _, part := range []string{PartStore, PartJournal, PartLog, PartFiles} {
		t.Setenv("ALMENARA_LOSSY", part)
		require.True(t, Synced(part))
	}
}
