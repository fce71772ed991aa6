package splits

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/stories"
	"almenara/node/wire/splits"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/noderecord"
	"almenara/storage/rights"
)

// record is what a district agreed on, without a node.
type record struct {
	*testing.T
	*Reader
	log   *fsm.FSM
	index uint64
	seq   uint64
	last  fact.Signed
}

func newRecord(t *testing.T) *record {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := storage.Open(t.TempDir(), storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	log, err := fsm.New(store, fsm.Hooks{Halt: func(err error) { t.Error(err) }, Logger: quiet})
	require.NoError(t, err)
	state := agreed.New(log)
	f := stories.New(alerts.NewBook(nil), state, func() time.Time { return after(0) })
	return &record{T: t, Reader: NewReader(state, store, f, addressed.New(state, f)), log: log}
}

// agree puts a command in the log, at some seconds of the night.
func (r *record) agree(at int, what command.Payload) {
	r.Helper()
	r.index++
	raw, err := command.Command{RequestID: fmt.Sprint(r.index), Actor: "chief", At: after(at).UnixMilli(), Payload: what}.Encode()
	require.NoError(r, err)
	r.log.Apply(&raft.Log{Index: r.index, Term: 1, Type: raft.LogCommand, Data: raw})
}

// fact has a fact of node a adopted.
func (r *record) fact(at int, kind fact.Kind, body interface{ Encode() ([]byte, error) }) fact.Fact {
	r.Helper()
	raw, err := body.Encode()
	require.NoError(r, err)
	r.seq++
	f := fact.Fact{Kind: kind, Stream: fact.Alerts, Origin: "a", Epoch: 1, Seq: r.seq, HLC: fact.HLC(after(at)), Body: raw}
	r.last, err = fact.Sign(f, "k", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	require.NoError(r, err)
	r.agree(at, &command.AdoptFacts{Facts: []fact.Signed{r.last}})
	return f
}

func TestReader_ReadsWhatWasAgreed(t *testing.T) {
	r := newRecord(t)
	none, err := r.Splits(t.Context(), 0)
	require.NoError(t, err)
	require.NotNil(t, none, "an empty list, not null")
	require.Empty(t, none)

	for _, id := range []string{"a", "b"} {
		r.agree(0, &command.PutNode{Node: noderecord.Node{ID: id, Name: "box-" + id, Internode: id + ":1", KeyID: id, PublicKey: make([]byte, 32)}})
	}
	a := &alert.Alert{
		Identifier: "m", Sender: "hko", Sent: alert.NewDateTime(after(20)), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{
			Language: "en", Categories: []string{"Met"}, Event: "Rain", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
			Headline: "Rain", Expires: alert.NewDateTime(after(600)),
		}},
	}
	raw, err := capxml.Write(a)
	require.NoError(t, err)
	r.agree(15, &command.PutPolicy{Policy: rights.Policy{Rules: []rights.PolicyRule{{Severity: "Extreme", Approvals: 1}}}})
	issue := factbody.Issue{Message: raw, Author: "wong", Accepted: after(20).UnixMilli(), Targets: []audience.Target{{Select: "has care"}}}
	r.fact(60, fact.KindAlert, issue)
	m := r.last
	id := m.ID()
	r.fact(60, fact.KindApproval, factbody.Approval{Fact: id[:], Digest: a.Digest().String(), By: "amy", At: after(25).UnixMilli(), Expires: after(600).UnixMilli()})
	r.fact(60, fact.KindFanout, factbody.Fanout{Alert: string(a.Key().ID()), Revision: uint64(issue.Entry(a, "", "").Revision), Devices: 3, At: after(21).UnixMilli()})
	ended := r.fact(61, fact.KindAlone, factbody.Alone{From: after(10).UnixMilli(), To: after(50).UnixMilli(), Why: factbody.AloneLost})

	report, err := r.Splits(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, report, 1)
	require.Equal(t, after(10), report[0].From)
	require.Len(t, report[0].Alerts, 1)
	told := report[0].Alerts[0]
	require.Equal(t, []any{string(a.Key().ID()), "Rain", "wong", "box-a", true}, []any{told.Alert, told.Headline, told.Author, told.Node, told.Alone})
	require.Equal(t, "amy", told.Approved[0].By)
	require.True(t, told.Personal)
	require.EqualValues(t, 3, told.Told[0].Devices)
	require.EqualValues(t, 3, told.Newest, "the policy was changed before it was issued")

	over := &alert.Alert{
		Identifier: "over", Sender: "hko", Sent: alert.NewDateTime(after(40)), Status: alert.StatusActual, MsgType: alert.MsgTypeCancel, Scope: alert.ScopePublic,
		References: []alert.Key{{Sender: "hko", Identifier: "never-came", Sent: alert.NewDateTime(after(5))}, a.Key()},
	}
	for _, ends := range []struct {
		references []alert.Key
		alert      alert.ID
	}{{over.References, a.Key().ID()}, {over.References[:1], over.References[0].ID()}} {
		over.Identifier, over.References = over.Identifier+"-x", ends.references
		raw, err := capxml.Write(over)
		require.NoError(t, err)
		r.fact(62, fact.KindAlert, factbody.Issue{Message: raw, Author: "wong", Accepted: after(40).UnixMilli()})
		report, err := r.Splits(t.Context(), 0)
		require.NoError(t, err)
		i := slices.IndexFunc(report[0].Alerts, func(s splits.SplitAlert) bool { return strings.Contains(s.Key, ","+over.Identifier+",") })
		require.Equal(t, string(ends.alert), report[0].Alerts[i].Alert, "the alert that it ends, not the Cancel's own id")
	}

	sentence, ok := r.Ended(ended)
	require.True(t, ok)
	require.Contains(t, sentence, "box-a was without a majority from 2026-07-20T03:00:10Z to 2026-07-20T03:00:50Z")
	_, ok = r.Ended(fact.Fact{Body: []byte("x")})
	require.False(t, ok)
}

// There may be years of approvals: they are read in parts from the newest back, and none of the time that is asked
// for is missing.
func TestApprovals_AreThoseSinceThen(t *testing.T) {
	r := newRecord(t)
	stamp := func(at int, by string) {
		r.fact(at, fact.KindApproval, factbody.Approval{Fact: make([]byte, 32), Digest: "d", By: by, At: after(at).UnixMilli(), Expires: after(at + 60).UnixMilli()})
	}
	const year = 365 * 24 * 3600
	for i := range approvalPage + 20 {
		stamp(i-year, "old")
	}
	var want []string
	for i := range approvalPage + 30 {
		want = append(want, fmt.Sprint("p", i))
		stamp(i, want[i])
		if i == 9 {
			stamp(10-year, "late") // of a node that was away for a year
		}
	}
	var got Records
	require.NoError(t, r.approvals(&got, after(0)))
	var by []string
	for _, a := range got.Approved {
		by = append(by, a.By)
	}
	require.Equal(t, want, by)
}
