// Package storagetest opens stores for the tests of what is kept in them.
package storagetest

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage"
)

// Open opens an empty store, which is closed when the test ends.
func Open(t testing.TB) *storage.Store {
	t.Helper()
	s, err := storage.Open(t.TempDir(), storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// Update commits what fn writes.
func Update(t testing.TB, s *storage.Store, fn func(*storage.Txn) error) {
	t.Helper()
	require.NoError(t, s.Update(fn))
}
