package read_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/followup"
	"almenara/node/members"
	"almenara/node/reached"
	"almenara/node/read"
	"almenara/node/records/recordstest"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/whereabouts"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// nothing waits to be agreed, and no original is kept apart.
type nothing struct{}

func (nothing) ReadWaiting(*journal.Reading, fact.Stream, func(fact.Fact)) error { return nil }
func (nothing) AllAdopted(*journal.Reading) bool                                 { return true }
func (nothing) Copy(factbody.Issue) *wire.Original                               { return nil }
func (nothing) Read(_ context.Context, issue factbody.Issue) ([]byte, error) {
	return issue.Message, nil
}

// library is a district with six screens in two blocks, read without a node.
type library struct {
	*read.Reader
	t         *testing.T
	log       *recordstest.Log
	book      *alerts.Book
	seq       map[fact.Stream]uint64
	now       time.Time
	here      []whereabouts.Device
	followUps *followup.Book
	given     *channels.Situation // what devices were given last
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	l := &library{t: t, now: noon, seq: map[fact.Stream]uint64{}}
	clock := func() time.Time { return l.now }
	l.log = recordstest.New(t, clock)
	var raw [][]byte
	for i := range 6 {
		place := audience.Path([]string{"d/e/one", "d/e/two"}[i%2])
		raw = append(raw, audience.EncodeMember(&audience.Member{ID: fmt.Sprint("s", i), Name: fmt.Sprint("Chan ", i), Kind: audience.KindScreen, Place: place}))
	}
	l.propose(&command.PutMembers{Members: raw})
	l.book, l.followUps = alerts.NewBook(nil), followup.NewBook(nil, func() time.Time { return l.now })
	f := stories.New(l.book, l.log.State, clock)
	l.Reader = read.New(read.Options{
		Book: l.book, Stories: f, Addressed: addressed.New(l.log.State, f), Members: members.New(l.log.State.Index, l.log.Store),
		Reached: reached.New(l.log.State, nothing{}, func() bool { return false }), Progress: replication.New(f.Agreed), Originals: nothing{},
		Connected: &whereabouts.Nodes{
			Self: "n1", Others: func() []string { return nil }, Here: func() []whereabouts.Device { return l.here },
			Among: func(*roaring.Bitmap) *roaring.Bitmap { return roaring.New() },
			Gone:  func(device string) time.Time { return map[string]time.Time{"lift-2": noon.Add(-time.Minute)}[device] },
		},
		State: l.log.State, Audience: l.log.State.Index, Store: l.log.Store, Presented: func() *channels.Situation { return l.given }, FollowUps: l.followUps,
		Asked: func(m *alerts.Message, given []board.Approval) (*wire.Approvals, error) {
			return authority.ApprovalsOut(m.Issue, given), nil
		},
		Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	return l
}

func (l *library) propose(what command.Payload) {
	l.t.Helper()
	_, err := l.log.Propose(l.t.Context(), "chief", what)
	require.NoError(l.t, err)
}

// say takes an alert at this node, and has it agreed on unless it is to wait.
func (l *library) say(name, place string, agreed bool) (alert.ID, alert.Revision) {
	l.t.Helper()
	a := &alert.Alert{
		Identifier: name, Sender: "hko", Sent: alert.NewDateTime(l.now), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{
			Language: "en", Categories: []string{"Met"}, Event: "Rain", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
			Headline: "Rain " + name, Expires: alert.NewDateTime(l.now.Add(time.Hour)),
		}},
	}
	raw, err := capxml.Write(a)
	require.NoError(l.t, err)
	issue := factbody.Issue{Message: raw, Author: "amy", Accepted: l.now.UnixMilli(), Targets: []audience.Target{{Select: "place under " + place}}}
	body, err := issue.Encode()
	require.NoError(l.t, err)
	l.fact(fact.KindAlert, fact.Alerts, body, agreed)
	e := issue.Entry(a, "", "")
	return e.Key.ID(), e.Revision
}

func (l *library) fact(kind fact.Kind, stream fact.Stream, body []byte, agreed bool) {
	l.t.Helper()
	l.seq[stream]++
	signed, err := fact.Sign(fact.Fact{Kind: kind, Stream: stream, Origin: "n1", Epoch: 1, Seq: l.seq[stream], HLC: fact.HLC(l.now), Body: body},
		"k", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	require.NoError(l.t, err)
	if kind == fact.KindAlert {
		m, err := alerts.ReadMessage(signed.ID().String(), body)
		require.NoError(l.t, err)
		l.book.Add(m)
	}
	if agreed {
		l.propose(&command.AdoptFacts{Facts: []fact.Signed{signed}})
		l.book.Agreed(signed.ID().String(), l.now)
	}
}

func (l *library) list(after string, limit int) ([]wire.Alert, string) {
	l.t.Helper()
	page, next, err := l.ListAlerts(l.t.Context(), wire.AlertQuery{After: after, Limit: limit})
	require.NoError(l.t, err)
	return page, next
}

func TestListAlerts_IsWhatIsNotAgreedThenTheLog(t *testing.T) {
	l := newLibrary(t)
	var want []string
	for i := range 5 {
		l.now = noon.Add(time.Duration(i) * time.Second)
		id, _ := l.say(fmt.Sprint("m", i), "d", i < 3)
		want = append([]string{string(id)}, want...)
	}
	var got []string
	for after := ""; ; {
		page, next := l.list(after, 2)
		require.LessOrEqual(t, len(page), 2)
		for _, a := range page {
			got = append(got, a.ID)
			require.Empty(t, a.Messages, "a list holds no messages")
			require.Empty(t, a.Addressed.ByPlace)
			require.EqualValues(t, 6, a.Addressed.Total)
		}
		if after = next; after == "" {
			break
		}
	}
	require.Equal(t, want, got)
	page, _ := l.list("", 0)
	require.Equal(t, wire.ReplicationLocal, page[0].Replication)
	require.Equal(t, wire.ReplicationCommitted, page[4].Replication)
	for _, bad := range []string{"x", "l.0.0", "d.1.x", "l.1"} {
		_, _, err := l.ListAlerts(t.Context(), wire.AlertQuery{After: bad, Limit: 2})
		var p *wire.Problem
		require.ErrorAs(t, err, &p, bad)
		require.Equal(t, wire.KindMalformed, p.Kind)
	}
}

func TestShowAlert_SaysWhatDevicesGetAndWhomItReached(t *testing.T) {
	l := newLibrary(t)
	id, revision := l.say("rain", "d/e/one", true)
	blocks, err := receipt.Blocks([]receipt.Receipt{{Alert: id, Revision: revision, Member: first(l), Rung: receipt.Presented, At: noon}})
	require.NoError(t, err)
	l.fact(fact.KindReceipts, fact.Receipts, blocks[0], true)

	a, err := l.ShowAlert(t.Context(), string(id)[:8])
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, a.State)
	require.Len(t, a.Messages, 1)
	require.Equal(t, "Rain rain", a.Messages[0].Texts[0].Headline)
	require.EqualValues(t, 3, a.Rungs.Queued)
	require.EqualValues(t, 1, a.Rungs.Presented)
	require.Len(t, a.ByGroup, 1)
	require.Equal(t, "d/e/one", a.ByGroup[0].Place)
	require.EqualValues(t, 1, a.ByGroup[0].Rungs.Presented)
	event, ok := l.Event(id)
	require.True(t, ok)
	require.Equal(t, a.Rungs, *event.Rungs)
	require.Equal(t, "Rain rain", event.Text)
	_, ok = l.Event(alert.ID("unheard"))
	require.False(t, ok)

	raw, err := l.AlertMessage(t.Context(), authority.Caller{}, string(id))
	require.NoError(t, err)
	require.Contains(t, string(raw), "Rain rain")
}

// first is the ordinal of the first screen of block one.
func first(l *library) uint32 {
	o, ok := l.log.State.Index().Ordinal("s0")
	require.True(l.t, ok)
	return o
}

// What people answered is read by who is not limited, and of one's own places.
func TestAlertReceipts_GiveAnswersOfTheCallersPlaces(t *testing.T) {
	l := newLibrary(t)
	id, revision := l.say("rain", "d/e", true)
	var all []receipt.Receipt
	for _, m := range []string{"s0", "s1"} { // of block one, and of block two
		o, ok := l.log.State.Index().Ordinal(m)
		require.True(t, ok)
		all = append(all, receipt.Receipt{Alert: id, Revision: revision, Member: o, Rung: receipt.Acknowledged, Answer: "help", At: noon})
	}
	blocks, err := receipt.Blocks(all)
	require.NoError(t, err)
	l.fact(fact.KindReceipts, fact.Receipts, blocks[0], true)
	for _, c := range []struct {
		places []string
		want   map[string]string
	}{
		{nil, map[string]string{"s0": "help", "s1": "help"}},
		{[]string{"d/e/two"}, map[string]string{"s0": "", "s1": "help"}},
		{[]string{"d/x"}, map[string]string{"s0": "", "s1": ""}},
	} {
		got := map[string]string{}
		page, err := l.AlertReceipts(t.Context(), authority.Caller{Roles: []string{authority.RoleComposer}, Places: c.places}, string(id), wire.ReceiptQuery{Rung: "acknowledged"})
		require.NoError(t, err)
		for _, row := range page.Rows {
			got[row.Member] = row.Answer
		}
		require.Equal(t, c.want, got, "%v", c.places)
	}
}

// A page may be of one block: everybody in it, and nobody else.
func TestAlertReceipts_OfOnePlace(t *testing.T) {
	l := newLibrary(t)
	id, _ := l.say("rain", "d/e", true)
	reader := authority.Caller{Roles: []string{authority.RoleAdministrator}}
	of := func(place string) (ids []string) {
		for after := ""; ; {
			page, err := l.AlertReceipts(t.Context(), reader, string(id), wire.ReceiptQuery{Missing: true, Place: place, After: after, Limit: 2})
			require.NoError(t, err)
			for _, row := range page.Rows {
				ids = append(ids, row.Member)
			}
			if after = page.Next; after == "" {
				return ids
			}
		}
	}
	require.Equal(t, []string{"s0", "s2", "s4"}, of("d/e/one"))
	require.Len(t, of("d/e"), 6)
	require.Len(t, of(""), 6)
	require.Empty(t, of("d/e/on"), "a place is met whole")
	_, err := l.AlertReceipts(t.Context(), reader, string(id), wire.ReceiptQuery{Place: "no/\x00place"})
	require.Error(t, err)
}

func TestAlertReceipts_SayWhyAMemberIsMissing(t *testing.T) {
	l := newLibrary(t)
	id, revision := l.say("rain", "d/e/one", true)
	for _, n := range []string{"0", "2"} {
		ordinal, _ := l.log.State.Index().Ordinal("s" + n)
		l.propose(&command.PutDevices{Devices: []storage.Device{{ID: "lift-" + n, Member: "s" + n, Ordinal: ordinal, Kind: "screen", SecretHash: append(make([]byte, 31), n[0])}}})
	}
	l.here = []whereabouts.Device{{Device: "lift-0", Member: first(l), Since: noon.Add(-time.Hour)}}
	reader := authority.Caller{Roles: []string{authority.RoleAdministrator}}
	out, err := l.AlertReceipts(t.Context(), reader, string(id), wire.ReceiptQuery{Missing: true})
	require.NoError(t, err)
	require.Len(t, out.Rows, 3)
	reasons := map[string]string{}
	for _, row := range out.Rows {
		reasons[row.Member] = row.Reason
		require.Equal(t, "Chan "+row.Member[1:], row.Name)
	}
	require.Equal(t, map[string]string{"s0": wire.ReasonWaiting, "s2": wire.ReasonDark, "s4": wire.ReasonNoDevice}, reasons)

	// What is connected has ten seconds to prove that it presented the alert; then somebody has to knock.
	silent := func(after time.Duration, since time.Time) wire.ReceiptRow {
		l.now = noon.Add(after)
		l.here[0].Since = since
		out, err := l.AlertReceipts(t.Context(), reader, string(id), wire.ReceiptQuery{Missing: true})
		require.NoError(t, err)
		return out.Rows[0]
	}
	require.Equal(t, wire.ReasonWaiting, silent(wire.ProofTime-time.Millisecond, noon.Add(-time.Hour)).Reason)
	row := silent(wire.ProofTime, noon.Add(-time.Hour))
	require.Equal(t, []any{wire.ReasonSilent, noon}, []any{row.Reason, row.Since}, "since it was in force")
	require.Equal(t, wire.ReasonWaiting, silent(time.Minute, noon.Add(time.Minute-time.Second)).Reason, "it has just connected")
	row = silent(time.Minute, noon.Add(45*time.Second))
	require.Equal(t, []any{wire.ReasonSilent, noon.Add(45 * time.Second)}, []any{row.Reason, row.Since}, "since it connected")

	// Who was told by a person is on no rung for that.
	told, err := factbody.FollowUp{Alert: string(id), Revision: uint64(revision), What: factbody.Told, Members: []uint32{first(l)}, By: "warden", At: l.now.UnixMilli()}.Encode()
	require.NoError(t, err)
	_, ok := l.followUps.Learn(fact.Fact{Kind: fact.KindFollowUp, Body: told})
	require.True(t, ok)
	row = silent(time.Minute, noon)
	require.Equal(t, []any{"warden", l.now, "queued", wire.ReasonSilent}, []any{row.ToldBy, row.ToldAt, row.Rung, row.Reason})
	shown, err := l.ShowAlert(t.Context(), string(id))
	require.NoError(t, err)
	require.EqualValues(t, 1, shown.Told)
	require.Zero(t, shown.Rungs.Presented)
	l.now = noon

	page, err := l.AlertReceipts(t.Context(), authority.Caller{Roles: []string{authority.RoleComposer}}, string(id), wire.ReceiptQuery{Rung: "queued", Limit: 2})
	require.NoError(t, err)
	require.Len(t, page.Rows, 2)
	require.Empty(t, page.Rows[0].Name, "names are for those who may read them")
	page, err = l.AlertReceipts(t.Context(), reader, string(id), wire.ReceiptQuery{Rung: "queued", Limit: 2, After: page.Next})
	require.NoError(t, err)
	require.Len(t, page.Rows, 1)
	require.Empty(t, page.Next)
	_, err = l.AlertReceipts(t.Context(), reader, string(id), wire.ReceiptQuery{Rung: "seen"})
	require.Error(t, err)

	devices, next, err := l.ListDevices(t.Context(), "", 1)
	require.NoError(t, err)
	require.Equal(t, "lift-0", next)
	require.True(t, *devices[0].Connected)
	require.Equal(t, "d/e/one", devices[0].Place)
	devices, next, err = l.ListDevices(t.Context(), next, 1)
	require.NoError(t, err)
	require.Empty(t, next)
	require.False(t, *devices[0].Connected)
}

func TestShowAlert_NamesWhatMayBeAboutTheSame(t *testing.T) {
	l := newLibrary(t)
	rain, _ := l.say("rain", "d/e/one", true)
	also, _ := l.say("again", "d", true)
	l.say("elsewhere", "d/e/two", true)
	a, err := l.ShowAlert(t.Context(), string(rain))
	require.NoError(t, err)
	require.Equal(t, []string{string(also)}, a.Duplicates, "for some of the same members")
	l.now = noon.Add(30 * time.Minute)
	l.say("later", "d", true)
	l.now = noon.Add(70 * time.Minute)
	a, err = l.ShowAlert(t.Context(), string(rain))
	require.NoError(t, err)
	require.Empty(t, a.Duplicates, "of what is over nobody asks")
	require.Equal(t, wire.StateExpired, a.State)
}
