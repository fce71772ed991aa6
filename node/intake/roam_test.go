package intake

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/budget"
	"almenara/node/budget/counted"
	"almenara/node/machine"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// doorSeeds is how many districts the property below roams.
const doorSeeds = 60

// door is a node's way in, from the message to what devices are told, with a clock that the
// test moves. Who may change whose alert is decided elsewhere; here nobody changes another's
// but the chief.
type door struct {
	r      *rand.Rand
	now    time.Time
	book   *alerts.Book
	budget *budget.Budget
	keeper *machine.Clock
	taken  []*alerts.Message
	blocks map[string][]string // by fact
	count  int
	owed   map[alert.ID]*promise
}

// promise is what an answer "in force" promises.
type promise struct {
	author  string
	blocks  []string
	expires time.Time
	ended   bool // by its author or the chief
}

// callers are an attacker's friends, a central system and the chief.
var callers = []authority.Caller{
	{Name: "mallory", Roles: []string{authority.RoleComposer}}, {Name: "moe", Roles: []string{authority.RoleComposer}},
	{Name: "feed", Roles: []string{authority.RoleComposer}, Senders: []string{"feed"}, System: true}, {Name: "chief", Roles: []string{authority.RoleAdministrator}},
}

func newDoor(seed uint64) *door {
	w := &door{r: rand.New(rand.NewPCG(seed, 14)), now: noon, blocks: map[string][]string{}, owed: map[alert.ID]*promise{}}
	w.keeper = machine.NewClock(func() time.Time { return w.now }, time.Time{}, nil)
	w.restart()
	return w
}

// restart makes the book and the budget anew from what is on record, in any order.
func (w *door) restart() {
	w.book = alerts.NewBook(nil)
	w.budget = budget.New(w, func() time.Time { return w.now })
	for _, i := range w.r.Perm(len(w.taken)) {
		w.learn(w.taken[i])
	}
}

func (w *door) learn(m *alerts.Message) {
	if _, fresh := w.book.Add(m); fresh {
		w.budget.Add(m.Entry, 1000)
	}
}

func (w *door) Standing(fact string, now time.Time) (board.Standing, alert.ID) {
	return counted.Source{Book: w.book}.Standing(fact, now)
}

func (w *door) AlertOf(k alert.Key) (alert.ID, bool) {
	return counted.Source{Book: w.book, Clock: func() time.Time { return w.now }}.AlertOf(k)
}
func (w *door) Blocks(fact string) []string { return w.blocks[fact] }

func (w *door) ClassOf(author string) budget.Class {
	i := slices.IndexFunc(callers, func(c authority.Caller) bool { return c.Name == author })
	return counted.Class(callers[i].Roles, callers[i].System)
}

// wildly is a time that may be anything, near now more often than not.
func (w *door) wildly() time.Time {
	switch w.r.IntN(8) {
	case 0:
		return time.Date(1+w.r.IntN(9998), 6, 1, 0, 0, 0, 0, time.FixedZone("", (w.r.IntN(28)-14)*3600))
	case 1:
		return w.now.Add(time.Duration(w.r.IntN(57)-28) * 30 * time.Minute)
	case 2:
		return w.now.Add(time.Duration(w.r.IntN(120)-60) * 24 * time.Hour)
	}
	return w.now.Add(-time.Duration(w.r.IntN(5)) * time.Second)
}

// message makes one that the caller might send.
func (w *door) message(by authority.Caller) *alert.Alert {
	w.count++
	types := []alert.MsgType{alert.MsgTypeAlert, alert.MsgTypeAlert, alert.MsgTypeAlert, alert.MsgTypeUpdate, alert.MsgTypeCancel}
	a := &alert.Alert{Sender: by.Name, Identifier: fmt.Sprint("m", w.count), Sent: alert.NewDateTime(w.wildly()), Scope: alert.ScopePublic,
		Status: alert.StatusActual, MsgType: types[w.r.IntN(len(types))]}
	if w.r.IntN(8) == 0 {
		a.Status = alert.StatusExercise
	}
	if a.MsgType != alert.MsgTypeAlert {
		a.References = w.references(by)
	}
	if a.MsgType == alert.MsgTypeCancel {
		return a
	}
	info := alert.Info{Event: "Fire", Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed"}
	if w.r.IntN(2) == 0 {
		info.Severity = "Minor"
	}
	info.Expires = alert.NewDateTime(w.now.Add(time.Duration(1+w.r.IntN(48)) * time.Hour))
	if w.r.IntN(4) == 0 {
		info.Expires = alert.NewDateTime(w.wildly())
	}
	if w.r.IntN(4) == 0 {
		info.Effective = alert.NewDateTime(w.wildly())
	}
	if w.r.IntN(8) == 0 {
		info.Onset = alert.NewDateTime(w.wildly())
	}
	a.Infos = []alert.Info{info}
	return a
}

// mayChange reports whether the alert of a message is the caller's own, as a whole.
func (w *door) mayChange(by authority.Caller, m *alerts.Message) bool {
	card, _ := w.book.Card(m.Entry.Key.ID())
	return by.Name == "chief" || !slices.ContainsFunc(card.Messages, func(e board.Entry) bool { return e.Author != by.Name }) && m.Entry.Author == by.Name
}

// references are the caller's own messages, anybody's for the chief, and what nobody sent.
func (w *door) references(by authority.Caller) (keys []alert.Key) {
	for range 1 + w.r.IntN(4) {
		if len(w.taken) > 0 && w.r.IntN(3) > 0 {
			m := w.taken[w.r.IntN(len(w.taken))]
			if w.mayChange(by, m) {
				keys = append(keys, m.Entry.Key)
				continue
			}
		}
		some := 1
		if w.r.IntN(6) == 0 {
			some = w.r.IntN(300)
		}
		for range some {
			w.count++
			keys = append(keys, alert.Key{Sender: by.Name, Identifier: fmt.Sprint("unseen", w.count), Sent: alert.NewDateTime(w.wildly())})
		}
	}
	return keys
}

// send takes a message or refuses it, as take does, and remembers what was promised.
func (w *door) send(by authority.Caller, a *alert.Alert, blocks []string) (refused error) {
	in := incoming{by: by, alert: a}
	if err := in.checkTimes(w.now, w.keeper.Trusted(), w.book); err != nil {
		return err
	}
	e := board.EntryOf(a, a.Digest().String(), w.now, fmt.Sprint("fact", w.count))
	e.Author = by.Name
	if err := checkJoins(e, w.now, w.book); err != nil {
		return err
	}
	class := counted.Class(by.Roles, by.System)
	if why := w.budget.Take(budget.Request{Author: by.Name, Class: class, Emergency: emergency(a), Entry: e,
		Blocks: func() []string { return blocks }}, false); why != nil {
		return fmt.Errorf("%s", why.Sentence)
	}
	m := &alerts.Message{Fact: e.Fact, Alert: a, Entry: e}
	m.Issue.Author = by.Name
	w.touched(a)
	w.taken, w.blocks[m.Fact] = append(w.taken, m), blocks
	w.learn(m)
	if standing, id := w.book.Standing(m, w.now); standing == board.InForce {
		w.owed[id] = &promise{author: by.Name, blocks: blocks, expires: e.Expires}
	}
	return nil
}

// touched marks what somebody entitled has ended, or goes on with in another message.
func (w *door) touched(a *alert.Alert) {
	for id, o := range w.owed {
		card, _ := w.book.Card(id)
		o.ended = o.ended || slices.ContainsFunc(a.References, func(ref alert.Key) bool { return slices.ContainsFunc(card.Keys, ref.Same) })
	}
}

// requireKept proves that every promise holds now and that devices can be told so.
func (w *door) requireKept(t *testing.T, seed uint64) {
	t.Helper()
	p := w.book.At(w.now)
	ended := map[alert.ID]bool{}
	for _, e := range p.Ended {
		ended[e.ID] = true
		_, err := json.Marshal(e)
		require.NoError(t, err, "seed %d", seed)
		require.False(t, e.Expires.After(w.now.Add(alert.MaxLifetime)), "seed %d: the end of %s is listed until %s", seed, e.ID, e.Expires)
	}
	for id, o := range w.owed {
		i := slices.IndexFunc(p.InForce, func(l alerts.Live) bool { return l.ID == id })
		switch {
		case o.ended || !w.now.Before(o.expires):
			delete(w.owed, id)
		case i < 0:
			require.Fail(t, "a promise is broken", "seed %d: %s of %s until %s is not in force at %s; ended: %v", seed, id, o.author, o.expires, w.now, ended[id])
		default:
			require.Equal(t, o.blocks, w.blocks[p.InForce[i].Message.Fact], "seed %d: %s", seed, id)
		}
	}
	require.Less(t, len(p.InForce)+len(p.Ended), 4096, "seed %d: more than a device remembers", seed)
}

// What was answered as in force is in force at every addressed block until its author, or
// somebody who may, ends it, whatever others of lesser right sent meanwhile; and what was
// ended is told as ended. All else was refused.
func TestDoor_WhatIsAcceptedIsCarriedOut(t *testing.T) {
	for seed := range uint64(doorSeeds) {
		w := newDoor(seed)
		taken, refused := 0, 0
		for range 300 {
			by := callers[w.r.IntN(len(callers))]
			var blocks []string
			for range 1 + w.r.IntN(3) {
				blocks = append(blocks, fmt.Sprint("d/e/b", w.r.IntN(4)))
			}
			slices.Sort(blocks)
			if err := w.send(by, w.message(by), slices.Compact(blocks)); err != nil {
				require.Contains(t, err.Error(), "nothing was sent: ", "seed %d", seed)
				refused++
			} else {
				taken++
			}
			if w.r.IntN(20) == 0 {
				w.now = w.now.Add(time.Duration(w.r.IntN(180)) * time.Minute)
			}
			if w.r.IntN(60) == 0 {
				w.restart()
			}
			w.requireKept(t, seed)
		}
		require.Greater(t, taken, 40, "seed %d", seed)
		require.Greater(t, refused, 40, "seed %d", seed)
		w.requireEnds(t, seed)
	}
}

// requireEnds has everybody end what they sent, also when everything is used up, and proves
// that the ends are told.
func (w *door) requireEnds(t *testing.T, seed uint64) {
	t.Helper()
	for _, l := range w.book.At(w.now).InForce {
		by := callers[slices.IndexFunc(callers, func(c authority.Caller) bool { return c.Name == l.Message.Issue.Author })]
		w.count++
		a := &alert.Alert{Sender: by.Name, Identifier: fmt.Sprint("end", w.count), Sent: alert.NewDateTime(w.now), Scope: alert.ScopePublic,
			Status: l.Status, MsgType: alert.MsgTypeCancel, References: []alert.Key{l.Key}}
		require.NoError(t, w.send(by, a, nil), "seed %d", seed)
		require.True(t, slices.ContainsFunc(w.book.At(w.now).Ended, func(e board.End) bool { return e.ID == l.ID }), "seed %d: %s", seed, l.ID)
	}
	require.Empty(t, w.book.At(w.now).InForce, "seed %d", seed)
}
