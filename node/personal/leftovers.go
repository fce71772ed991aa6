package personal

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/durable"
	"almenara/storage/personal"
	"almenara/storage/wait"
)

// How the log of changes is moved on: an entry stays on the disks of nodes that run for 4,096 more entries,
// which a node that was away may ask for, and then until the file of 8 MiB in which it stands is left behind.
const (
	padBytes   = 2 << 10
	padEntries = 4096 + 4096 + 128
	padAtOnce  = 4
	padPause   = 2 * time.Millisecond // so that what else is proposed comes between
	largeStore = 256 << 20            // bytes; a larger store is written anew at night only
	cleanName  = "erased.index"       // in the data folder

	// MostWait is how long after a person was erased an emergency puts off that files are written anew.
	MostWait = 72 * time.Hour
)

// Book is what people reported or answered, in the memory of this node; *reports.Book and *residents.Book are.
type Book interface {
	// Forget forgets what is gone, and returns how much it has forgotten: what members reported that were erased, and
	// what was taken, ms since 1970, before the time that is given for its kind.
	Forget(erased func(member uint32) bool, before func(personal.What) int64) int
	// Relearn takes an agreed fact, which has lost words, in the place of what is known of it.
	Relearn(f fact.Fact)
	// Photos are the digests of the photos of what is known.
	Photos() [][]byte
}

// Photos are the photos of reports and answers; *originals.Keeper is one.
type Photos interface {
	// ForgetPhotos removes those that are not named. It leaves those that came within the last minute, whose
	// reports may be on their way, and returns false where there is one.
	ForgetPhotos(named func(sum []byte) bool) bool
}

// leftovers are what is left of erased persons in the files of this node, besides what is agreed. done may be
// called from any goroutine, the others by one at a time each.
type leftovers struct {
	o      Options
	clean  atomic.Uint64
	waited atomic.Bool // for the end of an emergency, when it was looked last

	// Of the duty alone.
	rewritten uint64 // the store was written anew with that applied
	forgotten string // what was erased and removed when memory and photos were gone through last
}

// openLeftovers reads how far this node's files were written anew. A file that cannot be read says: not at all.
func openLeftovers(o Options) *leftovers {
	l := &leftovers{o: o}
	if raw, err := os.ReadFile(filepath.Join(o.Dir, cleanName)); err == nil && len(raw) == 8 {
		l.clean.Store(binary.BigEndian.Uint64(raw))
	}
	return l
}

// done is the raft index up to which nothing of erased persons is in the files of this node.
func (l *leftovers) done() uint64 { return l.clean.Load() }

// wanted is the raft index up to which it has to be so, and whether a search is still under way, or an emergency is in
// force for which it waits.
func (l *leftovers) wanted() (index uint64, later bool, err error) {
	var oldest int64 // of those that are left to do, when they were asked for, or something came late
	err = l.o.Store.View(func(t *storage.Txn) error {
		return personal.Erasures.Each(t, func(x personal.Erasure) error {
			index, later = max(index, x.DoneAt), later || !x.Done()
			if asked := max(x.At, x.Late); x.Done() && x.DoneAt > l.done() && (oldest == 0 || asked < oldest) {
				oldest = asked
			}
			return nil
		})
	})
	waits := oldest > 0 && l.waits(oldest)
	if !l.waited.Swap(waits) && waits {
		l.o.Logger.Info("an emergency is in force: what is left of erased persons in files is removed when it is over, or 72 hours after they were erased")
	}
	return index, later || waits, err
}

// waits reports whether what is left of somebody who was erased at that time, ms since 1970, waits for the end of an
// emergency: the log and the disk are for that.
func (l *leftovers) waits(at int64) bool {
	return l.o.Emergency() && l.o.Clock().Sub(time.UnixMilli(at)) < MostWait
}

// moveLog moves the log of changes on until no node has the entries that name the person. It costs 16 MiB of writing for
// each time that persons are erased, and leaves off while an emergency is in force, for a bounded time.
func (l *leftovers) moveLog(ctx context.Context) error {
	want, later, err := l.wanted()
	if err != nil || later || want == 0 || l.done() >= want {
		return err
	}
	entry, err := command.Command{At: l.o.Clock().UnixMilli(), Payload: &command.Pad{Zeros: make([]byte, padBytes)}}.Encode()
	if err != nil {
		return fmt.Errorf("moving the log on: %w", err)
	}
	for ctx.Err() == nil {
		if _, applied := l.o.Log(); applied >= want+padEntries {
			return nil
		}
		if _, later, err := l.wanted(); err != nil || later { // it goes on from there
			return err
		}
		var some errgroup.Group
		for range padAtOnce {
			some.Go(func() error { _, err := l.o.Propose(ctx, entry); return err })
		}
		if err := some.Wait(); err != nil {
			return fmt.Errorf("moving the log on: %w", err)
		}
		wait.Sleep(ctx, padPause)
	}
	return context.Cause(ctx)
}

// clear writes this node's files anew where they may hold something of an erased person, and remembers that.
func (l *leftovers) clear() error {
	photos, err := l.forget()
	if err != nil {
		return err
	}
	want, later, err := l.wanted()
	if err != nil || later || want == 0 || l.done() >= want {
		return err
	}
	if l.rewritten < want {
		if hour := l.o.Clock().Local().Hour(); l.o.Store.Size() > largeStore && (hour < 3 || hour > 4) {
			return nil
		}
		if err := l.o.Store.Rewrite(); err != nil {
			return fmt.Errorf("writing the store anew: %w", err)
		}
		l.rewritten = want
		l.o.Logger.Info("the store was written anew, without what was erased")
	}
	if err := l.o.Journal(); err != nil {
		return fmt.Errorf("clearing the journal: %w", err)
	}
	if first, _ := l.o.Log(); first <= want || !photos {
		return nil
	}
	if err := durable.WriteFile(filepath.Join(l.o.Dir, cleanName), binary.BigEndian.AppendUint64(nil, want)); err != nil {
		return fmt.Errorf("remembering what was cleared: %w", err)
	}
	l.clean.Store(want)
	return nil
}
