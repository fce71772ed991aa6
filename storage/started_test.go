package storage

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"almenara/storage/durable"
)

// A process that is being started holds copies of all descriptors for a moment. A store that was closed meanwhile
// can be opened again at once, and one that is open cannot.
func TestOpen_WhileAProcessIsBeingStarted(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		s := openStore(t, dir)
		copyDescriptors(t, dir)
		_, err := Open(dir, Options{})
		require.ErrorIs(t, err, durable.ErrInUse)
		require.NoError(t, s.Close())
	}
}

// copyDescriptors copies those of files and folders in dir, until the test ends.
func copyDescriptors(t *testing.T, dir string) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, one := range all {
		name, err := os.Readlink(filepath.Join("/proc/self/fd", one.Name()))
		if err != nil || name != dir && !strings.HasPrefix(name, dir+"/") {
			continue
		}
		n, err := strconv.Atoi(one.Name())
		require.NoError(t, err)
		held, err := unix.Dup(n)
		require.NoError(t, err)
		t.Cleanup(func() { _ = unix.Close(held) })
	}
}
