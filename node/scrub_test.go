package node_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/machine"
	"almenara/node/wire"
	"almenara/storage"
)

// rot flips one bit in every kilobyte of the files, as a dying card does.
func rot(t *testing.T, glob string) int {
	t.Helper()
	files, err := filepath.Glob(glob)
	require.NoError(t, err)
	flipped := 0
	for _, path := range files {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		info, err := f.Stat()
		require.NoError(t, err)
		for at := int64(100); at < info.Size() && at < 1<<20; at += 1 << 10 {
			b := []byte{0}
			_, err = f.ReadAt(b, at)
			require.NoError(t, err)
			if b[0] == 0 { // space that was only taken
				continue
			}
			b[0] ^= 1
			_, err = f.WriteAt(b, at)
			require.NoError(t, err)
			flipped++
		}
		require.NoError(t, f.Close())
	}
	return flipped
}

// TestDistrict_DiskRotsUnderANode flips bits in what a running node has on its disk. It
// is found, agreed reads are refused with the reason, and devices are warned on.
func TestDistrict_DiskRotsUnderANode(t *testing.T) {
	t.Parallel()
	for _, part := range []struct{ name, files string }{
		{"the raft log", "raft/raft/*.wal"},
		{"the journal", "journal/alerts-*.journal"},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			var free atomic.Uint64
			free.Store(64 << 30)
			d := newTuned(t, 1, func(_ int, o *node.Options) {
				o.Scrub = 100 * time.Millisecond
				o.Space = machine.DiskOptions{Ballast: -1, FreeSpace: func(string) (uint64, uint64, error) { return free.Load(), 128 << 30, nil }}
			})
			here := d.estate("rot")
			fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
			full := d.post(0, warning("before-rot", polygon(here.Area)), "", "committed")
			fleet.proven(revisionOf(full), 2)
			if part.name == "the journal" { // only what is not agreed yet is still of use there
				free.Store(0)
				d.awaitOn(0, func(s wire.Status) bool { return s.Disk.Level == "broadcast-only" })
				for i := range 3 {
					d.post(0, warning("kept-"+string(rune('a'+i)), polygon(here.Area)), "", "")
				}
			}
			require.Positive(t, rot(t, filepath.Join(d.opts[0].Dir, part.files)))
			d.awaitOn(0, func(s wire.Status) bool { return s.Quarantined && !s.Ready })
			s, err := d.client(0).Status(d.ctx(), false)
			require.NoError(t, err)
			require.Contains(t, s.Why.Text, part.name)
			_, err = d.client(0).ListDevices(d.ctx(), "", 10)
			require.Equal(t, wire.KindNotReady, problemOf(d, nil, err).Kind)
			sent := d.post(0, warning("after-rot", polygon(here.Area)), "", "")
			fleet.proven(revisionOf(sent), 2)
			if part.name == "the raft log" {
				d.stop(0)
				require.NoError(t, os.WriteFile(filepath.Join(d.opts[0].Dir, "raft", "raft", "wal-meta.db"), nil, 0o600))
				d.start(0)
				d.awaitOn(0, func(s wire.Status) bool { return s.Quarantined && !s.Ready && s.InForce > 0 })
				again := d.post(0, warning("restarted-rot", polygon(here.Area)), "", "")
				fleet.proven(revisionOf(again), 2)
			}
		})
	}
}

// TestNode_DoesNotStartOnADamagedState flips bits in the tables of a stopped node: many,
// and one in the middle, which Badger does not see when it opens them.
func TestNode_DoesNotStartOnADamagedState(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	d.enrol("screen", "tuen-mun/rotten/block-1", 300)
	d.stop(0) // which writes the tables
	for name, spoil := range map[string]func(glob string){
		"many bits": func(glob string) { require.Positive(t, rot(t, glob)) },
		"one bit":   func(glob string) { rotMiddle(t, glob) },
	} {
		t.Run(name, func(t *testing.T) {
			o := d.opts[0]
			o.Dir = filepath.Join(t.TempDir(), "data")
			require.NoError(t, os.CopyFS(o.Dir, os.DirFS(d.opts[0].Dir)))
			spoil(filepath.Join(o.Dir, "state", "db-*", "*.sst"))
			for range 2 {
				n, err := node.New(o)
				require.NoError(t, err)
				err = n.Start(context.Background())
				require.ErrorIs(t, err, storage.ErrDamaged)
				requireOneSentence(t, err)
				require.ErrorContains(t, err, "almenara rejoin")
			}
			require.FileExists(t, filepath.Join(o.Dir, "raft", "raft.quarantined"))
		})
	}
}

// rotMiddle flips one bit in the middle of the largest file.
func rotMiddle(t *testing.T, glob string) {
	t.Helper()
	files, err := filepath.Glob(glob)
	require.NoError(t, err)
	var largest string
	var size int64
	for _, path := range files {
		info, err := os.Stat(path)
		require.NoError(t, err)
		if info.Size() > size {
			largest, size = path, info.Size()
		}
	}
	raw, err := os.ReadFile(largest)
	require.NoError(t, err)
	raw[size/2] ^= 1
	require.NoError(t, os.WriteFile(largest, raw, 0o600))
}
