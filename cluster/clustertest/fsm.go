// Package clustertest is a rig of several nodes in one process: real internode
// ports with TLS on the loopback, links that can be cut, nodes that can be crashed
// and started again, and a small state machine that remembers like a disk.
package clustertest

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/hashicorp/raft"
)

// ErrRejected is the state machine's answer to the command "reject".
var ErrRejected = errors.New("rejected by the state machine")

// FSM is a durable state machine as the real one is: a list of commands with the
// applied index inside, its own snapshot store, kept across restarts of a node by
// keeping the value. It answers "n: command", n counting from 1; a command's text is
// its request id, so that a repeat is answered like the first.
//
// Commands "invite HASH EXPIRES" and "admit HASH ID AT" are its join tokens, times in ms
// since 1970: each hash admits one id, the first time before it expires, then any number
// of times.
type FSM struct {
	mu    sync.Mutex
	state state
}

type state struct {
	Commands []string
	Tokens   map[string]Token // by hash
	Index    uint64
	Term     uint64
	Conf     raft.Configuration
	ConfAt   uint64
}

// Token is what the state machine knows of a join token.
type Token struct {
	Expires int64  // ms since 1970
	UsedBy  string // id of the node that it admitted, or ""
}

// NewFSM is an empty state machine.
func NewFSM() *FSM { return &FSM{state: state{Tokens: map[string]Token{}}} }

// Token is what was applied about a join token; false for one that was never given.
func (f *FSM) Token(hash string) (Token, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.state.Tokens[hash]
	return t, ok
}

// Commands is a copy of what has been applied.
func (f *FSM) Commands() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.state.Commands)
}

// Hash stands for the whole of the applied commands.
func (f *FSM) Hash() string {
	sum := sha256.New()
	for _, c := range f.Commands() {
		_, _ = fmt.Fprintf(sum, "%d %s", len(c), c)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Apply implements raft.FSM.
func (f *FSM) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch implements raft.BatchingFSM. Entries that were applied before are
// skipped, as after a restart.
func (f *FSM) ApplyBatch(logs []*raft.Log) []any {
	f.mu.Lock()
	defer f.mu.Unlock()
	answers := make([]any, len(logs))
	for i, l := range logs {
		if l.Index <= f.state.Index {
			continue
		}
		f.state.Index, f.state.Term = l.Index, l.Term
		if l.Type == raft.LogConfiguration {
			f.state.Conf, f.state.ConfAt = raft.DecodeConfiguration(l.Data), l.Index
			continue
		}
		answers[i] = f.apply(string(l.Data))
	}
	return answers
}

func (f *FSM) apply(command string) any {
	if command == "reject" {
		return ErrRejected
	}
	var hash, id string
	var at int64
	if n, _ := fmt.Sscanf(command, "invite %s %d", &hash, &at); n == 2 {
		f.state.Tokens[hash] = Token{Expires: at}
	} else if n, _ := fmt.Sscanf(command, "admit %s %s %d", &hash, &id, &at); n == 3 {
		if err := f.admit(hash, id, at); err != nil {
			return err
		}
	}
	n := slices.Index(f.state.Commands, command)
	if n < 0 {
		n = len(f.state.Commands)
		f.state.Commands = append(f.state.Commands, command)
	}
	return []byte(fmt.Sprintf("%d: %s", n+1, command))
}

func (f *FSM) admit(hash, id string, at int64) error {
	t, ok := f.state.Tokens[hash]
	switch {
	case !ok || t.UsedBy != "" && t.UsedBy != id:
		return errors.New("token is unknown or used")
	case t.UsedBy == "" && at >= t.Expires:
		return errors.New("token has expired")
	}
	f.state.Tokens[hash] = Token{Expires: t.Expires, UsedBy: id}
	return nil
}

// Snapshot implements raft.FSM: the state is the snapshot.
func (f *FSM) Snapshot() (raft.FSMSnapshot, error) { return live{}, nil }

// Restore implements raft.FSM.
func (f *FSM) Restore(r io.ReadCloser) error {
	defer func() { _ = r.Close() }()
	var s state
	if err := gob.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = s
	return nil
}

type live struct{}

// Persist implements raft.FSMSnapshot.
func (live) Persist(sink raft.SnapshotSink) error { return sink.Close() }

// Release implements raft.FSMSnapshot.
func (live) Release() {}

// List implements raft.SnapshotStore.
func (f *FSM) List() ([]*raft.SnapshotMeta, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.Index == 0 {
		return nil, nil
	}
	return []*raft.SnapshotMeta{f.meta()}, nil
}

func (f *FSM) meta() *raft.SnapshotMeta {
	return &raft.SnapshotMeta{
		Version: raft.SnapshotVersionMax, ID: "live", Index: f.state.Index, Term: f.state.Term,
		Configuration: f.state.Conf, ConfigurationIndex: f.state.ConfAt,
	}
}

// Open implements raft.SnapshotStore.
func (f *FSM) Open(string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(f.state); err != nil {
		return nil, nil, fmt.Errorf("dumping: %w", err)
	}
	meta := f.meta()
	meta.Size = int64(b.Len())
	return meta, io.NopCloser(&b), nil
}

// Create implements raft.SnapshotStore. A local snapshot only moves the index over
// entries that the state machine does not see, and takes the configuration; an installed one is kept until
// Restore reads it.
func (f *FSM) Create(_ raft.SnapshotVersion, index, term uint64, conf raft.Configuration, confIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	return &sink{fsm: f, meta: raft.SnapshotMeta{Index: index, Term: term, Configuration: conf, ConfigurationIndex: confIndex}}, nil
}

// sink takes an installed dump. Closing it replaces the state at once, which is
// what installing into a new directory and flipping the pointer does.
type sink struct {
	bytes.Buffer
	fsm  *FSM
	meta raft.SnapshotMeta
}

// ID implements raft.SnapshotSink.
func (*sink) ID() string { return "live" }

// Cancel implements raft.SnapshotSink.
func (s *sink) Cancel() error { return nil }

// Close implements raft.SnapshotSink.
func (s *sink) Close() error {
	if s.Len() > 0 {
		if err := s.fsm.Restore(io.NopCloser(&s.Buffer)); err != nil {
			return err
		}
	}
	s.fsm.mu.Lock()
	defer s.fsm.mu.Unlock()
	if s.meta.Index < s.fsm.state.Index {
		return nil
	}
	s.fsm.state.Index, s.fsm.state.Term = s.meta.Index, s.meta.Term
	s.fsm.state.Conf, s.fsm.state.ConfAt = s.meta.Configuration, s.meta.ConfigurationIndex
	return nil
}
