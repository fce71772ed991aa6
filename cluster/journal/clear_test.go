package journal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
)

// files is all that the segments of a journal hold.
func files(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	require.NoError(t, err)
	var all strings.Builder
	for _, name := range names {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		all.Write(raw)
	}
	return all.String()
}

func TestClear_OverwritesWhatWasAdoptedAndNothingElse(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	var last fact.Fact
	for range 5 { // more than a segment
		last = record(t, j, strings.Repeat("the words of Chan ", 60))
	}
	require.Contains(t, files(t, o.Dir), "Chan")
	marks := func(string, fact.Stream, uint64) uint64 { return last.Seq }
	j.Trim(marks)
	require.Contains(t, files(t, o.Dir), "Chan", "trimming alone leaves it")
	require.NoError(t, j.Clear())
	require.NotContains(t, files(t, o.Dir), "Chan")
	require.NoError(t, j.Clear(), "twice does no harm")

	waits := record(t, j, "what Lee waits for")
	require.Equal(t, last.Seq+1, waits.Seq)
	require.NoError(t, j.Clear())
	require.Contains(t, files(t, o.Dir), "Lee", "it is not adopted")
	require.NoError(t, j.Close())

	again := openJournal(t, o)
	require.Equal(t, j.Epoch(), again.Epoch())
	require.Equal(t, waits.Seq+1, record(t, again, "next").Seq, "no number is given twice")
}

// All is adopted and cleared; the next process must not begin with the first number again.
func TestClear_NumbersGoOnAfterAStart(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	last := record(t, j, "Chan")
	j.Trim(func(string, fact.Stream, uint64) uint64 { return last.Seq })
	require.NoError(t, j.Clear())
	require.NoError(t, j.Close())
	again := openJournal(t, o)
	require.Equal(t, last.Seq+1, record(t, again, "next").Seq)
	require.Equal(t, j.Epoch(), again.Epoch())
}

func TestClear_ASegmentIsUsedWhileAnotherIsCleared(t *testing.T) {
	o := smallRing(t, nil)
	j := openJournal(t, o)
	for round := range 20 { // the ring goes round several times
		for range 5 {
			last := record(t, j, strings.Repeat("x", 1000))
			j.Trim(func(string, fact.Stream, uint64) uint64 { return last.Seq })
		}
		require.NoError(t, j.Clear(), round)
	}
}
