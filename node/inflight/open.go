// Package inflight bounds what goes on at a time for those who ask something of a node: how
// many requests of a sort are open, and how many are worked on. It knows nothing of what they
// ask for.
//
//	request ─> Open (a place, as long as the request is open) ─> Turns (a turn, while it costs a processor)
//
// It imports no other part of node but node/ratelimit and node/wire.
package inflight

import (
	"fmt"
	"sync"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Bounds says how many requests of a sort may be open at a time.
type Bounds struct {
	Each int // of one user
	All  int
	Kept int // of All, those that only privileged users may take; 0 keeps none
}

// Open counts the requests of a sort that are open. Its methods may be called from any
// goroutine.
type Open struct {
	what   string // for the sentence
	bounds Bounds

	mu    sync.Mutex
	total int
	by    map[string]int
}

// NewOpen makes a counter of what, which is a plural.
func NewOpen(what string, b Bounds) *Open {
	return &Open{what: what, bounds: b, by: map[string]int{}}
}

// Take counts one more request of the user; a *wire.Problem (busy) says in one sentence that
// there are enough, and then nothing was counted. privileged lets the user have the places that
// are kept.
func (o *Open) Take(user string, privileged bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	most, whose := o.bounds.All-o.bounds.Kept, " of those who are neither administrators nor central systems"
	if privileged || o.bounds.Kept == 0 {
		most, whose = o.bounds.All, ""
	}
	switch {
	case o.by[user] >= o.bounds.Each:
		return busy("%s has %d %s open here, which is the most; close some first", user, o.by[user], o.what)
	case o.total >= most:
		return busy("%d %s are open here, which is the most%s; try again later, or at another node", o.total, o.what, whose)
	}
	o.total++
	o.by[user]++
	return nil
}

// Give counts one less.
func (o *Open) Give(user string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total--
	if o.by[user]--; o.by[user] <= 0 {
		delete(o.by, user)
	}
}

func busy(format string, args ...any) error {
	return wire.Problemf(wire.KindBusy, "%s", fmt.Sprintf(format, args...)).Because(why.OpenMany)
}
