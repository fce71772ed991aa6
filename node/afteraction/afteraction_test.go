package afteraction_test

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/node/addressed"
	"almenara/node/afteraction"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/reached"
	"almenara/node/records/recordstest"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

var (
	noon  = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	amy   = authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}}
	looks = authority.Caller{Name: "vic", Roles: []string{authority.RoleViewer}}
)

type nothing struct{}

func (nothing) ReadWaiting(*journal.Reading, fact.Stream, func(fact.Fact)) error { return nil }
func (nothing) AllAdopted(*journal.Reading) bool                                 { return true }

// receiptsRead counts how often receipts are read.
type receiptsRead struct {
	*agreed.Reader
	times map[alert.ID]int
}

func (r *receiptsRead) ReceiptFacts(id alert.ID, from uint64, fn func(fact.Fact, receipt.Block)) error {
	r.times[id]++
	return r.Reader.ReceiptFacts(id, from, fn)
}

// AlertResidents is what residents of one block answered.
func (*district) AlertResidents(context.Context, authority.Caller, string) (reported.Residents, error) {
	return reported.Residents{Seen: 41, Blocks: []reported.ResidentsBlock{{Place: "d/e/one", Seen: 41}}}, nil
}

// district is one with screens and phones in two blocks, without a node.
type district struct {
	*afteraction.Reporter
	t       testing.TB
	log     *recordstest.Log
	read    *receiptsRead
	book    *alerts.Book
	stories *stories.Finder
	seq     map[fact.Stream]uint64
	now     time.Time
}

func newDistrict(t testing.TB, members int) *district {
	t.Helper()
	d := &district{t: t, now: noon, seq: map[fact.Stream]uint64{}, book: alerts.NewBook(nil)}
	clock := func() time.Time { return d.now }
	d.log = recordstest.New(t, clock)
	for from := 0; from < members; from += 500 {
		var raw [][]byte
		for i := from; i < min(from+500, members); i++ {
			kind := []audience.Kind{audience.KindScreen, audience.KindSpeaker}[i/2%2]
			raw = append(raw, audience.EncodeMember(&audience.Member{ID: fmt.Sprintf("s%05d", i), Kind: kind, Place: audience.Path([]string{"d/e/one", "d/e/two"}[i%2])}))
		}
		d.propose(&command.PutMembers{Members: raw})
	}
	d.stories = stories.New(d.book, d.log.State, clock)
	d.read = &receiptsRead{d.log.State, map[alert.ID]int{}}
	d.Reporter = afteraction.New(afteraction.Options{
		Alerts: d, Book: d.book, Stories: d.stories, State: d.log.State, Addressed: addressed.New(d.log.State, d.stories),
		Reached: reached.New(d.read, nothing{}, func() bool { return false }), Audience: d.log.State.Index, Residents: d, Store: d.log.Store, Clock: clock,
	})
	return d
}

// ShowAlert implements afteraction.Alerts.
func (d *district) ShowAlert(_ context.Context, id string) (wire.Alert, error) {
	s, err := d.stories.Find(id)
	if err != nil {
		return wire.Alert{}, err
	}
	return wire.Alert{ID: string(s.ID), State: d.stories.State(s), Personal: s.Personal(), CountsFrom: wire.SourceDistrict}, nil
}

func (d *district) propose(what command.Payload) {
	d.t.Helper()
	_, err := d.log.Propose(d.t.Context(), "chief", what)
	require.NoError(d.t, err)
}

// say takes a message now, and has it agreed on.
func (d *district) say(name, selection string, approvals uint32, change func(*alert.Alert)) *alerts.Message {
	d.t.Helper()
	a := &alert.Alert{
		Identifier: name, Sender: "hko", Sent: alert.NewDateTime(d.now), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{
			Language: "en", Categories: []string{"Met"}, Event: "Rain", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
			Headline: "Rain " + name, Expires: alert.NewDateTime(noon.Add(time.Hour)),
		}},
	}
	issue := factbody.Issue{Author: "amy", Accepted: d.now.UnixMilli(), Targets: []audience.Target{{Select: selection}}, Approvals: approvals, Reason: "because of " + name}
	if change != nil {
		change(a)
	}
	if a.MsgType == alert.MsgTypeCancel {
		issue.Targets = nil
	}
	raw, err := capxml.Write(a)
	require.NoError(d.t, err)
	issue.Message = raw
	body, err := issue.Encode()
	require.NoError(d.t, err)
	signed := d.fact(fact.KindAlert, fact.Alerts, body)
	m, err := alerts.ReadMessage(signed.ID().String(), body)
	require.NoError(d.t, err)
	d.book.Add(m)
	d.book.Agreed(m.Fact, d.now)
	return m
}

func (d *district) fact(kind fact.Kind, stream fact.Stream, body []byte) fact.Signed {
	d.t.Helper()
	d.seq[stream]++
	signed, err := fact.Sign(fact.Fact{Kind: kind, Stream: stream, Origin: "n1", Epoch: 1, Seq: d.seq[stream], HLC: fact.HLC(d.now), Body: body},
		"k", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	require.NoError(d.t, err)
	d.propose(&command.AdoptFacts{Facts: []fact.Signed{signed}})
	return signed
}

// tell has a node take receipts down now.
func (d *district) tell(receipts ...receipt.Receipt) {
	d.t.Helper()
	blocks, err := receipt.Blocks(receipts)
	require.NoError(d.t, err)
	for _, b := range blocks {
		d.fact(fact.KindReceipts, fact.Receipts, b)
	}
}

func (d *district) report(by authority.Caller, id alert.ID) wire.Report {
	d.t.Helper()
	r, err := d.AlertReport(d.t.Context(), by, string(id))
	require.NoError(d.t, err)
	return r
}

func after(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }

func update(of *alerts.Message) func(*alert.Alert) {
	return func(a *alert.Alert) { a.MsgType, a.References = alert.MsgTypeUpdate, []alert.Key{of.Entry.Key} }
}

func cancel(of *alerts.Message) func(*alert.Alert) {
	return func(a *alert.Alert) {
		a.MsgType, a.References, a.Infos = alert.MsgTypeCancel, []alert.Key{of.Entry.Key}, nil
	}
}

func happenings(r wire.Report) (out []string) {
	for _, e := range r.Events {
		out = append(out, fmt.Sprintf("%.1f %s %s%s", e.At.Sub(r.Begun).Seconds(), e.What, e.MsgType, map[bool]string{true: " by " + e.By}[e.By != ""]))
	}
	return out
}

func TestReport_SaysWhoDidWhatAndWhomItReachedWhen(t *testing.T) {
	d := newDistrict(t, 8)
	first := d.say("rain", "place under d", 0, nil)
	id, rev := first.Entry.Key.ID(), first.Entry.Revision
	d.now = after(10)
	one := func(member uint32, rung receipt.Rung, at float64, answer string) receipt.Receipt {
		return receipt.Receipt{Alert: id, Revision: rev, Member: member, Rung: rung, At: after(at), Answer: answer}
	}
	ordinal := func(n int) uint32 {
		o, ok := d.log.State.Index().Ordinal(fmt.Sprintf("s%05d", n))
		require.True(t, ok)
		return o
	}
	d.tell(one(ordinal(0), receipt.Presented, 1, ""), one(ordinal(1), receipt.Presented, 2, ""), one(ordinal(1), receipt.Acknowledged, 5, "safe"),
		one(ordinal(2), receipt.Presented, 3, ""), one(ordinal(3), receipt.Presented, -3600, ""), one(ordinal(4), receipt.Delivered, 1, ""), one(ordinal(5), receipt.Sent, 1, ""))
	d.now = after(30)
	second := d.say("less-rain", "place under d", 0, update(first))
	d.now = after(33)
	again := one(ordinal(0), receipt.Presented, 32, "")
	again.Revision = second.Entry.Revision
	d.tell(again)
	d.now = after(60)
	d.say("no-rain", "", 0, cancel(first))
	d.now = after(70)
	stopped := one(ordinal(0), receipt.Cancelled, 61, "")
	stopped.Revision = second.Entry.Revision
	d.tell(stopped)

	r := d.report(amy, id)
	require.Equal(t, []string{
		"0.0 taken Alert by amy", "0.0 agreed Alert", "1.0 first ", "10.0 half ", "10.0 last ",
		"30.0 taken Update by amy", "30.0 agreed Update", "60.0 ended Cancel by amy",
	}, happenings(r))
	require.Equal(t, "because of no-rain", r.Events[7].Reason)
	require.Equal(t, wire.Spread{Of: 8, Count: 4, First: after(1), Half: after(10), Last: after(10), NodeClock: 1}, r.Reached,
		"what a clock says that is an hour off is when a node took it down")
	require.Equal(t, &wire.Spread{Of: 8, Count: 1, First: after(32), Last: after(32)}, r.Events[5].Reached, "each message by itself")
	require.Equal(t, []wire.CurvePoint{{At: after(1), Count: 1}, {At: after(2), Count: 2}, {At: after(3), Count: 3}, {At: after(10), Count: 4}}, r.Curve)
	require.Equal(t, &wire.Spread{Of: 4, Count: 1, First: after(61), Last: after(61)}, r.Stopped)
	require.Equal(t, []wire.Count{{Name: "safe", Count: 1}}, r.Answers)
	require.EqualValues(t, 3, r.DarkTotal, "that something was written to a device is no word of the device")
	require.Equal(t, []wire.ReportRow{
		{Member: "s00006", Kind: "speaker", Place: "d/e/one"}, {Member: "s00005", Kind: "screen", Place: "d/e/two"}, {Member: "s00007", Kind: "speaker", Place: "d/e/two"},
	}, r.Dark)
	require.Equal(t, wire.ReportRow{Member: "s00003", Kind: "speaker", Place: "d/e/two", At: after(10)}, r.Slowest[0])
	require.Len(t, r.Groups, 4)
	require.Equal(t, wire.ReportGroup{Place: "d/e/one", Kind: "screen", Reached: wire.Spread{Of: 2, Count: 1, First: after(1), Half: after(1), Last: after(1)}}, r.Groups[0])
	require.Equal(t, "screen", r.Kinds[0].Kind)
	require.EqualValues(t, 4, r.Kinds[0].Reached.Of)
	require.Equal(t, map[alert.ID]int{id: 1, second.Entry.Key.ID(): 1}, d.read.times, "the receipts are read once, under each id")
}

// People are shown what waits only once it is approved: it is from then on that time counts.
func TestReport_CountsFromTheApproval(t *testing.T) {
	d := newDistrict(t, 2)
	m := d.say("fire", "place under d", 1, nil)
	id := m.Entry.Key.ID()
	d.now = after(40)
	factID, err := hex.DecodeString(m.Fact)
	require.NoError(t, err)
	body := factbody.Approval{Fact: factID, Digest: m.Entry.Digest, By: "bob", At: d.now.UnixMilli(), Expires: after(600).UnixMilli()}
	raw, err := body.Encode()
	require.NoError(t, err)
	d.fact(fact.KindApproval, fact.Alerts, raw)
	d.book.Approve(body.OnBoard())
	d.now = after(50)
	d.tell(receipt.Receipt{Alert: id, Revision: m.Entry.Revision, Member: d.log.State.Index().Ordinals().Minimum(), Rung: receipt.Presented, At: after(39.5)})
	r := d.report(amy, id)
	require.Equal(t, []string{"0.0 taken Alert by amy", "0.0 agreed Alert", "40.0 approved Alert by bob", "40.0 stood Alert", "40.0 first ", "40.0 half ", "40.0 last "}, happenings(r),
		"a clock that is a little behind shows nothing before it was allowed")
	require.Nil(t, r.Stopped)
}

// What tells of single persons is given only to who may see it.
func TestReport_OfWhatIsPersonal(t *testing.T) {
	d := newDistrict(t, 8)
	m := d.say("care", "has care or kind = screen", 0, nil)
	id := m.Entry.Key.ID()
	d.now = after(5)
	for i := range uint32(2) {
		d.tell(receipt.Receipt{Alert: id, Revision: m.Entry.Revision, Member: d.log.State.Index().Ordinals().Minimum() + i, Rung: receipt.Presented, At: after(1)})
	}
	require.NotEmpty(t, d.report(amy, id).Dark)
	approver := d.report(authority.Caller{Name: "ben", Roles: []string{authority.RoleApprover}}, id)
	require.EqualValues(t, 2, approver.Reached.Count, "who approves sees how many")
	require.Empty(t, approver.Dark, "and not who")
	r := d.report(looks, id)
	require.EqualValues(t, authority.FewestMembers, r.RoundedTo)
	require.Empty(t, r.Dark)
	require.Empty(t, r.Slowest)
	require.Zero(t, r.Reached.First)
	for _, e := range r.Events {
		require.False(t, e.What.ByDevices())
	}
}

// A device can tell of any alert, also of one that it was never sent.
func TestReport_TakesNoWordOfWhoIsNotMeant(t *testing.T) {
	d := newDistrict(t, 4)
	m := d.say("rain", "place under d/e/one", 0, nil)
	stranger, ok := d.log.State.Index().Ordinal("s00001")
	require.True(t, ok)
	d.now = after(5)
	d.tell(receipt.Receipt{Alert: m.Entry.Key.ID(), Revision: m.Entry.Revision, Member: stranger, Rung: receipt.Acknowledged, At: after(1), Answer: "safe"},
		receipt.Receipt{Alert: m.Entry.Key.ID(), Revision: m.Entry.Revision + 7, Member: stranger - 1, Rung: receipt.Presented, At: after(1)})
	r := d.report(amy, m.Entry.Key.ID())
	require.Equal(t, wire.Spread{Of: 2}, r.Reached, "nor of a revision that there is not")
	require.Empty(t, r.Answers)
	require.Empty(t, r.Slowest)
	require.EqualValues(t, 2, r.DarkTotal)
}

func TestReport_SaysThatAnAlertIsNotKnown(t *testing.T) {
	var p *wire.Problem
	_, err := newDistrict(t, 1).AlertReport(t.Context(), amy, "zzzzzz")
	require.ErrorAs(t, err, &p)
	require.Equal(t, wire.KindNotFound, p.Kind)
}

// A report waits for its turn, and no longer than the request lasts.
func TestReport_OneAtATime(t *testing.T) {
	d := newDistrict(t, 2)
	m := d.say("rain", "place under d", 0, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // of a full turn and an ended request, either may be chosen
		if _, err := d.AlertReport(ctx, amy, string(m.Entry.Key.ID())); err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
	}
	require.NotZero(t, d.report(amy, m.Entry.Key.ID()).Begun, "no turn was lost")
}

func BenchmarkReport_TenThousand(b *testing.B) {
	d := newDistrict(b, 10_000)
	m := d.say("rain", "place under d", 0, nil)
	d.now = after(20)
	var all []receipt.Receipt
	for i, it := 0, d.log.State.Index().Ordinals().Iterator(); it.HasNext(); i++ {
		all = append(all, receipt.Receipt{Alert: m.Entry.Key.ID(), Revision: m.Entry.Revision, Member: it.Next(), Rung: receipt.Presented, At: after(float64(i%1000) / 100)})
	}
	d.tell(all...)
	b.ReportAllocs()
	for b.Loop() {
		d.report(amy, m.Entry.Key.ID())
	}
}
