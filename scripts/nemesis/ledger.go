//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"almenara/node/client"
	"almenara/node/wire"
)

// The ledger is the agreed part as registers and compare-and-set, through the API that
// everybody has: the English name of a place is a register; a user is a cell that can
// be taken only while it is free (adding a user who is there is refused), and freed
// again (revoking). Reads ask for consistency. What clients saw is judged by porcupine.

const (
	ledgerKeys    = 3 // of each kind
	ledgerClients = 4
	ledgerPause   = 120 * time.Millisecond
	maxEntries    = 6000 // of a run: long ones ask more slowly
)

// Deed is what a ledger client did to a key.
type Deed string

// The deeds. Cells have all, registers Read and Write.
const (
	Read  Deed = "read"
	Write Deed = "write"
	Take  Deed = "take" // a free cell
	Free  Deed = "free" // a cell, whoever has it
)

// Entry is one deed and what its client learnt.
type Entry struct {
	Client int
	Node   int // that was asked
	Key    string
	Deed   Deed
	Value  string // that was written or read; "" is free, or never written
	Done   bool   // Take and Free: false is "it is taken" and "there was never such a cell"
	Open   bool   // no answer came: it may have happened at any time since, or may yet
	Call   time.Duration
	Return time.Duration // both since the run began
	Why    string        `json:",omitempty"` // what the node said instead
}

func registerKey(i int) string { return fmt.Sprintf("%s/ledger-%d", district, i+1) }

func cellKey(i int) string { return fmt.Sprintf("ledger-%d", i+1) }

// ledger is one client of the ledger.
type ledger struct {
	rig   *rig
	book  *book
	rand  *rand.Rand
	who   int
	count int
	begun time.Time
	stale bool // read as everybody does, of the node's own copy: what the check must see
}

// run reads and writes until ctx ends.
func (l *ledger) run(ctx context.Context, length time.Duration) {
	pause := max(ledgerPause, ledgerClients*length/maxEntries)
	for wait(ctx, pause/2+time.Duration(l.rand.Int64N(int64(pause)))) == nil {
		members := l.rig.now()
		n := members[int(l.rand.Uint64()%uint64(len(members)))]
		l.next(context.WithoutCancel(ctx), n)
	}
}

// next does one deed at one node.
func (l *ledger) next(ctx context.Context, n *node) {
	i, pick := l.rand.IntN(ledgerKeys), l.rand.IntN(100)
	l.count++
	value := fmt.Sprintf("%d.%d", l.who, l.count)
	reads := n.client.Consistent()
	if l.stale {
		reads = n.client
	}
	switch {
	case pick < 25:
		l.note(Entry{Node: n.number, Key: registerKey(i), Deed: Read}, func(e *Entry) (err error) {
			e.Value, err = registered(ctx, reads, e.Key)
			return err
		})
	case pick < 50:
		l.note(Entry{Node: n.number, Key: registerKey(i), Deed: Write, Value: value}, func(e *Entry) error {
			return n.client.PutPlaces(ctx, []wire.Place{{Path: e.Key, Names: map[string]string{"en": value}}})
		})
	case pick < 70:
		l.note(Entry{Node: n.number, Key: cellKey(i), Deed: Read}, func(e *Entry) (err error) {
			e.Value, err = holding(ctx, reads, e.Key)
			return err
		})
	case pick < 90:
		l.note(Entry{Node: n.number, Key: cellKey(i), Deed: Take, Value: value}, func(e *Entry) error {
			_, err := n.client.AddUser(ctx, wire.AddUser{Name: e.Key, Roles: []string{"viewer"}, Senders: []string{value}})
			return e.said(err, wire.KindConflict)
		})
	default:
		l.note(Entry{Node: n.number, Key: cellKey(i), Deed: Free}, func(e *Entry) error {
			return e.said(n.client.RevokeUser(ctx, e.Key), wire.KindNotFound)
		})
	}
}

// said takes a refusal of a kind for an answer.
func (e *Entry) said(err error, no string) error {
	var p *wire.Problem
	if errors.As(err, &p) && p.Kind == no {
		return nil
	}
	e.Done = err == nil
	return err
}

// note does a deed and writes it down; apart from the others where nothing happened.
func (l *ledger) note(e Entry, do func(*Entry) error) {
	e.Client, e.Call = l.who, time.Since(l.begun)
	err := do(&e)
	e.Return = time.Since(l.begun)
	outcome := outcomeOf(err)
	e.Why, e.Open = strings.TrimSpace(because(err)), outcome == Unknown && e.Deed != Read
	l.book.note(func(h *History) {
		if outcome == Acked || e.Open {
			h.Ledger = append(h.Ledger, e)
			return
		}
		h.Refusals = append(h.Refusals, e)
	})
}

func registered(ctx context.Context, c *client.Client, key string) (string, error) {
	all, err := c.ListPlaces(ctx)
	i := slices.IndexFunc(all, func(p wire.Place) bool { return p.Path == key })
	if err != nil || i < 0 {
		return "", err
	}
	return all[i].Names["en"], nil
}

func holding(ctx context.Context, c *client.Client, key string) (string, error) {
	all, err := c.ListUsers(ctx)
	i := slices.IndexFunc(all, func(u wire.User) bool { return u.Name == key && !u.Revoked })
	if err != nil || i < 0 {
		return "", err
	}
	return all[i].Senders[0], nil
}
