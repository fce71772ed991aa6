package outcome_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/peers"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/members"
	"almenara/node/outcome"
	"almenara/node/records/recordstest"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// desk answers for a district with three screens, one of them connected to another node.
type desk struct {
	*outcome.Answers
	t     *testing.T
	book  *alerts.Book
	now   time.Time
	alone bool
	asked []string // "all nodes", "this node"
}

// Connected implements outcome.Connected.
func (d *desk) Connected(_ context.Context, all *roaring.Bitmap, reachable func(string) bool) (*roaring.Bitmap, []string) {
	if reachable == nil {
		d.asked = append(d.asked, "this node")
		return roaring.New(), nil
	}
	require.True(d.t, reachable("n2"))
	require.False(d.t, reachable("n3"))
	d.asked = append(d.asked, "all nodes")
	return roaring.And(all, roaring.BitmapOf(all.ToArray()[:min(1, len(all.ToArray()))]...)), []string{"n3"}
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, book: alerts.NewBook(nil), now: noon}
	clock := func() time.Time { return d.now }
	log := recordstest.New(t, clock)
	var raw [][]byte
	for i := range 3 {
		raw = append(raw, audience.EncodeMember(&audience.Member{ID: fmt.Sprint("s", i), Kind: audience.KindScreen, Place: "d/here"}))
	}
	_, err := log.Propose(t.Context(), "chief", &command.PutMembers{Members: raw})
	require.NoError(t, err)
	f := stories.New(d.book, log.State, clock)
	d.Answers = outcome.New(outcome.Options{
		Book: d.book, Addressed: addressed.New(log.State, f), Members: members.New(log.State.Index, log.Store), Progress: replication.New(f.Agreed),
		Connected: d, Here: func(m *roaring.Bitmap) int { return int(m.GetCardinality()) },
		Peers: func() []peers.Peer { return []peers.Peer{{ID: "n2", Reachable: true}, {ID: "n3"}} },
		Alone: func() bool { return d.alone }, Clock: clock,
	})
	return d
}

func (d *desk) message(number byte, place string, approvals uint32) *alerts.Message {
	a := &alert.Alert{
		Identifier: fmt.Sprint("m", number), Sender: "hko", Sent: alert.NewDateTime(noon), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{Event: "Rain", Expires: alert.NewDateTime(noon.Add(time.Hour))}},
	}
	id := fact.ID{number}
	issue := factbody.Issue{Accepted: noon.UnixMilli(), Approvals: approvals, Author: "amy", Targets: []audience.Target{{Select: "place under " + place}}}
	return &alerts.Message{Fact: hex.EncodeToString(id[:]), Issue: issue, Alert: a, Entry: issue.Entry(a, a.Digest().String(), hex.EncodeToString(id[:]))}
}

func TestRecorded_SaysWhoIsWarnedAndReachable(t *testing.T) {
	d := newDesk(t)
	m := d.message(1, "d", 0)
	d.book.Add(m)
	p := &exchange.Progress{ID: fact.ID{1}}
	out := d.Recorded(t.Context(), m, p, wire.WaitHeld, why.Sentences{{Text: "mind the clock"}})
	require.Equal(t, wire.EffectWarns, out.Effect)
	require.Equal(t, wire.StateInForce, out.State)
	require.EqualValues(t, 3, out.Addressed.Total)
	require.Equal(t, 3, out.Connected)
	require.EqualValues(t, 1, *out.Reachable)
	require.Equal(t, []string{"n3"}, out.Unanswered)
	require.Equal(t, []string{"mind the clock"}, out.Warnings.Texts())
	require.False(t, out.Duplicate)
	require.True(t, d.Known(t.Context(), m, wire.WaitHeld, nil).Duplicate)

	require.Equal(t, wire.SourceDistrict, out.ReachableFrom)
	d.asked = nil
	require.Equal(t, wire.SourceThisNode, d.Recorded(t.Context(), m, p, wire.WaitLocal, nil).ReachableFrom)
	d.asked = nil
	d.Recorded(t.Context(), m, p, wire.WaitLocal, nil)
	d.alone = true
	d.Recorded(t.Context(), m, p, wire.WaitHeld, nil)
	require.Equal(t, []string{"this node", "this node"}, d.asked, "who waits for nobody, and who is alone, asks nobody")
}

func TestOf_AsksNobodyWhereNobodyIsWarned(t *testing.T) {
	d := newDesk(t)
	m := d.message(1, "d", 0)
	d.book.Add(m)
	d.now = noon.Add(2 * time.Hour)
	out := d.Known(t.Context(), m, wire.WaitHeld, nil)
	require.Equal(t, wire.EffectNone, out.Effect)
	require.Nil(t, out.Reachable)
	require.Empty(t, d.asked)
}

func TestExpected_IsOnACopyOfTheBook(t *testing.T) {
	d := newDesk(t)
	m := d.message(1, "elsewhere", 2)
	out := d.Expected(t.Context(), d.book.With(m), m, wire.WaitHeld, nil)
	require.True(t, out.DryRun)
	require.Empty(t, out.Replication)
	require.Equal(t, wire.EffectWaits, out.Effect)
	require.Equal(t, 2, out.Approvals.Needed)
	require.Contains(t, out.Warnings[0].Text, "nobody is addressed")
	require.Nil(t, d.book.Message(m.Fact))
	require.Len(t, out.Texts, 1)
	require.Equal(t, m.Alert.Infos[0].Headline, out.Texts[0].Headline, "what people would read")
}
