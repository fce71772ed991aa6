//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"

	"almenara/cluster/fact"
	"almenara/cluster/identity"
)

// check opens what a cut left in dir and says which promise is broken; nil is none.
func check(dir string, promise promised, o *oracle) (err error) {
	if !promise.ready {
		return checkUnfinished(dir)
	}
	if err := checkFiles(dir, promise); err != nil {
		return err
	}
	p, err := openParts(dir)
	if err != nil {
		return fmt.Errorf("opening again: %w", err)
	}
	defer func() { err = errors.Join(err, p.close()) }()
	c := &checker{parts: p, promise: promise, oracle: o}
	for _, step := range []func() error{c.applied, c.logged, c.replayed, c.journaled, c.numbered} {
		if err := step(); err != nil {
			return err
		}
	}
	if p.halted != nil {
		return fmt.Errorf("the state machine halted: %w", p.halted)
	}
	return nil
}

// checkUnfinished looks at a first start that was cut short: the next one must succeed.
func checkUnfinished(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	p, err := openParts(dir)
	if err != nil {
		return fmt.Errorf("opening again after an unfinished first start: %w", err)
	}
	return p.close()
}

// checkFiles looks at the small files before anything is opened.
func checkFiles(dir string, promise promised) error {
	settings, err := readSettings(dir)
	if err != nil {
		return err
	}
	if settings < promise.settings {
		return fmt.Errorf("settings of version %d were acknowledged, the disk has version %d", promise.settings, settings)
	}
	_, err = identity.Load(dir)
	if errors.Is(err, identity.ErrNoIdentity) && !promise.identity {
		err = nil
	}
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "clock"))
	if promise.hlc == 0 && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(raw) != 12 || binary.LittleEndian.Uint64(raw) < promise.hlc {
		return fmt.Errorf("a fact has the time %d, the clock's ceiling on disk is %x: times may be given twice", promise.hlc, raw)
	}
	return nil
}

// checker compares reopened parts with what was promised.
type checker struct {
	*parts
	promise promised
	oracle  *oracle
}

// applied: the state is that of some prefix of the log which holds all that was
// acknowledged.
func (c *checker) applied() error {
	index, sum, err := hashOf(c.state)
	if err != nil {
		return err
	}
	want, known := c.oracle.hashes[index]
	if !known {
		return fmt.Errorf("the store has applied %d, which was never decided", index)
	}
	if sum != want {
		return fmt.Errorf("the store says that it has applied %d, but its state is another one: %s instead of %s", index, sum, want)
	}
	if index < c.promise.applied {
		return fmt.Errorf("entry %d was acknowledged as applied, the store has applied %d", c.promise.applied, index)
	}
	return c.store.Verify(context.Background())
}

// logged: the log has every acknowledged entry that the state machine may need.
func (c *checker) logged() error {
	first, err1 := c.log.FirstIndex()
	last, err2 := c.log.LastIndex()
	term, err3 := c.log.GetUint64([]byte("CurrentTerm"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if last < c.promise.last {
		return fmt.Errorf("entry %d was acknowledged as logged, the log ends at %d", c.promise.last, last)
	}
	if first > c.state.Applied()+1 {
		return fmt.Errorf("the log begins at %d, the store has applied %d: what is between is lost", first, c.state.Applied())
	}
	if term < c.promise.term {
		return fmt.Errorf("term %d was acknowledged, the log has %d: a vote may be given twice", c.promise.term, term)
	}
	for index := first; index <= last && first > 0; index++ {
		var l raft.Log
		if err := c.log.GetLog(index, &l); err != nil {
			return fmt.Errorf("reading entry %d: %w", index, err)
		}
		if want, ok := c.promise.entries[index]; ok && sumOf(&l) != want {
			return fmt.Errorf("entry %d of the log is not the one that was acknowledged", index)
		}
	}
	return nil
}

// replayed: what was acknowledged and is only in the log can be applied, and gives the
// state that it should.
func (c *checker) replayed() error {
	to := c.promise.applied
	for index := c.state.Applied() + 1; index <= to; index++ {
		var l raft.Log
		if err := c.log.GetLog(index, &l); err != nil {
			return fmt.Errorf("reading entry %d: %w", index, err)
		}
		if err, bad := c.state.Apply(&l).(error); bad {
			return fmt.Errorf("applying entry %d again: %w", index, err)
		}
	}
	index, sum, err := hashOf(c.state)
	if err == nil && sum != c.oracle.hashes[index] {
		err = fmt.Errorf("after replaying the log to %d the state is another one", index)
	}
	return err
}

// journaled: every fact that was told is in the state machine or in the journal.
func (c *checker) journaled() error {
	for _, f := range c.promise.facts {
		if f.Seq <= c.mark(self, f.Stream, f.Epoch) {
			continue
		}
		page, err := c.journal.After(self, f.Stream, f.Epoch, f.Seq-1, 1)
		if err != nil {
			return err
		}
		if len(page) == 0 || page[0].ID().String() != f.ID {
			return fmt.Errorf("fact %d of stream %d, acknowledged, is neither in the journal nor in the state machine", f.Seq, f.Stream)
		}
	}
	return nil
}

// numbered: facts that are made now get places of their own, and times after all
// others.
func (c *checker) numbered() error {
	if err := c.startExchange(); err != nil {
		return err
	}
	for _, stream := range []fact.Stream{fact.Alerts, fact.Receipts} {
		kind := map[fact.Stream]fact.Kind{fact.Alerts: fact.KindAlert, fact.Receipts: fact.KindReceipts}[stream]
		p, err := c.exchange.Create(context.Background(), kind, stream, []byte("after the cut"))
		if err != nil || !p.Durable() {
			return fmt.Errorf("making a fact after the cut: %w", errors.Join(err, c.parts.halted))
		}
		if was, taken := c.promise.given(stream, p.Fact.Epoch, p.Fact.Seq); taken {
			return fmt.Errorf("number %d of stream %d was given again, fact %s had it", p.Fact.Seq, stream, was.ID)
		}
		if p.Fact.HLC <= c.promise.hlc {
			return fmt.Errorf("time %d was given after %d", p.Fact.HLC, c.promise.hlc)
		}
	}
	return nil
}
