// Package quorum watches whether this node has a majority of its district with it.
//
//	raft's role, leader and last contact ─▶ Watch.Look ─▶ State, an atomic read
//	                                             └──────▶ Unbroken: held, and since when
//
// It is the only place that judges this. It owns three words of memory and no goroutine:
// whoever hears raft's signals calls Look, and so does whoever wants to know exactly. It
// imports raft and nothing of this program.
package quorum

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// State says whether there is a majority, and by whom this node knows it.
type State uint32

// The states. The zero value is what a node begins with.
const (
	Alone     State = iota // no leader is heard: nothing can be agreed from here
	Following              // a leader is in contact
	Leading                // this node leads, and its lease holds
)

var names = [...]string{Alone: "alone", Following: "following", Leading: "leading"}

// String is the state's word in logs.
func (s State) String() string {
	if int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// Has reports whether there is a majority.
func (s State) Has() bool { return s != Alone }

// Raft is what is asked; *raft.Raft has it.
type Raft interface {
	State() raft.RaftState
	LeaderWithID() (raft.ServerAddress, raft.ServerID)
	LastContact() time.Time
	ReloadableConfig() raft.ReloadableConfig
}

// Watch is what was seen of it. Its methods may be called from any goroutine.
type Watch struct {
	raft  Raft
	state atomic.Uint32 // of the last Look

	mu       sync.Mutex // held while raft is asked, so that looks are noted in their order
	since    time.Time  // when the majority was lost; zero while there is one
	unbroken time.Time  // see Unbroken
}

// New makes a watch that has not looked yet: alone since now.
func New(r Raft) *Watch { return &Watch{raft: r, since: time.Now()} }

// State is what the last Look saw. It costs an atomic read.
func (w *Watch) State() State { return State(w.state.Load()) }

// Look asks raft, which costs no more than a few locks, and notes what it sees. since is
// when the majority was lost, by the monotonic clock; zero while there is one.
//
// It trusts raft: a leader steps down within its lease (two thirds of a heartbeat
// timeout), a follower forgets its leader within twice the timeout. So a majority that is
// gone may be seen for one heartbeat timeout too long.
func (w *Watch) Look() (seen State, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	seen = w.see()
	switch {
	case seen.Has():
		w.since = time.Time{}
		if w.unbroken.IsZero() {
			w.unbroken = now
		}
	case w.since.IsZero():
		w.since = now
	case now.Sub(w.since) > BreakAtMost:
		w.unbroken = time.Time{}
	}
	w.state.Store(uint32(seen))
	return seen, w.since
}

func (w *Watch) see() State {
	_, leader := w.raft.LeaderWithID()
	switch w.raft.State() {
	case raft.Leader:
		return Leading
	case raft.Follower:
		if leader != "" && time.Since(w.raft.LastContact()) < 2*w.raft.ReloadableConfig().HeartbeatTimeout {
			return Following
		}
	}
	return Alone
}

// BreakAtMost is how long a majority may be gone without having been lost: elections on a
// busy machine.
const BreakAtMost = 10 * time.Second

// Unbroken is since when there has been a majority without a break of more than
// BreakAtMost; zero is not now. An election does not end it: whoever asks in the middle of
// one must not take the district for ended.
func (w *Watch) Unbroken() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.unbroken
}
