package machine

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// card is a disk of the test's making.
type card struct {
	free, total atomic.Uint64
	broken      atomic.Bool
}

func newCard(free, total uint64) *card {
	c := &card{}
	c.free.Store(free)
	c.total.Store(total)
	return c
}

func (c *card) space(string) (free, total uint64, err error) {
	if c.broken.Load() {
		return 0, 0, errors.New("no answer")
	}
	return c.free.Load(), c.total.Load(), nil
}

func watch(t *testing.T, c *card, ballast int64) *Disk {
	return NewDisk(t.TempDir(), DiskOptions{FreeSpace: c.space, Ballast: ballast}, func(bool) {}, slog.New(slog.DiscardHandler))
}

func TestDisk_DefaultsAreTheDocumentedOnes(t *testing.T) {
	for _, row := range []struct {
		total, low, tight uint64
	}{
		{1 << 30, 512 << 20, 512 << 20},
		{8 << 30, 8 << 30 / 5, 8 << 30 / 10},
		{1 << 40, 8 << 30, 4 << 30},
	} {
		low, tight := DiskOptions{}.thresholds(row.total)
		require.Equal(t, row.low, low)
		require.Equal(t, row.tight, tight)
	}
}

func TestDisk_LeavesALevelOnlyWithAQuarterToSpare(t *testing.T) {
	c := newCard(8<<30, 16<<30)
	s := watch(t, c, -1)
	var told []bool
	s.changed = func(full bool) { told = append(told, full) }
	for _, step := range []struct {
		free uint64
		want level
	}{
		{8 << 30, levelAmple}, {3 << 30, levelLow}, {3900 << 20, levelLow}, {4200 << 20, levelAmple},
		{1 << 30, levelTight}, {1800 << 20, levelTight}, {255 << 20, levelFull}, {319 << 20, levelFull},
		{320 << 20, levelTight}, {5 << 30, levelAmple},
	} {
		c.free.Store(step.free)
		require.Equal(t, step.want, s.Look(), "%d MiB", step.free>>20)
		require.Equal(t, step.want >= levelTight, s.Refusal() != nil)
		require.Equal(t, step.want == levelAmple, s.Sentence().Text == "")
	}
	require.Equal(t, []bool{true, false}, told)
}

func TestDisk_KeepsItsLevelWhileTheSystemDoesNotAnswer(t *testing.T) {
	c := newCard(100<<20, 1<<30)
	s := watch(t, c, -1)
	require.Equal(t, levelFull, s.Look())
	c.broken.Store(true)
	require.Equal(t, levelFull, s.Look())
}

func TestDisk_StateMachineWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCard(100<<20, 1<<30)
		s := watch(t, c, -1)
		entered := make(chan error, 1)
		go func() { entered <- s.Room() }()
		synctest.Wait()
		require.Empty(t, entered, "the state was written on a full disk")
		c.free.Store(300 << 20) // not a quarter more yet
		s.Look()
		synctest.Wait()
		require.Empty(t, entered)
		c.free.Store(330 << 20)
		s.Look()
		require.NoError(t, <-entered)

		c.free.Store(0)
		go func() { entered <- s.Room() }()
		synctest.Wait()
		s.Stop()
		s.Stop()
		require.ErrorIs(t, <-entered, errStopping)
	})
}

func TestDisk_GivesTheBallastUpAndTakesItBack(t *testing.T) {
	const size = 1 << 20
	c := newCard(1<<30, 2<<30)
	s := watch(t, c, size)
	path := filepath.Join(s.dir, ballastFile)
	s.Look()
	require.NoError(t, s.restoreBallast())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, size, info.Size())

	c.free.Store(200 << 20)
	require.Equal(t, levelFull, s.Look())
	require.NoFileExists(t, path)
	require.NoError(t, s.restoreBallast())
	require.NoFileExists(t, path, "it was taken back on a full disk")
	c.free.Store(320<<20 + size/2) // enough only if what the ballast must take back counted
	require.Equal(t, levelFull, s.Look())
	c.free.Store(320<<20 + size)
	require.Equal(t, levelTight, s.Look())
	require.NoError(t, s.restoreBallast())
	require.FileExists(t, path)
	require.EqualValues(t, size, s.Status().Ballast)

	again := newBallast(s.dir, size)
	require.Zero(t, again.missing(), "a ballast that is there is known after a restart")
	require.Zero(t, newBallast(s.dir, -1).missing())
	require.NoFileExists(t, path, "a ballast that is not wanted any more must not take space")
}

func TestDisk_SaysEverythingInOneSentence(t *testing.T) {
	c := newCard(100<<20, 1<<30)
	s := watch(t, c, -1)
	s.Look()
	require.Regexp(t, `^the disk of .* has 100 MiB free, so this node only warns its devices .* until 320 MiB are free, and it goes on by itself$`, s.Sentence().Text)
}
