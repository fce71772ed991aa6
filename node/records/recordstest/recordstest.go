// Package recordstest is a log without raft, for tests of what has changes agreed on: what is
// proposed is applied at once, by the real state machine on a real store.
package recordstest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/cluster/fsm"
	"almenara/storage"
)

// Log takes proposals. Its methods may be called from any goroutine.
type Log struct {
	Store *storage.Store
	State *agreed.Reader

	// Refuse, when set, is what every proposal is answered, and nothing is applied.
	Refuse error
	// Old, when set, is what Understood answers: a node is not upgraded, and no command of the version that was asked
	// for last, or of the newest where none was, may be proposed.
	Old error

	t       testing.TB
	clock   func() time.Time
	machine *fsm.FSM
	mu      sync.Mutex // guards all below
	index   uint64
	asked   uint64 // the version of Understood
}

// New makes one whose store lasts as long as the test.
func New(t testing.TB, clock func() time.Time) *Log {
	t.Helper()
	store, err := storage.Open(t.TempDir(), storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	machine, err := fsm.New(store, fsm.Hooks{Halt: func(err error) { t.Error(err) }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return &Log{Store: store, State: agreed.New(machine), t: t, clock: clock, machine: machine}
}

// AwaitAgreed implements what has changes agreed on: all is applied at once.
func (*Log) AwaitAgreed(context.Context) error { return nil }

// Understood implements what has changes agreed on.
func (l *Log) Understood(_ context.Context, version uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = version
	return l.Old
}

// Index is how many proposals were applied.
func (l *Log) Index() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.index
}

// Propose applies a command and gives the state machine's answer.
func (l *Log) Propose(_ context.Context, actor string, payload command.Payload) (command.Result, error) {
	if l.Refuse != nil {
		return command.Result{}, l.Refuse
	}
	raw, err := command.Command{Actor: actor, At: l.clock().UnixMilli(), Payload: payload}.Encode()
	if err != nil {
		return command.Result{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Old != nil && command.VersionOf(payload) >= cmp.Or(l.asked, command.Newest) {
		return command.Result{}, fmt.Errorf("a node that is not upgraded would stop at this command: %w", l.Old)
	}
	l.index++
	switch answer := l.machine.Apply(&raft.Log{Index: l.index, Term: 1, Type: raft.LogCommand, Data: raw}).(type) {
	case []byte:
		result, err := command.DecodeResult(answer)
		if err != nil {
			return command.Result{}, err
		}
		return result, result.Error()
	case error:
		return command.Result{}, answer
	}
	return command.Result{}, nil
}

// Change is Propose.
func (l *Log) Change(ctx context.Context, actor string, payload command.Payload) (command.Result, error) {
	return l.Propose(ctx, actor, payload)
}

// Problem is the error as it is.
func (l *Log) Problem(err error) error { return err }
