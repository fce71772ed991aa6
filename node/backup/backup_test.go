package backup_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/backup"
	"almenara/storage"
	"almenara/storage/audit"
)

// good is a small backup.
func good(t testing.TB) []byte {
	t.Helper()
	store, err := storage.Open(t.TempDir(), storage.Options{
		MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	require.NoError(t, store.Update(func(tx *storage.Txn) error {
		for range 3 {
			if _, err := audit.Append(tx, audit.Entry{Index: 7, Action: "test", Summary: "a line"}); err != nil {
				return err
			}
		}
		return storage.AppliedRecord.Put(tx, storage.Applied{Index: 7, Term: 2})
	}))
	dump, err := store.Dump()
	require.NoError(t, err)
	defer func() { require.NoError(t, dump.Close()) }()
	r, size, err := backup.NewReader(backup.Header{District: "d", Name: "tuen-mun", Incarnation: 1, Index: 7},
		backup.Secrets{District: []byte("keys"), Token: "secret"}, backup.Part{Reader: dump, Size: dump.Size}, backup.Part{})
	require.NoError(t, err)
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Len(t, raw, int(size))
	return raw
}

func open(raw []byte) (*backup.File, error) {
	return backup.Open(bytes.NewReader(raw), int64(len(raw)), nil)
}

func TestOpen_ReadsWhatWasWritten(t *testing.T) {
	f, err := open(good(t))
	require.NoError(t, err)
	require.Equal(t, "tuen-mun", f.Name)
	require.Equal(t, "secret", f.Secrets.Token)
	require.EqualValues(t, 3, f.Audit)
	require.EqualValues(t, 7, f.Applied.Index)
}

func TestOpen_RefusesEveryAlteration(t *testing.T) {
	raw := good(t)
	for i := range raw {
		altered := bytes.Clone(raw)
		altered[i] ^= 0x10
		_, err := open(altered)
		require.ErrorIs(t, err, backup.ErrBackup, "byte %d", i)
	}
	for n := range raw {
		_, err := open(raw[:n])
		require.ErrorIs(t, err, backup.ErrBackup, "%d bytes", n)
	}
	_, err := open(append(bytes.Clone(raw), 0))
	require.ErrorIs(t, err, backup.ErrBackup)
}

func TestOpen_BelievesNoLengths(t *testing.T) {
	raw := good(t)
	for _, n := range []uint32{0, 1, 1 << 16, 1<<32 - 1} {
		altered := bytes.Clone(raw)
		binary.BigEndian.PutUint32(altered[8:], n)
		_, err := open(altered)
		require.ErrorIs(t, err, backup.ErrBackup)
	}
}

func TestSave_LeavesNoHalfFile(t *testing.T) {
	raw, dir := good(t), t.TempDir()
	name := filepath.Join(dir, "district.backup")
	broken := errors.New("the line broke")
	for what, content := range map[string][]byte{"cut": raw[:len(raw)/2], "nothing": nil, "altered": append(raw[:40:40], raw[41:]...)} {
		_, _, err := backup.Save(name, func(to func(int64) (io.Writer, error)) error {
			w, err := to(int64(len(content)))
			require.NoError(t, err)
			_, err = w.Write(content)
			return err
		}, nil)
		require.ErrorIs(t, err, backup.ErrBackup, what)
	}
	_, _, err := backup.Save(name, func(to func(int64) (io.Writer, error)) error {
		w, err := to(1)
		require.NoError(t, err)
		_, err = w.Write(raw)
		return errors.Join(err, broken)
	}, nil)
	require.ErrorIs(t, err, broken)
	_, _, err = backup.Save(name, func(to func(int64) (io.Writer, error)) error {
		_, err := to(1 << 62)
		return err
	}, nil)
	require.ErrorIs(t, err, backup.ErrNoRoom)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)

	_, size, err := backup.Save(name, func(to func(int64) (io.Writer, error)) error {
		w, err := to(int64(len(raw)))
		require.NoError(t, err)
		_, err = w.Write(raw)
		return err
	}, nil)
	require.NoError(t, err)
	require.EqualValues(t, len(raw), size)
	left, err = os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func FuzzOpen(f *testing.F) {
	raw := good(f)
	f.Add(raw)
	f.Add(raw[:100])
	f.Add([]byte("ALMBACK\x01"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := open(raw); err != nil {
			require.ErrorIs(t, err, backup.ErrBackup)
		}
	})
}
