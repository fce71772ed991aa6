package storage

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"almenara/storage/dumpfile"
)

// fullStore has n users and a checkpoint, applied up to index 42.
func fullStore(t testing.TB, n int) *Store {
	s := openStore(t, t.TempDir())
	for from := 0; from < n; from += 1000 {
		update(t, s, func(tx *Txn) error {
			for i := from; i < min(from+1000, n); i++ {
				require.NoError(t, Users.Put(tx, User{Name: fmt.Sprintf("user-%06d", i), TokenHash: binary.BigEndian.AppendUint64(nil, uint64(i))}))
			}
			return AppliedRecord.Put(tx, Applied{Index: 42, Term: 3, Configuration: []byte("conf"), ConfigurationIndex: 7})
		})
	}
	update(t, s, func(tx *Txn) error { return tx.Set(Key(PrefCheck, "x"), []byte("tally")) })
	return s
}

func backup(t testing.TB, s *Store) []byte {
	t.Helper()
	var b bytes.Buffer
	a, err := s.Backup(&b)
	require.NoError(t, err)
	require.EqualValues(t, 42, a.Index)
	return b.Bytes()
}

func stage(s *Store, dump []byte, as *Applied) (*Staged, error) {
	return s.Stage(bytes.NewReader(dump), int64(len(dump)), as)
}

func TestDump_InstallsAsAnEqualStore(t *testing.T) {
	from := fullStore(t, 3000)
	dump := backup(t, from)
	dir := t.TempDir()
	to := openStore(t, dir)
	update(t, to, func(tx *Txn) error { return Users.Put(tx, User{Name: "of the old state"}) })
	old, err := to.Read() // a reader that began before
	require.NoError(t, err)

	g, err := stage(to, dump, nil)
	require.NoError(t, err)
	require.NoError(t, g.Activate())
	require.Equal(t, hashOf(t, from), hashOf(t, to))
	a, err := to.Applied()
	require.NoError(t, err)
	require.Equal(t, Applied{Index: 42, Term: 3, Configuration: []byte("conf"), ConfigurationIndex: 7}, a)

	_, ok, err := Users.Get(old, "of the old state")
	require.NoError(t, err)
	require.True(t, ok, "a running reader keeps what it sees")
	require.DirExists(t, filepath.Join(dir, "db-000001"))
	old.Discard()
	require.NoDirExists(t, filepath.Join(dir, "db-000001"))

	update(t, to, func(tx *Txn) error { return Users.Put(tx, User{Name: "after"}) })
	require.NoError(t, to.Close())
	again := openStore(t, dir)
	update(t, from, func(tx *Txn) error { return Users.Put(tx, User{Name: "after"}) })
	require.Equal(t, hashOf(t, from), hashOf(t, again))
	require.NoError(t, again.View(func(tx *Txn) error {
		data, err := tx.Get(Key(PrefCheck, "x"))
		require.Equal(t, "tally", string(data), "what is in no hash is in the dump")
		return err
	}))
}

func TestStage_AnyDamageIsRefusedAndTheLiveDatabaseUntouched(t *testing.T) {
	dump := backup(t, fullStore(t, 50))
	dir := t.TempDir()
	to := openStore(t, dir)
	update(t, to, func(tx *Txn) error { return Users.Put(tx, User{Name: "keep me"}) })
	before := hashOf(t, to)
	refused := func(bad []byte, what string) {
		_, err := stage(to, bad, nil)
		require.ErrorIs(t, err, dumpfile.ErrDump, what)
	}
	for at := 0; at < len(dump); at += 1 + len(dump)/200 {
		bad := bytes.Clone(dump)
		bad[at] ^= 0x10
		refused(bad, fmt.Sprint("byte ", at))
	}
	for _, n := range []int{0, 3, 12, len(dump) / 2, len(dump) - 1} {
		refused(dump[:n], fmt.Sprint("cut to ", n))
	}
	refused(append(bytes.Clone(dump), 0), "longer")
	_, err := stage(to, dump, &Applied{Index: 41})
	require.ErrorIs(t, err, dumpfile.ErrDump, "it may not be said to lie before what it contains")
	require.Equal(t, before, hashOf(t, to))
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, names, 2, "no leftovers: %v", names)
}

// resum makes the CRC right again, so that the checks behind it are reached.
func resum(body []byte) []byte {
	return binary.BigEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// craft makes a dump with frames of the caller's choice.
func craft(t testing.TB, frames func(w *bufio.Writer)) []byte {
	var b bytes.Buffer
	header, err := Canonical.Marshal(Applied{Index: 1})
	require.NoError(t, err)
	require.NoError(t, dumpfile.WriteHeader(&b, header, false))
	z, err := zstd.NewWriter(&b)
	require.NoError(t, err)
	w := bufio.NewWriter(z)
	frames(w)
	require.NoError(t, w.Flush())
	require.NoError(t, z.Close())
	return resum(b.Bytes())
}

func TestCheckDump_FramesMustBeSortedCountedAndBounded(t *testing.T) {
	frame := func(w *bufio.Writer, k, v string) { dumpfile.WriteFrame(w, []byte(k), []byte(v)) }
	end := func(w *bufio.Writer, n byte) { w.Write([]byte{0, 0, n}) }
	for name, c := range map[string]struct {
		good   bool
		frames func(w *bufio.Writer)
	}{
		"good":          {true, func(w *bufio.Writer) { frame(w, "a", "1"); frame(w, "b", ""); end(w, 2) }},
		"empty":         {true, func(w *bufio.Writer) { end(w, 0) }},
		"out of order":  {false, func(w *bufio.Writer) { frame(w, "b", "1"); frame(w, "a", "1"); end(w, 2) }},
		"twice":         {false, func(w *bufio.Writer) { frame(w, "a", "1"); frame(w, "a", "2"); end(w, 2) }},
		"wrong count":   {false, func(w *bufio.Writer) { frame(w, "a", "1"); end(w, 2) }},
		"no end":        {false, func(w *bufio.Writer) { frame(w, "a", "1") }},
		"after the end": {false, func(w *bufio.Writer) { end(w, 0); frame(w, "a", "1") }},
		"applied":       {false, func(w *bufio.Writer) { frame(w, "!applied", "1"); end(w, 1) }},
		"badger's own":  {false, func(w *bufio.Writer) { frame(w, "!badger!x", "1"); end(w, 1) }},
		"long key":      {false, func(w *bufio.Writer) { frame(w, string(make([]byte, dumpfile.MaxKey+1)), "1"); end(w, 1) }},
		"long value":    {false, func(w *bufio.Writer) { frame(w, "a", string(make([]byte, dumpfile.MaxValue+1))); end(w, 1) }},
		"lying length":  {false, func(w *bufio.Writer) { w.Write([]byte{1, 100, 'a', 'b'}) }},
	} {
		dump := craft(t, c.frames)
		_, err := CheckDump(bytes.NewReader(dump), int64(len(dump)))
		if c.good {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, dumpfile.ErrDump, name)
		}
	}
	newer := bytes.Clone(backup(t, fullStore(t, 1)))
	newer[7] += 8
	newer = resum(newer[:len(newer)-dumpfile.Trailer])
	_, err := CheckDump(bytes.NewReader(newer), int64(len(newer)))
	require.ErrorContains(t, err, "unknown format")
}

func TestStage_IsNothingUntilActivated(t *testing.T) {
	dump := backup(t, fullStore(t, 10))
	dir := t.TempDir()
	s := openStore(t, dir)
	before := hashOf(t, s)
	g, err := stage(s, dump, &Applied{Index: 50, Term: 4})
	require.NoError(t, err)
	require.DirExists(t, filepath.Join(dir, "db-000002"))
	require.NoError(t, s.Close()) // the process ends here
	s = openStore(t, dir)
	require.Equal(t, before, hashOf(t, s))
	require.NoDirExists(t, filepath.Join(dir, "db-000002"))
	require.Error(t, g.Activate(), "its directory is gone")

	g, err = stage(s, dump, nil)
	require.NoError(t, err)
	require.NoError(t, g.Discard())
	require.NoDirExists(t, filepath.Join(dir, "db-000002"))
}

func TestActivate_ACrashAroundTheFlipLeavesOneOfTheTwo(t *testing.T) {
	dump := backup(t, fullStore(t, 10))
	for _, flipped := range []bool{false, true} {
		dir := t.TempDir()
		s := openStore(t, dir)
		update(t, s, func(tx *Txn) error { return Users.Put(tx, User{Name: "old"}) })
		g, err := stage(s, dump, nil)
		require.NoError(t, err)
		if flipped {
			require.NoError(t, s.point(g.name))
		} else {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "CURRENT.tmp"), []byte(g.name), 0o600))
		}
		require.NoError(t, s.Close())
		s = openStore(t, dir)
		a, err := s.Applied()
		require.NoError(t, err)
		require.Equal(t, flipped, a.Index == 42)
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		require.Len(t, names, 2, "%v", names)
	}
}

func TestDump_OneAtATimeAndOnlyWithSpace(t *testing.T) {
	free := uint64(1 << 40)
	o := testOptions()
	o.FreeSpace = func(string) (uint64, error) { return free, nil }
	dir := t.TempDir()
	s, err := Open(dir, o)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	s.dumpMu.Lock()
	_, err = s.Dump()
	require.ErrorIs(t, err, ErrBusy)
	s.dumpMu.Unlock()
	d, err := s.Dump()
	require.NoError(t, err)
	raw, err := io.ReadAll(d)
	require.NoError(t, err)
	require.EqualValues(t, d.Size, len(raw), "raft checks the size")
	require.NoError(t, d.Close())
	names, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
	require.NoError(t, err)
	require.Empty(t, names)
	free = 0
	_, err = s.Dump()
	require.ErrorIs(t, err, ErrNoSpace)
	_, err = stage(s, raw, nil)
	require.ErrorIs(t, err, ErrNoSpace)
}

func FuzzCheckDump(f *testing.F) {
	f.Add(backup(f, fullStore(f, 5)), false)
	f.Add(craft(f, func(w *bufio.Writer) { w.Write([]byte{0, 0, 0}) }), true)
	f.Fuzz(func(t *testing.T, raw []byte, mend bool) {
		if mend {
			raw = resum(raw)
		}
		_, err := CheckDump(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			require.ErrorIs(t, err, dumpfile.ErrDump)
		}
	})
}
