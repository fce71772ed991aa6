package clustertest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rot flips a bit in files wherever they hold what.
func Rot(t *testing.T, glob, what string) {
	t.Helper()
	files, err := filepath.Glob(glob)
	require.NoError(t, err)
	found := 0
	for _, path := range files {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		for at := bytes.Index(raw, []byte(what)); at >= 0; at = bytes.Index(raw, []byte(what)) {
			raw[at] ^= 0x10
			_, err = f.WriteAt(raw[at:at+1], int64(at))
			require.NoError(t, err)
			found++
		}
		require.NoError(t, f.Close())
	}
	require.Positive(t, found, "%s is in none of %v", what, files)
}
