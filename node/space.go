package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/durable"
)

// SpaceOptions say how a node deals with a disk that fills up. The zero value is what a
// node should use that has a partition of its own.
type SpaceOptions struct {
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
	spaceTick  = time.Second
)

// spaceLevel says how much room the disk has.
type spaceLevel int

// The levels, each worse than the one before.
const (
	spaceAmple spaceLevel = iota
	spaceLow              // the operator is warned
	spaceTight            // imports, enrolment, dumps and backups are refused
	spaceFull             // broadcast-only: the agreed state is not written
)

// String names the level for status, metrics and logs.
func (l spaceLevel) String() string {
	return [...]string{"ample", "low", "tight", "broadcast-only"}[min(max(l, spaceAmple), spaceFull)]
}

// errStopping is why the state machine does not wait any longer.
var errStopping = errors.New("the node is stopping")

// space watches the disk of one data folder. Its methods may be called from any
// goroutine.
type space struct {
	dir      string
	o        SpaceOptions
	log      *slog.Logger
	ballast  *ballast
	onChange func(full bool) // told of every change, in order; must not block

	mu          sync.Mutex
	level       spaceLevel
	free, total uint64
	unknown     bool          // the system did not say
	roomy       chan struct{} // closed unless level is spaceFull
	stopped     chan struct{}
	once        sync.Once
}

func newSpace(dir string, o SpaceOptions, log *slog.Logger) *space {
	if o.Full == 0 {
		o.Full = defaultFull
	}
	if o.Ballast == 0 {
		o.Ballast = defaultBallast
	}
	if o.FreeSpace == nil {
		o.FreeSpace = durable.Space
	}
	s := &space{
		dir: dir, o: o, log: log, ballast: newBallast(dir, o.Ballast), onChange: func(bool) {},
		roomy: make(chan struct{}), stopped: make(chan struct{}),
	}
	close(s.roomy)
	return s
}

// thresholds are the levels' bounds on a file system of total bytes.
func (o SpaceOptions) thresholds(total uint64) (low, tight uint64) {
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
func (o SpaceOptions) judge(free, total uint64, before spaceLevel) spaceLevel {
	low, tight := o.thresholds(total)
	for _, bound := range []struct {
		level spaceLevel
		bytes uint64
	}{{spaceFull, o.Full}, {spaceTight, tight}, {spaceLow, low}} {
		if before >= bound.level {
			bound.bytes += bound.bytes / 4
		}
		if free < bound.bytes {
			return bound.level
		}
	}
	return spaceAmple
}

// look asks the system and acts on a change. What the ballast must take back does not
// count as free.
func (s *space) look() spaceLevel {
	free, total, err := s.o.FreeSpace(s.dir)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if !s.unknown {
			s.log.Error("the free space of the disk is not known", "error", err)
		}
		s.unknown = true
		return s.level
	}
	s.unknown, s.free, s.total = false, free, total
	own := free
	if s.level == spaceFull {
		own -= min(own, s.ballast.missing())
	}
	s.enter(s.o.judge(own, total, s.level))
	return s.level
}

// enter changes the level. mu is held.
func (s *space) enter(level spaceLevel) {
	before := s.level
	if level == before {
		return
	}
	s.level = level
	switch {
	case level == spaceFull:
		s.roomy = make(chan struct{})
		if err := s.ballast.giveUp(); err != nil {
			s.log.Error("the ballast cannot be given up", "error", err)
		}
	case before == spaceFull:
		close(s.roomy)
	}
	if (level == spaceFull) != (before == spaceFull) {
		s.onChange(level == spaceFull)
	}
	say := s.log.Warn
	if level == spaceFull {
		say = s.log.Error
	}
	say("disk space: "+s.sentenceOf(), "level", level.String(), "before", before.String(), "free", s.free, "total", s.total)
}

// room implements fsm.Hooks.Room: it returns when the agreed state may be written.
func (s *space) room() error {
	for {
		if s.look() != spaceFull {
			return nil
		}
		s.mu.Lock()
		roomy := s.roomy
		s.mu.Unlock()
		select {
		case <-roomy:
		case <-s.stopped:
			return errStopping
		}
	}
}

// full reports whether the node only warns its devices.
func (s *space) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.level == spaceFull
}

// stop lets the state machine go.
func (s *space) stop() { s.once.Do(func() { close(s.stopped) }) }

// run watches until ctx ends, and takes the ballast back when there is room for it.
func (s *space) run(ctx context.Context) {
	tick := time.NewTicker(spaceTick)
	defer tick.Stop()
	var failed bool
	for {
		if s.look() < spaceFull {
			err := s.restoreBallast()
			if err != nil && !failed {
				s.log.Warn("the ballast cannot be taken back yet", "error", err)
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
func (s *space) restoreBallast() error {
	s.mu.Lock()
	free := s.free
	s.mu.Unlock()
	size := s.ballast.missing()
	if size == 0 || free < size+s.o.Full+s.o.Full/8 {
		return nil
	}
	return s.ballast.take()
}

// freeBytes implements storage.Options.FreeSpace.
func (s *space) freeBytes(path string) (uint64, error) {
	free, _, err := s.o.FreeSpace(path)
	return free, err
}

// tell calls onChange with what holds now.
func (s *space) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onChange(s.level == spaceFull)
}

// spaceChanged tells raft, once there is one.
func (n *Node) spaceChanged(full bool) {
	select {
	case <-n.joined:
		n.cluster.SetFull(full)
	default: // openCluster tells it
	}
}

// refusal is what imports, enrolment, dumps and backups are told; nil while there is
// room for them.
func (s *space) refusal() error {
	if s.look() < spaceTight {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return wire.Problemf(wire.KindBusy, "nothing was changed: %s", s.sentenceOf())
}

// noDump implements fsm.Hooks.Dump.
func (s *space) noDump() error {
	if s.look() < spaceTight {
		return nil
	}
	return fmt.Errorf("writing a dump: %w", storage.ErrNoSpace)
}

// sentence says what the level means and what to do; "" while there is room.
func (s *space) sentence() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.level == spaceAmple {
		return ""
	}
	return s.sentenceOf()
}

// sentenceOf is sentence with mu held.
func (s *space) sentenceOf() string {
	_, tight := s.o.thresholds(s.total)
	has := fmt.Sprintf("the disk of %s has %s free", s.dir, mebibytes(s.free))
	switch s.level {
	case spaceFull:
		return fmt.Sprintf("%s, so this node only warns its devices and keeps their receipts; delete files of other programs until %s are free, and it goes on by itself",
			has, mebibytes(s.o.Full+s.o.Full/4+s.ballast.missing()))
	case spaceTight:
		return fmt.Sprintf("%s, so imports, enrolment, dumps and backups are refused; delete files of other programs until %s are free", has, mebibytes(tight+tight/4))
	case spaceLow:
		return has + "; below " + mebibytes(tight) + " imports, enrolment and backups are refused"
	}
	return has
}

// status is the disk as /api/v1/status shows it.
func (s *space) status() wire.Disk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return wire.Disk{Level: s.level.String(), Free: s.free, Total: s.total, Ballast: s.ballast.held()}
}

func mebibytes(n uint64) string { return fmt.Sprintf("%d MiB", n>>20) }
