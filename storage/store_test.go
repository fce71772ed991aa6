package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4/options"
	"github.com/stretchr/testify/require"
)

func testOptions() Options {
	return Options{MemTableSize: MinMemTableSize, MinFree: 1, Logger: slog.New(slog.DiscardHandler)}
}

func openStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, testOptions())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func update(t testing.TB, s *Store, fn func(*Txn) error) {
	t.Helper()
	require.NoError(t, s.Update(fn))
}

func hashOf(t testing.TB, s *Store) string {
	t.Helper()
	var out string
	require.NoError(t, s.View(func(tx *Txn) error {
		sum, err := tx.Hash()
		out = fmt.Sprintf("%x", sum)
		return err
	}))
	return out
}

// A power cut with SyncWrites off loses transactions below an applied index that
// survives: nobody may turn it off, nor change what the sizes depend on.
func TestOptions_KeepEveryCommitSynced(t *testing.T) {
	s := openStore(t, t.TempDir())
	o := s.live.db.Opts()
	require.True(t, o.SyncWrites)
	require.False(t, o.DetectConflicts)
	require.Equal(t, 1, o.NumVersionsToKeep)
	require.Equal(t, options.OnBlockRead, o.ChecksumVerificationMode)
	require.Equal(t, options.Snappy, o.Compression)
	require.EqualValues(t, 1<<20, o.ValueThreshold)
	require.Equal(t, 2, o.NumCompactors)
	defaults, err := Options{}.withDefaults()
	require.NoError(t, err)
	require.EqualValues(t, 16<<20, defaults.MemTableSize)
	require.True(t, defaults.badger("x").SyncWrites)
}

func TestOpen_RefusesAMemtableThatOneEntryMightNotFit(t *testing.T) {
	o := testOptions()
	o.MemTableSize = 1 << 20
	_, err := Open(t.TempDir(), o)
	require.Error(t, err)
}

func TestOpen_ChecksFreeSpaceBeforeBadgerCreatesAFile(t *testing.T) {
	dir := t.TempDir()
	o := testOptions()
	o.FreeSpace = func(string) (uint64, error) { return 2*uint64(o.MemTableSize) - 1, nil }
	_, err := Open(dir, o)
	require.ErrorIs(t, err, ErrNoSpace)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)

	o.FreeSpace = func(string) (uint64, error) { return 0, errors.New("no such file system") }
	_, err = Open(dir, o)
	require.ErrorContains(t, err, "no such file system")
}

func TestOpen_RemovesWhatAnInterruptedInstallLeft(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	update(t, s, func(tx *Txn) error { return Users.Put(tx, User{Name: "amy"}) })
	require.NoError(t, s.Close())
	for _, left := range []string{"db-000002.tmp", "db-000003"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, left), 0o700))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "receive-1.tmp"), []byte("x"), 0o600))
	again := openStore(t, dir)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "CURRENT and db-000001")
	require.NoError(t, again.View(func(tx *Txn) error {
		_, ok, err := Users.Get(tx, "amy")
		require.True(t, ok)
		return err
	}))
}

func TestOpen_CurrentPointer(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	update(t, s, func(tx *Txn) error { return Users.Put(tx, User{Name: "amy"}) })
	require.NoError(t, s.Close())
	current := filepath.Join(dir, currentFile)

	require.NoError(t, os.Remove(current)) // the first start was cut short, or a person did it
	s, err := Open(dir, testOptions())
	require.NoError(t, err)
	require.NoError(t, s.Close())
	raw, err := os.ReadFile(current)
	require.NoError(t, err)
	require.Equal(t, "db-000001\n", string(raw))

	require.NoError(t, os.Remove(current))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "db-000007"), 0o700))
	_, err = Open(dir, testOptions())
	require.ErrorIs(t, err, ErrDamaged, "two databases, and nothing says which")

	require.NoError(t, os.WriteFile(current, []byte("db-000009\n"), 0o600))
	before, err := os.ReadDir(dir)
	require.NoError(t, err)
	_, err = Open(dir, testOptions())
	require.ErrorIs(t, err, ErrDamaged)
	after, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Equal(t, len(before), len(after), "nothing is deleted while it is unclear what is live")
}

func TestOpen_DamagedTablesAreAnErrorNotAPanic(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	update(t, s, func(tx *Txn) error {
		for i := range 500 {
			if err := Users.Put(tx, User{Name: fmt.Sprintf("user-%04d", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, s.Close())
	tables, err := filepath.Glob(filepath.Join(dir, "db-*", "*.sst"))
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	for name, damage := range map[string]func(path string) error{
		"cut":     func(p string) error { return os.Truncate(p, 10) },
		"zeroed":  func(p string) error { return os.WriteFile(p, make([]byte, 4096), 0o600) },
		"garbled": func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("\xFF", 4096)), 0o600) },
		"gone":    os.Remove,
	} {
		raw, err := os.ReadFile(tables[0])
		require.NoError(t, err)
		require.NoError(t, damage(tables[0]))
		require.NotPanics(t, func() { _, err = Open(dir, testOptions()) }, name)
		require.Error(t, err, name)
		require.NoError(t, os.WriteFile(tables[0], raw, 0o600))
	}
	openStore(t, dir)
}

// TestVerify_FindsADamagedBlock takes a damaged block for absent records.
func TestVerify_FindsADamagedBlock(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	update(t, s, func(tx *Txn) error {
		for i := range 2000 {
			require.NoError(t, Users.Put(tx, User{Name: fmt.Sprintf("user-%06d", i), PasswordHash: fmt.Sprint(i * i)}))
		}
		return nil
	})
	require.NoError(t, s.Close())
	tables, err := filepath.Glob(filepath.Join(dir, "db-*", "*.sst"))
	require.NoError(t, err)
	f, err := os.OpenFile(tables[0], os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{0xEE, 0xEE}, 10<<10)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	s, err = Open(dir, testOptions())
	require.NoError(t, err, "Badger reads the first and the last block only")
	require.ErrorIs(t, s.Verify(t.Context()), ErrDamaged)
	_, err = s.Dump()
	require.ErrorIs(t, err, ErrDamaged)
	require.NoError(t, s.Close())
}

// TestVerify_KeepsNothingInMemory is verified is not what the node works with: it must not stay in memory.
func TestVerify_KeepsNothingInMemory(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	noise := make([]byte, 4<<10)
	for range 40 {
		update(t, s, func(tx *Txn) error {
			for range 40 {
				_, _ = rand.Read(noise) // it never fails
				require.NoError(t, Users.Put(tx, User{Name: rand.Text(), PasswordHash: hex.EncodeToString(noise)}))
			}
			return nil
		})
	}
	require.NoError(t, s.Close())
	s = openStore(t, dir)
	living := func() int64 {
		runtime.GC()
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		return int64(mem.HeapAlloc)
	}
	before := living()
	require.NoError(t, s.Verify(t.Context()))
	require.Less(t, living()-before, int64(1<<20))

	ctx, cancel := context.WithCancelCause(t.Context())
	stopping := errors.New("stopping")
	cancel(stopping)
	require.ErrorIs(t, s.Verify(ctx), stopping)
}

func TestClose_IsRepeatableAndEndsTransactions(t *testing.T) {
	s := openStore(t, t.TempDir())
	tx, err := s.Read()
	require.NoError(t, err)
	done := make(chan error)
	go func() { done <- s.Close() }()
	tx.Discard()
	require.NoError(t, <-done)
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Update(func(*Txn) error { return nil }), ErrClosed)
	_, err = s.Read()
	require.ErrorIs(t, err, ErrClosed)
}

func TestTxn_DiscardChangesNothingAndHalfSaysWhenToCommit(t *testing.T) {
	s := openStore(t, t.TempDir())
	before := hashOf(t, s)
	tx, err := s.Write()
	require.NoError(t, err)
	defer tx.Discard()
	value := make([]byte, 10<<10)
	n := 0
	for ; !tx.Half(); n++ {
		require.NoError(t, tx.Set(Key32(PrefResult, uint32(n)), value))
	}
	require.Greater(t, n, 40)
	for range n - 2 { // as much again still fits
		n++
		require.NoError(t, tx.Set(Key32(PrefResult, uint32(n)), value))
	}
	tx.Discard()
	require.Error(t, tx.Commit())
	require.Equal(t, before, hashOf(t, s))
}

func TestWitness_NeverMovesBack(t *testing.T) {
	s := openStore(t, t.TempDir())
	at := func() Applied {
		a, err := s.Applied()
		require.NoError(t, err)
		return a
	}
	require.NoError(t, s.Witness(Applied{Index: 10, Term: 2, Configuration: []byte("abc"), ConfigurationIndex: 4}))
	require.NoError(t, s.Witness(Applied{Index: 9, Term: 2, Configuration: []byte("old"), ConfigurationIndex: 3}))
	require.EqualValues(t, 10, at().Index)
	require.Equal(t, "abc", string(at().Configuration))
	recovered := Applied{Index: 10, Term: 2, Configuration: []byte("alone"), ConfigurationIndex: 1}
	require.NoError(t, s.Witness(recovered))
	require.Equal(t, recovered, at(), "a recovered cluster gets its new configuration at the same index")
}

func TestUsers_AReplacedOrRevokedTokenIsWorthNothing(t *testing.T) {
	s := openStore(t, t.TempDir())
	token := func(hash string) (User, bool) {
		var u User
		var ok bool
		require.NoError(t, s.View(func(tx *Txn) (err error) {
			u, ok, err = Users.ByToken(tx, []byte(hash))
			return err
		}))
		return u, ok
	}
	update(t, s, func(tx *Txn) error { return Users.Put(tx, User{Name: "amy", TokenHash: []byte("one")}) })
	u, ok := token("one")
	require.True(t, ok)
	require.Equal(t, "amy", u.Name)
	update(t, s, func(tx *Txn) error { return Users.Put(tx, User{Name: "amy", TokenHash: []byte("two")}) })
	_, ok = token("one")
	require.False(t, ok)
	_, ok = token("two")
	require.True(t, ok)
	update(t, s, func(tx *Txn) error { return Users.Put(tx, User{Name: "amy", TokenHash: []byte("two"), Revoked: true}) })
	_, ok = token("two")
	require.False(t, ok)
	_, ok = token("")
	require.False(t, ok)
}
