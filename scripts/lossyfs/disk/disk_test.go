package disk

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const salts = 64 // crashes looked at where the seed decides

func file(t *testing.T, d *Disk, dir *Node, name string) *Node {
	t.Helper()
	n, _, err := d.Make(dir, name, syscall.S_IFREG|0o600, "")
	require.NoError(t, err)
	return n
}

func content(t *testing.T, d *Disk, dir *Node, name string) []byte {
	t.Helper()
	n, a, err := d.Lookup(dir, name)
	require.NoError(t, err)
	b := make([]byte, a.Size)
	_, err = d.Read(n, 0, b)
	require.NoError(t, err)
	return b
}

// outcomes counts what show says of many crashes.
func outcomes(d *Disk, show func(*Disk) string) map[string]int {
	seen := map[string]int{}
	for salt := range uint64(salts) {
		seen[show(d.Crash(salt))]++
	}
	return seen
}

func listing(t *testing.T, of func(*Disk) *Node) func(*Disk) string {
	return func(d *Disk) string {
		names, _, err := d.Names(of(d))
		require.NoError(t, err)
		return fmt.Sprint(names)
	}
}

func TestCrash_KeepsWhatWasSyncedAndOnlyThat(t *testing.T) {
	d := New(1)
	f := file(t, d, d.Root(), "a")
	require.NoError(t, d.Write(f, 0, bytes.Repeat([]byte{1}, 3*PageSize)))
	require.NoError(t, d.Sync(f))
	require.Equal(t, map[string]bool{"[]": true, "[a]": true}, keys(outcomes(d, listing(t, (*Disk).Root))), "a name that was not synced may be lost")
	require.NoError(t, d.Sync(d.Root()))
	require.NoError(t, d.Write(f, 0, bytes.Repeat([]byte{2}, 3*PageSize)))
	require.NoError(t, d.Write(f, 5*PageSize, []byte{2})) // so that the pages above are not of the last write

	seen := outcomes(d, func(d *Disk) string {
		b := content(t, d, d.Root(), "a")
		return fmt.Sprint(b[0], b[PageSize-1], b[PageSize], b[2*PageSize])
	})
	require.Contains(t, seen, "1 1 1 1")
	require.Contains(t, seen, "2 2 2 2")
	require.Contains(t, seen, "2 2 1 2", "pages are lost each by itself")
	for is := range seen {
		require.Equal(t, is[0], is[2], "only the last write is torn")
	}
}

func TestCrash_TearsTheLastWriteAtASector(t *testing.T) {
	d := New(2)
	f := file(t, d, d.Root(), "a")
	require.NoError(t, d.Sync(d.Root()))
	require.NoError(t, d.Write(f, 0, bytes.Repeat([]byte{7}, PageSize)))
	seen := outcomes(d, func(d *Disk) string {
		b := content(t, d, d.Root(), "a")
		kept := bytes.Count(b, []byte{7})
		require.Zero(t, kept%SectorSize)
		return fmt.Sprint(len(b) > 0 && kept > 0 && kept < PageSize)
	})
	require.Contains(t, seen, "true")
}

func TestCrash_RenameIsThereOrNotButWhole(t *testing.T) {
	d := New(3)
	for _, name := range []string{"old", "new"} {
		f := file(t, d, d.Root(), name)
		require.NoError(t, d.Write(f, 0, []byte(name)))
		require.NoError(t, d.Sync(f))
	}
	require.NoError(t, d.Sync(d.Root()))
	require.NoError(t, d.Rename(d.Root(), "new", d.Root(), "old", false))
	seen := outcomes(d, func(d *Disk) string {
		return listing(t, (*Disk).Root)(d) + string(content(t, d, d.Root(), "old"))
	})
	require.Equal(t, map[string]bool{"[new old]old": true, "[old]new": true}, keys(seen))
}

func TestCrash_UnlinkedFileMayComeBack(t *testing.T) {
	d := New(4)
	f := file(t, d, d.Root(), "a")
	require.NoError(t, d.Write(f, 0, []byte("x")))
	require.NoError(t, d.Sync(f))
	require.NoError(t, d.Sync(d.Root()))
	require.NoError(t, d.Remove(d.Root(), "a", false))
	_, used, err := d.Space()
	require.NoError(t, err)
	require.Zero(t, used)
	require.Equal(t, map[string]bool{"[]": true, "[a]": true}, keys(outcomes(d, listing(t, (*Disk).Root))))
	require.NoError(t, d.Sync(d.Root()))
	require.Equal(t, map[string]bool{"[]": true}, keys(outcomes(d, listing(t, (*Disk).Root))))
}

func TestCrash_NamesKeepTheirOrder(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		d := New(5)
		d.Ordered = ordered
		sub, _, err := d.Make(d.Root(), "sub", syscall.S_IFDIR|0o700, "")
		require.NoError(t, err)
		require.NoError(t, d.Sync(d.Root()))
		file(t, d, d.Root(), "a")
		inSub := file(t, d, sub, "s")
		file(t, d, d.Root(), "b")
		below := func(d *Disk) *Node {
			n, _, err := d.Lookup(d.Root(), "sub")
			require.NoError(t, err)
			return n
		}
		seen := keys(outcomes(d, func(d *Disk) string { return listing(t, (*Disk).Root)(d) + listing(t, below)(d) }))
		require.Contains(t, seen, "[a sub][]")
		require.NotContains(t, seen, "[b sub][]", "b was made after a")
		require.Equal(t, !ordered, seen["[a b sub][]"], "ordered %v: s was made before b", ordered)
		require.NoError(t, d.Sync(inSub))
		seen = keys(outcomes(d, listing(t, below)))
		require.Equal(t, !ordered, seen["[]"], "ordered %v: syncing a file syncs its name", ordered)
	}
}

func TestCrash_SizeIsOldOrNewAndNeverShowsWhatWasCutOff(t *testing.T) {
	d := New(6)
	f := file(t, d, d.Root(), "a")
	require.NoError(t, d.Write(f, 0, bytes.Repeat([]byte{9}, 2*PageSize)))
	require.NoError(t, d.Sync(f))
	require.NoError(t, d.Sync(d.Root()))
	require.NoError(t, d.SetSize(f, 10))
	require.NoError(t, d.SetSize(f, 20))
	b := content(t, d, d.Root(), "a")
	require.Equal(t, append(bytes.Repeat([]byte{9}, 10), make([]byte, 10)...), b)
	seen := outcomes(d, func(d *Disk) string { return fmt.Sprint(len(content(t, d, d.Root(), "a"))) })
	require.Equal(t, map[string]bool{"20": true, "8192": true}, keys(seen))
	require.NoError(t, d.Sync(f))
	seen = outcomes(d, func(d *Disk) string { return fmt.Sprint(content(t, d, d.Root(), "a")) })
	require.Equal(t, map[string]bool{fmt.Sprint(b): true}, keys(seen))
}

func TestCrash_LeavesTheLivingDiskAlone(t *testing.T) {
	d := New(7)
	f := file(t, d, d.Root(), "a")
	require.NoError(t, d.Sync(d.Root()))
	require.NoError(t, d.Write(f, 0, []byte{1}))
	var left *Disk
	for salt := uint64(0); left == nil; salt++ { // one that keeps the page
		if c := d.Crash(salt); len(content(t, c, c.Root(), "a")) > 0 && content(t, c, c.Root(), "a")[0] == 1 {
			left = c
		}
	}
	require.NoError(t, d.Write(f, 0, []byte{2}))
	require.Equal(t, []byte{1}, content(t, left, left.Root(), "a"))
}

func TestCutAt_HappensAtThatFlush(t *testing.T) {
	d := New(8)
	f := file(t, d, d.Root(), "a")
	var told []uint64
	d.Flushing = func(n uint64) { told = append(told, n) }
	d.CutAt(2)
	require.NoError(t, d.Sync(f))
	require.ErrorIs(t, d.Sync(f), syscall.EIO)
	<-d.Dark()
	require.ErrorIs(t, d.Write(f, 0, []byte{1}), syscall.EIO)
	require.Equal(t, []uint64{1, 2}, told)
}

func TestFree_EndsInNoSpaceForWritesAndAllocations(t *testing.T) {
	d := New(9)
	f := file(t, d, d.Root(), "a")
	d.Free(2 * PageSize)
	require.NoError(t, d.Write(f, 0, []byte{1}))
	require.ErrorIs(t, d.Allocate(f, 0, 3*PageSize, true), syscall.ENOSPC)
	require.NoError(t, d.Allocate(f, 0, 2*PageSize, true))
	require.ErrorIs(t, d.Write(f, 2*PageSize, []byte{1}), syscall.ENOSPC)
	require.NoError(t, d.Write(f, PageSize, []byte{1}), "it was allocated")
	total, used, err := d.Space()
	require.NoError(t, err)
	require.Equal(t, []int64{2 * PageSize, 2 * PageSize}, []int64{total, used})
	require.NoError(t, d.SetSize(f, 0))
	require.NoError(t, d.Write(f, 0, []byte{1}))
	d.Free(-1)
	require.NoError(t, d.Write(f, 0, make([]byte, 9*PageSize)))
}

func TestStall_BlocksFlushesUntilReleaseOrCut(t *testing.T) {
	for _, end := range []func(*Disk){(*Disk).Release, (*Disk).Cut} {
		synctest.Test(t, func(t *testing.T) {
			d := New(10)
			f := file(t, d, d.Root(), "a")
			d.Stall()
			require.NoError(t, d.Write(f, 0, []byte{1}), "writes go on")
			result := make(chan error, 1)
			go func() { result <- d.Sync(f) }()
			synctest.Wait()
			require.Empty(t, result, "flush did not wait")
			end(d)
			<-result
		})
	}
}

func TestSlow_TakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(15)
		f := file(t, d, d.Root(), "a")
		d.Slow(20 * time.Millisecond)
		begun := time.Now()
		require.NoError(t, d.Write(f, 0, []byte{1}))
		require.NoError(t, d.Sync(f))
		require.Equal(t, 40*time.Millisecond, time.Since(begun))
	})
}

func TestFail_AnswersAndDoesNothing(t *testing.T) {
	d := New(11)
	d.Fail(true)
	file(t, d, d.Root(), "a")
	require.ErrorIs(t, d.Sync(d.Root()), syscall.EIO)
	require.Contains(t, outcomes(d, listing(t, (*Disk).Root)), "[]")
	d.Fail(false)
	require.NoError(t, d.Sync(d.Root()))
	require.NotContains(t, outcomes(d, listing(t, (*Disk).Root)), "[]")
}

func TestExport_AndImportKeepEverything(t *testing.T) {
	d := New(12)
	sub, _, err := d.Make(d.Root(), "sub", syscall.S_IFDIR|0o700, "")
	require.NoError(t, err)
	f := file(t, d, sub, "a")
	require.NoError(t, d.Write(f, 3*PageSize, []byte("end")))
	_, _, err = d.Make(d.Root(), "link", syscall.S_IFLNK|0o777, "sub/a")
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "out")
	require.NoError(t, d.Export(dir))
	raw, err := os.ReadFile(filepath.Join(dir, "link"))
	require.NoError(t, err)
	require.Equal(t, content(t, d, sub, "a"), raw)

	again := New(13)
	require.NoError(t, again.Import(dir))
	again = again.Crash(1)
	n, _, err := again.Lookup(again.Root(), "sub")
	require.NoError(t, err)
	require.Equal(t, raw, content(t, again, n, "a"))
	require.NoError(t, again.Import(filepath.Join(dir, "nothing")))
}

func TestRemove_RefusesWhatUnlinkAndRmdirRefuse(t *testing.T) {
	d := New(14)
	sub, _, err := d.Make(d.Root(), "sub", syscall.S_IFDIR|0o700, "")
	require.NoError(t, err)
	file(t, d, sub, "a")
	require.ErrorIs(t, d.Remove(d.Root(), "sub", true), syscall.ENOTEMPTY)
	require.ErrorIs(t, d.Remove(d.Root(), "sub", false), syscall.EISDIR)
	require.ErrorIs(t, d.Remove(sub, "a", true), syscall.ENOTDIR)
	require.ErrorIs(t, d.Remove(sub, "b", false), syscall.ENOENT)
	require.ErrorIs(t, d.Rename(sub, "a", d.Root(), "sub", true), syscall.EEXIST)
}

func keys(m map[string]int) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		out[k] = true
	}
	return out
}
