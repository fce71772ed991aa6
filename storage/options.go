package storage

import (
	"fmt"
	"log/slog"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"almenara/storage/durable"
)

// Options are the settings of a Store. The zero value is what a node should use.
type Options struct {
	// MemTableSize is the size in bytes of one of the two memtables. Zero means
	// 16 MiB; at least 8 MiB, because one transaction may hold 15 % of it and one
	// log entry must fit.
	MemTableSize int64

	// MinFree is the space in bytes that must be free, beyond what is written, before
	// a dump or an install starts. Badger writes through memory maps: on a full disk the
	// process dies by SIGBUS. Zero means 256 MiB.
	MinFree uint64

	// OpenFree is the space in bytes that must be free, beyond the memtables' own,
	// before the database is opened. Zero means MinFree; a caller that writes nothing
	// while less than MinFree is free may take less.
	OpenFree uint64

	// FreeSpace tells the bytes free on the file system of a path. Nil asks the
	// system.
	FreeSpace func(path string) (uint64, error)

	// Logger gets Badger's warnings and errors. Nil means slog.Default.
	Logger *slog.Logger
}

// blockCache is how many bytes of tables stay decoded in memory. What is read often is the
// newest, and few: of 20,000 alerts that are over, a list reads the last 100. More would only
// be filled by whoever looks through history (DESIGN.md, "What history costs").
const blockCache = 8 << 20

// Limits of Options.
const (
	DefaultMemTableSize = 16 << 20
	MinMemTableSize     = 8 << 20
	DefaultMinFree      = 256 << 20
)

// withDefaults fills in what zero stands for and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	if o.MemTableSize == 0 {
		o.MemTableSize = DefaultMemTableSize
	}
	if o.MemTableSize < MinMemTableSize {
		return o, fmt.Errorf("memtable of %d bytes is under the least of %d", o.MemTableSize, MinMemTableSize)
	}
	if o.MinFree == 0 {
		o.MinFree = DefaultMinFree
	}
	if o.OpenFree == 0 {
		o.OpenFree = o.MinFree
	}
	if o.FreeSpace == nil {
		o.FreeSpace = freeSpace
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, nil
}

// badger is the option block for boxes of 1 to 4 GB. SyncWrites must stay on:
// without it Badger rotates a memtable whose log was never synced, and a power cut
// then loses committed transactions below an applied index that survived
// (DESIGN.md, "Why every commit is synced"). Values are all under 1 MiB, so the
// value log is never used and never collected.
func (o Options) badger(dir string) badger.Options {
	return badger.DefaultOptions(dir).
		WithSyncWrites(durable.Synced(durable.PartStore)).WithDetectConflicts(false).WithNumVersionsToKeep(1).
		WithMemTableSize(o.MemTableSize).WithNumMemtables(2).
		WithNumLevelZeroTables(4).WithNumLevelZeroTablesStall(8).
		WithNumCompactors(2).WithNumGoroutines(2).
		WithValueThreshold(1 << 20).WithValueLogFileSize(16 << 20).
		WithBlockCacheSize(blockCache).WithIndexCacheSize(0).
		WithCompression(options.Snappy).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithBypassLockGuard(true). // Open locks the folder; Badger's lock stays where a process is being started beside it
		WithMetricsEnabled(false).WithLogger(badgerLog{o.Logger})
}

// checkSpace refuses to go on when less than least and extra bytes are free.
func (o Options) checkSpace(dir string, least, extra uint64) error {
	free, err := o.FreeSpace(dir)
	if err != nil {
		return fmt.Errorf("asking for free space of %s: %w", dir, err)
	}
	if need := least + extra; free < need {
		return fmt.Errorf("%w: %d bytes free in %s, %d needed", ErrNoSpace, free, dir, need)
	}
	return nil
}

// freeSpace is what an unprivileged process may still write.
func freeSpace(dir string) (uint64, error) {
	free, _, err := durable.Space(dir)
	return free, err
}

// badgerLog passes on Badger's warnings and errors only.
type badgerLog struct{ log *slog.Logger }

func (l badgerLog) Errorf(format string, a ...any) {
	l.log.Error("badger", "message", fmt.Sprintf(format, a...))
}

func (l badgerLog) Warningf(format string, a ...any) {
	l.log.Warn("badger", "message", fmt.Sprintf(format, a...))
}

func (badgerLog) Infof(string, ...any)  {}
func (badgerLog) Debugf(string, ...any) {}
