//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"

	"almenara/cluster/fact"
)

// ack is one promise that the workload was given: what it names is on the disk.
type ack struct {
	Kind   string      `json:"kind"`
	Index  uint64      `json:"index,omitempty"` // of an entry, or number of a file's version, or term
	Sum    string      `json:"sum,omitempty"`   // of an entry
	Stream fact.Stream `json:"stream,omitempty"`
	Epoch  uint64      `json:"epoch,omitempty"`
	Seq    uint64      `json:"seq,omitempty"`
	ID     string      `json:"id,omitempty"` // of a fact
	HLC    uint64      `json:"hlc,omitempty"`
}

// The kinds of acks.
const (
	ackReady    = "ready"    // everything is open for the first time
	ackEntry    = "entry"    // the entry is in the raft log, and replaces another of its index
	ackCut      = "cut"      // the log may end before the entry: a conflicting tail is about to be removed
	ackApplied  = "applied"  // the state machine has all up to the entry
	ackFact     = "fact"     // the fact was told to OnNew
	ackTerm     = "term"     // raft's term
	ackSettings = "settings" // version of the settings file
	ackIdentity = "identity" // the identity was saved
	ackTables   = "tables"   // how many tables the store has: no promise
)

// teller prints acks and waits until each was heard, so that nothing happens on the disk
// between a promise and its being known.
type teller struct {
	out io.Writer
	in  *bufio.Reader

	oneMu sync.Mutex // one ack at a time
}

func (t *teller) tell(a ack) error {
	t.oneMu.Lock()
	defer t.oneMu.Unlock()
	line, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(t.out, "%s\n", line); err != nil {
		return err
	}
	_, err = t.in.ReadString('\n')
	return err
}

// ledger is all acks in the order in which they were heard.
type ledger struct {
	mu   sync.Mutex
	acks []ack
}

func (l *ledger) add(a ack) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks = append(l.acks, a)
}

// sofar is what was heard until now.
func (l *ledger) sofar() []ack {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acks[:len(l.acks):len(l.acks)]
}

// promised is what a set of acks comes to.
type promised struct {
	ready    bool
	entries  map[uint64]string // sum by index
	last     uint64            // of the log
	applied  uint64
	facts    []ack
	term     uint64
	settings uint64
	identity bool
	hlc      uint64
	tables   uint64
}

func promisesOf(acks []ack) promised {
	p := promised{entries: map[uint64]string{}}
	for _, a := range acks {
		switch a.Kind {
		case ackReady:
			p.ready = true
		case ackEntry:
			p.entries[a.Index], p.last = a.Sum, a.Index
		case ackCut:
			p.last = a.Index - 1
			for i := range p.entries {
				if i >= a.Index {
					delete(p.entries, i)
				}
			}
		case ackApplied:
			p.applied = max(p.applied, a.Index)
		case ackFact:
			p.facts = append(p.facts, a)
			p.hlc = max(p.hlc, a.HLC)
		case ackTerm:
			p.term = a.Index
		case ackSettings:
			p.settings = a.Index
		case ackIdentity:
			p.identity = true
		case ackTables:
			p.tables = a.Index
		}
	}
	return p
}

// given says whether the place was given to a fact before, and to which.
func (p promised) given(stream fact.Stream, epoch, seq uint64) (ack, bool) {
	i := slices.IndexFunc(p.facts, func(a ack) bool { return a.Stream == stream && a.Epoch == epoch && a.Seq == seq })
	if i < 0 {
		return ack{}, false
	}
	return p.facts[i], true
}
