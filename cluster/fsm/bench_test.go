package fsm

import (
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/receipt"
)

const benchMembers = 1_000_000

func benchStore(b *testing.B, dir string) (*storage.Store, *FSM) {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	s, err := storage.Open(dir, storage.Options{Logger: quiet})
	require.NoError(b, err)
	f, err := New(s, Hooks{Halt: func(err error) { b.Error(err) }, Logger: quiet})
	require.NoError(b, err)
	return s, f
}

func applyAll(b *testing.B, f *FSM, logs []*raft.Log) {
	b.Helper()
	for len(logs) > 0 {
		n := min(64, len(logs))
		for _, r := range f.ApplyBatch(logs[:n]) {
			require.NoError(b, resultOf(b, r).Error())
		}
		logs = logs[n:]
	}
}

// bytesUnder is what the files below dir take on disk as far as they were written.
func bytesUnder(b *testing.B, dir, pattern string) (total int64) {
	require.NoError(b, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if ok, _ := filepath.Match(pattern, filepath.Base(path)); ok && !e.IsDir() {
			info, err := e.Info()
			require.NoError(b, err)
			total += info.Size()
		}
		return err
	}))
	return total
}

// BenchmarkMillion takes a million members in by stage, activate and fold, then opens
// the store again, dumps it and installs the dump.
func BenchmarkMillion(b *testing.B) {
	for range b.N {
		dir := b.TempDir()
		store, f := benchStore(b, dir)
		const chunk = 1500
		chunks := (benchMembers + chunk - 1) / chunk
		s := newScript(b)
		for i := range chunks {
			s.add(&command.StageMembers{Import: "i", Chunk: uint32(i), Members: members(i*chunk, min(chunk, benchMembers-i*chunk))})
		}
		s.add(&command.ActivateImport{Import: "i", Chunks: uint32(chunks), Replace: true})
		staging := timed(b, "stage-s", func() { applyAll(b, f, s.logs) })
		s.logs = nil
		for i := range chunks + benchMembers/command.SweepStep + 1 {
			s.add(&command.FoldImport{Import: "i", Chunk: uint32(i)})
		}
		folding := timed(b, "fold-s", func() { applyAll(b, f, s.logs) })
		b.ReportMetric(benchMembers/(staging+folding).Seconds(), "members/s")
		require.Equal(b, benchMembers, f.Derived().Index.Len())
		require.NoError(b, store.Close())
		cpu := cpuTime(b)
		timed(b, "reopen-s", func() { store, f = benchStore(b, dir) })
		b.ReportMetric((cpuTime(b) - cpu).Seconds(), "reopen-cpu-s")
		require.Equal(b, benchMembers, f.Derived().Index.Len())
		b.ReportMetric(float64(bytesUnder(b, dir, "*.sst"))/1e6, "tables-MB")
		timed(b, "hash-s", func() { _, _, err := f.StateHash(); require.NoError(b, err) })
		timed(b, "verify-s", func() { require.NoError(b, store.Verify(b.Context())) })
		var d *storage.Dump
		timed(b, "dump-s", func() { d = must(store.Dump()) })
		b.ReportMetric(float64(d.Size)/1e6, "dump-MB")
		timed(b, "install-s", func() { require.NoError(b, f.Restore(d)) })
		require.NoError(b, store.Close())
	}
}

// cpuTime is what this process has used: on a busy machine it says more than the clock.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func timed(b *testing.B, name string, fn func()) time.Duration {
	began := time.Now()
	fn()
	took := time.Since(began)
	b.ReportMetric(took.Seconds(), name)
	return took
}

// BenchmarkReceipts adopts blocks of 2,000 receipts, 8 per entry.
func BenchmarkReceipts(b *testing.B) {
	dir := b.TempDir()
	store, f := benchStore(b, dir)
	defer func() { require.NoError(b, store.Close()) }()
	s, o := newScript(b), newOrigin("node-a")
	id := keyOf("A1").ID()
	const entries, blocks = 32, 8
	for e := range entries {
		var facts []fact.Signed
		for k := range blocks {
			members := make([]uint32, receipt.MaxReceipts)
			for i := range members {
				members[i] = uint32((e*blocks+k)*receipt.MaxReceipts + i)
			}
			facts = append(facts, o.receipts(b, id, 5, receipt.Presented, members...))
		}
		s.add(&command.AdoptFacts{Facts: facts})
	}
	b.ResetTimer()
	for range b.N {
		for _, l := range s.logs {
			l.Index = f.Applied() + 1
			require.NoError(b, resultOf(b, f.Apply(l)).Error())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*entries*blocks*receipt.MaxReceipts), "ns/receipt")
}
