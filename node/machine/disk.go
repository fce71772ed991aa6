package machine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/durable"
)

// DiskOptions say how a node deals with a disk that fills up. The zero value is what a
// node should use that has a partition of its own.
type DiskOptions struct {
	// Low is the free space in bytes below which the node warns its operator. Zero is a
	// fifth of the file system, at most 8 GiB.
	Low uint64
	// Tight is the free space in bytes below which imports, enrolment, dumps and backups
	// are refused. Zero is a tenth of the file system, at least 512 MiB and at most 4 GiB.
	Tight uint64
	// Full is the free space in bytes below which the agreed state is not written any
	// more: the node only warns its devices and keeps their receipts, in the space that
	// the journal and the spool have taken beforehand. It goes on when a quarter more
	// than that is free again. Zero is 256 MiB: what Badger may still write by itself
	// (compaction of tables that were there before) must fit, because it writes through
	// memory maps, and on a full disk the process would die.
	Full uint64
	// Ballast is the size in bytes of a file that is given up at that moment, and kept
	// otherwise, so that there is room for what must go on. Zero is 128 MiB, a negative
	// size none.
	Ballast int64
	// FreeSpace tells the bytes free and in all on the file system of a path. Nil asks
	// the system.
	FreeSpace func(path string) (free, total uint64, err error)
}

// Defaults and bounds of SpaceOptions.
const (
	defaultFull    = 256 << 20
	defaultBallast = 128 << 20
	leastTight     = 512 << 20
	mostTight      = 4 << 30
	mostLow        = 8 << 30
	// startSpace is what Badger needs to open after any end, beyond its memtables.
	startSpace = 64 << 20
	diskTick   = time.Second
)

// level says how much room the disk has.
type level int

// The levels, each worse than the one before.
const (
	levelAmple level = iota
	levelLow         // the operator is warned
	levelTight       // imports, enrolment, dumps and backups are refused
	levelFull        // broadcast-only: the agreed state is not written
)

// String names the level for status, metrics and logs.
func (l level) String() string {
	return [...]string{"ample", "low", "tight", "broadcast-only"}[min(max(l, levelAmple), levelFull)]
}

// errStopping is why the state machine does not wait any longer.
var errStopping = errors.New("the node is stopping")

// Disk watches the disk of one data folder. Its methods may be called from any
// goroutine.
type Disk struct {
	dir     string
	o       DiskOptions
	log     *slog.Logger
	ballast *ballast
	changed func(full bool) // told of every change, in order; must not block

	mu          sync.Mutex
	level       level
	free, total uint64
	unknown     bool          // the system did not say
	roomy       chan struct{} // closed unless level is levelFull
	stopped     chan struct{}
	once        sync.Once
}

// NewDisk makes one for the data folder dir. onChange is told whether the disk is full, of
// every change, in order; it must not block.
func NewDisk(dir string, o DiskOptions, onChange func(full bool), log *slog.Logger) *Disk {
	if o.Full == 0 {
		o.Full = defaultFull
	}
	if o.Ballast == 0 {
		o.Ballast = defaultBallast
	}
	if o.FreeSpace == nil {
		o.FreeSpace = durable.Space
	}
	d := &Disk{
		dir: dir, o: o, log: log, ballast: newBallast(dir, o.Ballast), changed: onChange,
		roomy: make(chan struct{}), stopped: make(chan struct{}),
	}
	close(d.roomy)
	return d
}

// thresholds are the levels' bounds on a file system of total bytes.
func (o DiskOptions) thresholds(total uint64) (low, tight uint64) {
	low, tight = o.Low, o.Tight
	if tight == 0 {
		tight = min(max(total/10, leastTight), mostTight)
	}
	if low == 0 {
		low = max(min(total/5, mostLow), tight)
	}
	return low, tight
}

// judge is the level for what is free; before is the level so far, which is left only
// with a quarter to spare.
func (o DiskOptions) judge(free, total uint64, before level) level {
	low, tight := o.thresholds(total)
	for _, bound := range []struct {
		level level
		bytes uint64
	}{{levelFull, o.Full}, {levelTight, tight}, {levelLow, low}} {
		if before >= bound.level {
			bound.bytes += bound.bytes / 4
		}
		if free < bound.bytes {
			return bound.level
		}
	}
	return levelAmple
}

// Look asks the system and acts on a change. What the ballast must take back does not
// count as free.
func (d *Disk) Look() level {
	free, total, err := d.o.FreeSpace(d.dir)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		if !d.unknown {
			d.log.Error("the free space of the disk is not known", "error", err)
		}
		d.unknown = true
		return d.level
	}
	d.unknown, d.free, d.total = false, free, total
	own := free
	if d.level == levelFull {
		own -= min(own, d.ballast.missing())
	}
	d.enter(d.o.judge(own, total, d.level))
	return d.level
}

// enter changes the level. mu is held.
func (d *Disk) enter(level level) {
	before := d.level
	if level == before {
		return
	}
	d.level = level
	switch {
	case level == levelFull:
		d.roomy = make(chan struct{})
		if err := d.ballast.giveUp(); err != nil {
			d.log.Error("the ballast cannot be given up", "error", err)
		}
	case before == levelFull:
		close(d.roomy)
	}
	if (level == levelFull) != (before == levelFull) {
		d.changed(level == levelFull)
	}
	say := d.log.Warn
	if level == levelFull {
		say = d.log.Error
	}
	say("disk space: "+d.sentenceOf().Text, "level", level.String(), "before", before.String(), "free", d.free, "total", d.total)
}

// Room implements fsm.Hooks.Room: it returns when the agreed state may be written.
func (d *Disk) Room() error {
	for {
		if d.Look() != levelFull {
			return nil
		}
		d.mu.Lock()
		roomy := d.roomy
		d.mu.Unlock()
		select {
		case <-roomy:
		case <-d.stopped:
			return errStopping
		}
	}
}

// Full reports whether the node only warns its devices.
func (d *Disk) Full() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.level == levelFull
}

// Needs is how many bytes must be free while the agreed state is written, and to open it.
func (d *Disk) Needs() (writing, opening uint64) { return d.o.Full, min(d.o.Full, startSpace) }

// Stop lets the state machine go.
func (d *Disk) Stop() { d.once.Do(func() { close(d.stopped) }) }

// Run watches until ctx ends, and takes the ballast back when there is room for it.
func (d *Disk) Run(ctx context.Context) {
	tick := time.NewTicker(diskTick)
	defer tick.Stop()
	var failed bool
	for {
		if d.Look() < levelFull {
			err := d.restoreBallast()
			if err != nil && !failed {
				d.log.Warn("the ballast cannot be taken back yet", "error", err)
			}
			failed = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// restoreBallast takes the ballast unless that would end in broadcast-only mode.
func (d *Disk) restoreBallast() error {
	d.mu.Lock()
	free := d.free
	d.mu.Unlock()
	size := d.ballast.missing()
	if size == 0 || free < size+d.o.Full+d.o.Full/8 {
		return nil
	}
	return d.ballast.take()
}

// FreeBytes implements storage.Options.FreeSpace.
func (d *Disk) FreeBytes(path string) (uint64, error) {
	free, _, err := d.o.FreeSpace(path)
	return free, err
}

// Report calls onChange with what holds now.
func (d *Disk) Report() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changed(d.level == levelFull)
}

// Refusal is what imports, enrolment, dumps and backups are told; nil while there is
// room for them.
func (d *Disk) Refusal() error {
	if d.Look() < levelTight {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return wire.Problemf(wire.KindBusy, "nothing was changed: %s", d.sentenceOf()).Because(why.DiskFull)
}

// DumpRefusal implements fsm.Hooks.Dump.
func (d *Disk) DumpRefusal() error {
	if d.Look() < levelTight {
		return nil
	}
	return fmt.Errorf("writing a dump: %w", storage.ErrNoSpace)
}

// Sentence says what the level means and what to do; the zero value while there is room.
func (d *Disk) Sentence() why.Sentence {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.level == levelAmple {
		return why.Sentence{}
	}
	return d.sentenceOf()
}

// sentenceOf is sentence with mu held.
func (d *Disk) sentenceOf() why.Sentence {
	_, tight := d.o.thresholds(d.total)
	free := mebibytes(d.free)
	has := fmt.Sprintf("the disk of %s has %s free", d.dir, free)
	switch d.level {
	case levelFull:
		until := mebibytes(d.o.Full + d.o.Full/4 + d.ballast.missing())
		return why.Sayf("%s, so this node only warns its devices and keeps their receipts; delete files of other programs until %s are free, and it goes on by itself",
			has, until).Because(why.DiskBroadcasts, d.dir, free, until)
	case levelTight:
		until := mebibytes(tight + tight/4)
		return why.Sayf("%s, so imports, enrolment, dumps and backups are refused; delete files of other programs until %s are free", has, until).
			Because(why.DiskTight, d.dir, free, until)
	case levelLow:
		below := mebibytes(tight)
		return why.Sayf("%s; below %s imports, enrolment and backups are refused", has, below).Because(why.DiskLow, d.dir, free, below)
	}
	return why.Sentence{Text: has}
}

// Status is the disk as /api/v1/status shows it.
func (d *Disk) Status() wire.Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return wire.Disk{Level: d.level.String(), Free: d.free, Total: d.total, Ballast: d.ballast.held()}
}

func mebibytes(n uint64) string { return fmt.Sprintf("%d MiB", n>>20) }
