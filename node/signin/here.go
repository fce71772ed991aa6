package signin

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"almenara/cluster/command"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/signin"
)

// mostHere is how many sessions of this node only there may be at a time.
const mostHere = 256

// here is what only this node knows of sessions, in memory: those that began without a majority,
// which ended here and are not agreed on yet, and when each was used last.
type here struct {
	clock func() time.Time

	mu       sync.Mutex
	sessions map[string]signin.Session // by hash
	over     map[string]time.Time      // ended here, by hash, until when that must be known
	untold   map[string]string         // ended here, by hash, the user: the district does not know yet
	used     map[string]time.Time      // by hash
	steps    map[string]uint64         // of second factors that were used here, by the hash of the user's token
	asked    map[string]int64          // of passkeys that were used here, by their ids: what they answered last, ms since 1970
}

func newHere(clock func() time.Time) *here {
	return &here{clock: clock, sessions: map[string]signin.Session{}, over: map[string]time.Time{}, untold: map[string]string{}, used: map[string]time.Time{}, steps: map[string]uint64{}, asked: map[string]int64{}}
}

// begin keeps a session of this node only, and that what was shown for it was used: of two who show the same at
// once one comes in. Of a person who has as many as one may have, the oldest ends: nobody takes the places of all
// others.
func (h *here) begin(u storage.User, s signin.Session, shown *command.BeginSession) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep()
	if shown.Step > 0 && shown.Step <= h.steps[string(u.TokenHash)] {
		return wrong()
	}
	if k := shown.Passkey; k != nil && k.Asked <= h.asked[string(k.ID)] {
		return wrong()
	}
	var own []string // hashes
	for hash, other := range h.sessions {
		if other.User == s.User {
			own = append(own, hash)
		}
	}
	slices.SortFunc(own, func(a, b string) int { return cmp.Compare(h.sessions[a].Until, h.sessions[b].Until) })
	for len(own) >= signin.MaxSessions {
		delete(h.sessions, own[0])
		own = own[1:]
	}
	if len(h.sessions) >= mostHere {
		return wire.Problemf(wire.KindBusy, "too many sessions were begun at this node while it is alone").Because(why.SessionsMany)
	}
	if k := shown.Passkey; k != nil {
		h.asked[string(k.ID)] = k.Asked
	}
	h.sessions[string(s.Hash)] = s
	h.steps[string(u.TokenHash)] = max(shown.Step, h.steps[string(u.TokenHash)])
	return nil
}

// lastAsked is what a passkey answered last that was used here alone.
func (h *here) lastAsked(id []byte) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked[string(id)]
}

// lastStep is the last step of the user's second factor that was used here alone.
func (h *here) lastStep(u storage.User) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.steps[string(u.TokenHash)]
}

func (h *here) find(hash []byte) (signin.Session, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.sessions[string(hash)]
	return s, ok
}

func (h *here) end(hash []byte, user string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep()
	h.untold[string(hash)] = user
	delete(h.sessions, string(hash))
	h.over[string(hash)] = h.clock().Add(Lasts)
}

// told says that the district knows that the session has ended.
func (h *here) told(hash string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.untold, hash)
}

func (h *here) ended(hash []byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, over := h.over[string(hash)]
	return over
}

func (h *here) seen(hash []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.used[string(hash)] = h.clock()
	if len(h.used) > 2*mostHere {
		h.sweep()
	}
}

// idle reports whether the session, begun then, was not used here for long.
func (h *here) idle(hash []byte, begun time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, known := h.used[string(hash)]
	if !known || last.Before(begun) {
		last = begun
	}
	since := h.clock().Sub(last)
	return since > IdleFor || since < -time.Minute // a clock that was set back vouches for nothing
}

// sweep forgets what has run out. mu is held.
func (h *here) sweep() {
	now := h.clock()
	for hash, s := range h.sessions {
		if now.UnixMilli() >= s.Until {
			delete(h.sessions, hash)
		}
	}
	for hash, until := range h.over {
		if now.After(until) {
			delete(h.over, hash)
			delete(h.untold, hash)
		}
	}
	for hash, last := range h.used {
		if now.Sub(last) > IdleFor {
			delete(h.used, hash)
		}
	}
}
