package journal

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/cluster/journal/journaltest"
)

// smallRing is 4 segments of 4 KiB per stream; a nil disk is this machine's.
func smallRing(t testing.TB, d *journaltest.Disk) Options {
	o := Options{Dir: t.TempDir(), Origin: "self", AlertsBytes: 16 << 10, ReceiptsBytes: 16 << 10, SegmentBytes: 4 << 10}
	if d != nil {
		o.Open = func(path string, size int64) (File, error) { return d.Open(path, size), nil }
	}
	return o
}

func openJournal(t testing.TB, o Options) *Journal {
	t.Helper()
	j, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// record makes one own fact.
func record(t testing.TB, j *Journal, body string) fact.Fact {
	t.Helper()
	f, err := tryWrite(t, j, body)
	require.NoError(t, err)
	return f
}

func tryWrite(t testing.TB, j *Journal, body string) (made fact.Fact, err error) {
	err = j.AppendOwn(fact.Alerts, func(epoch, seq uint64) (fact.Signed, fact.Fact, error) {
		s, f := journaltest.Named("self").Fact(t, fact.Alerts, epoch, seq, body)
		made = f
		return s, f, nil
	})
	return made, err
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}
