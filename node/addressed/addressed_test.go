package addressed_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/stories"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// log is what was agreed, in memory.
type log struct {
	index  *lookup.Index
	agreed map[fact.ID]bool
	target *roaring.Bitmap // of every message that was agreed
	ends   uint32
	ended  bool
	err    error
	asked  int
}

func (l *log) Alert(alert.ID) (agreed.AlertView, bool, error)     { return agreed.AlertView{}, false, nil }
func (l *log) AlertsBeginning(string, int) ([]alert.ID, error)    { return nil, nil }
func (l *log) HasFact(id fact.ID) (bool, error)                   { return l.agreed[id], l.err }
func (l *log) EndOrdinals(alert.ID, string) (uint32, bool, error) { return l.ends, l.ended, l.err }
func (l *log) Index() *lookup.Index                               { l.asked++; return l.index }
func (l *log) Target(alert.Key, alert.Revision) (*roaring.Bitmap, error) {
	return l.target.Clone(), l.err
}

// house is a book with one alert for all screens, and what was agreed.
type house struct {
	*addressed.Resolver
	log    *log
	book   *alerts.Book
	finder *stories.Finder
	now    time.Time
	m      *alerts.Message
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{log: &log{index: lookup.New(), agreed: map[fact.ID]bool{}, target: roaring.New()}, book: alerts.NewBook(nil), now: noon}
	h.finder = stories.New(h.book, h.log, func() time.Time { return h.now })
	h.Resolver = addressed.New(h.log, h.finder)
	h.move(1, 2)
	h.m = h.say(1, "m1", alert.MsgTypeAlert, nil)
	return h
}

// move lets screens live here.
func (h *house) move(ordinals ...uint32) {
	for _, o := range ordinals {
		h.log.index.Put(o, &audience.Member{ID: string(rune('a' + o)), Kind: audience.KindScreen, Place: "d/here"})
	}
	h.Changed()
}

func (h *house) say(number byte, name string, what alert.MsgType, of []alert.Key) *alerts.Message {
	a := &alert.Alert{
		Identifier: name, Sender: "hko", Sent: alert.NewDateTime(noon.Add(time.Duration(number) * time.Second)), Status: alert.StatusActual,
		MsgType: what, Scope: alert.ScopePublic, References: of,
		Infos: []alert.Info{{Event: "Rain", Headline: "Rain", Expires: alert.NewDateTime(noon.Add(time.Hour))}},
	}
	id := fact.ID{number}
	issue := factbody.Issue{Accepted: noon.Add(time.Duration(number) * time.Second).UnixMilli(), Targets: []audience.Target{{Select: "kind = screen"}}}
	name = hex.EncodeToString(id[:])
	m := &alerts.Message{Fact: name, Issue: issue, Alert: a, Entry: issue.Entry(a, a.Digest().String(), name)}
	h.book.Add(m)
	return m
}

// agree puts the message in the log, for whom it addresses.
func (h *house) agree(ordinals ...uint32) {
	h.log.agreed[fact.ID{1}], h.log.target = true, roaring.BitmapOf(ordinals...)
}

func (h *house) of(t *testing.T) (now, joined []uint32) {
	t.Helper()
	s := h.finder.OnBook(h.m.Entry.Key.ID())
	w, err := h.Of(s, s.Current())
	require.NoError(t, err)
	require.Equal(t, w.Addressed.GetCardinality()+w.Joined.GetCardinality(), w.Entitled().GetCardinality())
	return w.Addressed.ToArray(), w.Joined.ToArray()
}

func TestOf_FollowsAnAlertThroughItsLife(t *testing.T) {
	h := newHouse(t)
	now, joined := h.of(t)
	require.Equal(t, []uint32{1, 2}, now, "before it is agreed, whom it addresses now")
	require.Empty(t, joined)

	h.agree(1, 2)
	h.move(3)
	now, joined = h.of(t)
	require.Equal(t, []uint32{1, 2}, now)
	require.Equal(t, []uint32{3}, joined)
	h.log.index.Remove(1)
	h.Changed()
	now, _ = h.of(t)
	require.Equal(t, []uint32{1, 2}, now, "who has left was addressed all the same")

	h.say(2, "m2", alert.MsgTypeCancel, []alert.Key{h.m.Entry.Key})
	h.move(4)
	_, joined = h.of(t)
	require.Equal(t, []uint32{3, 4}, joined, "that it has ended is not agreed")
	h.log.ends, h.log.ended = 4, true
	_, joined = h.of(t)
	require.Equal(t, []uint32{3}, joined, "who came after the end has not joined")
}

func TestOf_OfWhatRanOutLongAgoNobodyJoins(t *testing.T) {
	h := newHouse(t)
	h.agree(1)
	h.now = noon.Add(2 * time.Hour)
	now, joined := h.of(t)
	require.Equal(t, []uint32{1}, now)
	require.Equal(t, []uint32{2}, joined, "its end is not in the log yet")
	s := h.finder.OnBook(h.m.Entry.Key.ID())
	for _, s.OnBook = range []bool{true, false} { // one node has it in memory, and one was started since
		h.log.ended = false
		w, err := h.Of(s, h.m)
		require.NoError(t, err)
		require.Equal(t, []uint32{2}, w.Joined.ToArray(), "every node says the same")
		h.log.ended = true
		w, err = h.Of(s, h.m)
		require.NoError(t, err)
		require.True(t, w.Joined.IsEmpty(), "how many members there were then was not kept")
	}
}

func TestOf_NothingIsForNobody(t *testing.T) {
	h := newHouse(t)
	w, err := h.Of(&stories.Story{}, nil)
	require.NoError(t, err)
	require.True(t, w.Entitled().IsEmpty())
	h.log.err = errors.New("the disk is gone")
	_, err = h.Of(h.finder.OnBook(h.m.Entry.Key.ID()), h.m)
	require.ErrorIs(t, err, h.log.err)
}

// The answer is remembered until the audience changes, and asks the index anew then.
func TestKnown_IsAskedOnce(t *testing.T) {
	h := newHouse(t)
	before := h.log.asked
	for range 5 {
		r, err := h.Known(h.m)
		require.NoError(t, err)
		require.EqualValues(t, 2, r.Members.GetCardinality())
		require.EqualValues(t, 0, r.Unlocated)
	}
	require.Equal(t, before+1, h.log.asked)
	other := h.say(9, "m9", alert.MsgTypeAlert, nil)
	for range 5 {
		_, err := h.Known(h.m, other)
		require.NoError(t, err)
	}
	require.Equal(t, before+3, h.log.asked, "with another message of the incident it is another question")
	h.move(3)
	r, err := h.Known(h.m)
	require.NoError(t, err)
	require.EqualValues(t, 3, r.Members.GetCardinality())
}

// A list, a page and a count go on where a selection that was let in once cannot be read: it addresses nobody, and
// what else the message addresses stays.
func TestNow_WhatCannotBeReadAddressesNobody(t *testing.T) {
	h := newHouse(t)
	h.m.Issue.Targets = []audience.Target{{Select: "kind ="}, {Select: "kind = screen"}}
	r, err := h.Now(h.m)
	require.NoError(t, err)
	require.Equal(t, []uint32{1, 2}, r.Members.ToArray())
	h.m.Issue.Targets = h.m.Issue.Targets[:1]
	now, joined := h.of(t)
	require.Empty(t, now)
	require.Empty(t, joined)
}
