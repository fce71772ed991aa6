//go:build linux

package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/cluster/journal"
	"almenara/cluster/raftlog"
	"almenara/storage"
)

// self is the origin of the facts that the workload makes.
const self = "node-1"

// Sizes of the small node: memtables as small as they may be, so that they rotate; a
// journal whose segments are used again.
const (
	ringBytes    = 1280 << 10
	segmentBytes = 256 << 10
	trailingLogs = 24
)

var signingKey = func() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(self))
	return ed25519.NewKeyFromSeed(seed[:])
}()

// parts are the durable parts of a node over one directory, joined as in package node
// but for raft itself: the log is written and applied in the order of propose.
type parts struct {
	dir      string
	halted   error
	store    *storage.Store
	state    *fsm.FSM
	log      raftlog.Store
	journal  *journal.Journal
	clock    *fact.Clock
	exchange *exchange.Exchange

	hooks    fsm.Hooks
	onNew    func(fact.Fact, fact.Signed)
	adopting func(context.Context, []fact.Signed) error // the exchange's way to propose

	mu   sync.Mutex // one entry or batch at a time
	next uint64     // index of the next entry
}

var quiet = slog.New(slog.DiscardHandler)

// openParts opens everything in dir, or makes it. The exchange is started by whoever wants
// it.
func openParts(dir string) (p *parts, err error) {
	p = &parts{dir: dir, onNew: func(fact.Fact, fact.Signed) {}}
	p.adopting = func(ctx context.Context, _ []fact.Signed) error { <-ctx.Done(); return ctx.Err() }
	p.hooks = fsm.Hooks{Halt: func(err error) { p.halted = err }, Logger: quiet}
	p.hooks.Adopted = func(s fact.Signed, _ fact.Fact, _ command.FactOutcome) {
		if p.exchange != nil {
			p.exchange.Adopted(s)
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.state, p.store, err = openState(filepath.Join(dir, "store"), p.hooks); err != nil {
		return p, err
	}
	if p.log, err = raftlog.OpenWAL(filepath.Join(dir, "raft"), hclog.NewNullLogger()); err != nil {
		return p, err
	}
	if p.journal, err = journal.Open(journal.Options{
		Dir: filepath.Join(dir, "journal"), Origin: self,
		AlertsBytes: ringBytes, ReceiptsBytes: ringBytes, SegmentBytes: segmentBytes, Logger: quiet,
	}); err != nil {
		return p, err
	}
	if p.clock, err = fact.OpenClock(filepath.Join(dir, "clock"), time.Now); err != nil {
		return p, err
	}
	last, err := p.log.LastIndex()
	p.next = max(last, p.state.Applied()) + 1
	return p, err
}

func openState(dir string, hooks fsm.Hooks) (*fsm.FSM, *storage.Store, error) {
	store, err := storage.Open(dir, storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: quiet})
	if err != nil {
		return nil, nil, err
	}
	state, err := fsm.New(store, hooks)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return state, store, nil
}

// startExchange begins to make and adopt facts.
func (p *parts) startExchange() error {
	public := signingKey.Public().(ed25519.PublicKey)
	p.exchange = exchange.New(exchange.Options{
		Journal: p.journal, Clock: p.clock, Signer: fact.Signer{Origin: self, KeyID: "k", Key: signingKey},
		Keys:    func(string, string) (ed25519.PublicKey, bool) { return public, true },
		Peers:   func() []string { return nil },
		Call:    func(context.Context, string, string, []byte) ([]byte, error) { return nil, errors.New("no peers") },
		Propose: func(ctx context.Context, s []fact.Signed) error { return p.adopting(ctx, s) },
		Marks:   p.mark, OnNew: func(f fact.Fact, s fact.Signed) { p.onNew(f, s) }, Logger: quiet,
	})
	return p.exchange.Start()
}

func (p *parts) mark(origin string, stream fact.Stream, epoch uint64) uint64 {
	seq, err := agreed.New(p.state).Mark(origin, stream, epoch)
	if err != nil {
		return 0
	}
	return seq
}

// close stops and closes what is open.
func (p *parts) close() error {
	var errs []error
	if p.exchange != nil {
		p.exchange.Stop()
	}
	if p.journal != nil {
		errs = append(errs, p.journal.Close())
	}
	if p.log != nil {
		errs = append(errs, p.log.Close())
	}
	if p.state != nil {
		errs = append(errs, p.store.Close())
	}
	return errors.Join(errs...)
}

// entry is one entry of the log at its place.
func entryAt(index, term uint64, data []byte) *raft.Log {
	return &raft.Log{Index: index, Term: term, Type: raft.LogCommand, Data: data}
}

// exists says whether there is something under path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// hashOf is the state's hash and the index that it is of.
func hashOf(state *fsm.FSM) (uint64, string, error) {
	index, sum, err := state.StateHash()
	return index, fmt.Sprintf("%x", sum[:8]), err
}
