package personal

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
	shown "almenara/node/wire/personal"
	"almenara/storage/factbody"
	"almenara/storage/personal"
)

// changes is a log that is agreed on at once.
type changes struct {
	*recordstest.Log
	now      func() time.Time
	removals []command.RemoveOld
}

func (c *changes) Change(ctx context.Context, actor string, p command.Payload) (command.Result, error) {
	if r, ok := p.(*command.RemoveOld); ok {
		c.removals = append(c.removals, *r)
	}
	r, err := c.Propose(ctx, actor, p)
	if err == nil {
		err = r.Error()
	}
	return r, err
}

// report has a report agreed on.
func (c *changes) report(t *testing.T, seq uint64) {
	t.Helper()
	body, err := factbody.Report{Report: factbody.ReportID("phone", fmt.Sprint(seq)), Device: "phone", Kind: factbody.ReportOther, At: 1, Taken: 1, Text: "x"}.Encode()
	require.NoError(t, err)
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	s, err := fact.Sign(fact.Fact{Kind: fact.KindReport, Stream: fact.Receipts, Origin: "n1", Epoch: 1, Seq: seq, HLC: uint64(c.now().UnixMilli()) << 16, Body: body}, "k", key)
	require.NoError(t, err)
	_, err = c.Propose(t.Context(), "n1", &command.AdoptFacts{Facts: []fact.Signed{s}})
	require.NoError(t, err)
}

var chief = authority.Caller{Name: "chief", Roles: []string{authority.RoleAdministrator}}

// Nothing is removed at once after an upgrade, nor at once after a setting: who mistypes has until midnight.
func TestRetention_HoldsFromMidnightOn(t *testing.T) {
	now := time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	log := &changes{Log: recordstest.New(t, clock), now: clock}
	trusted := false
	p := New(Options{Dir: t.TempDir(), Store: log.Store, Proposer: log, Name: func() string { return "n1" }, Trusted: func() bool { return trusted }, Clock: clock})
	round := func() int {
		log.removals = nil
		require.NoError(t, p.RemoveOld(t.Context()))
		return len(log.removals)
	}
	kept := func() shown.Kept {
		out, err := p.ShowRetention(t.Context(), chief)
		require.NoError(t, err)
		return out
	}
	trusted = true
	require.Zero(t, round(), "where nothing is known of people, no command is used that older software does not understand")
	log.report(t, 1)
	trusted = false
	require.Zero(t, round(), "a clock that may be wrong removes nothing")
	trusted = true
	require.Equal(t, 2, round(), "the first look, at positions and at other reports")
	require.Zero(t, round())
	require.Equal(t, now.Add(personal.Grace), kept().Next[1].On)
	now = now.Add(personal.Grace - time.Minute)
	require.Zero(t, round())
	now = now.Add(time.Hour)
	require.Zero(t, round(), "nothing is old")
	require.Equal(t, personal.Day(now).Add(24*time.Hour), kept().Next[1].On)
	now = now.AddDate(0, 13, 1)
	log.report(t, 2)
	require.EqualValues(t, 1, kept().Next[1].Due)
	require.Equal(t, 2, round(), "of both kinds")
	require.Zero(t, round(), "once a day")
	require.EqualValues(t, []uint64{1, 0}, []uint64{kept().Next[1].Removed, kept().Next[1].Due})
	now = now.Add(36 * time.Hour) // the second one is some days old

	out, err := p.PutRetention(t.Context(), chief, shown.Retention{PositionDays: 7, ReportMonths: 1, NoteMonths: 13, ResidentMonths: 13, NoticeMonths: 12})
	require.NoError(t, err)
	midnight := personal.Day(now).Add(24 * time.Hour)
	require.Equal(t, []any{midnight, midnight.AddDate(0, 0, -7), midnight.AddDate(0, -1, 0)}, []any{out.Next[0].On, out.Next[0].Before, out.Next[1].Before})
	require.Zero(t, round())
	now = midnight.Add(time.Second)
	require.Zero(t, round())
	now = now.AddDate(0, 1, 1)
	require.Equal(t, 2, round())
	require.Equal(t, personal.Day(now).AddDate(0, 0, -7).UnixMilli(), log.removals[0].Before)
	require.EqualValues(t, 2, kept().Next[1].Removed)

	for _, bad := range []shown.Retention{{NoticeMonths: 11}, {ReportMonths: 1201}, {PositionDays: 36501}} {
		_, err := p.PutRetention(t.Context(), chief, bad)
		var problem *wire.Problem
		require.ErrorAs(t, err, &problem)
		require.Equal(t, wire.KindRefused, problem.Kind)
	}
	for name, ask := range map[string]func(by authority.Caller) error{
		"set": func(by authority.Caller) error {
			_, err := p.PutRetention(t.Context(), by, shown.Retention{})
			return err
		},
		"show": func(by authority.Caller) error { _, err := p.ShowRetention(t.Context(), by); return err },
		"who":  func(by authority.Caller) error { _, err := p.ListErasures(t.Context(), by); return err },
		"whom": func(by authority.Caller) error { _, err := p.ShowPerson(t.Context(), by, "r-1"); return err },
		"erase": func(by authority.Caller) error {
			_, err := p.ErasePerson(t.Context(), by, "r-1", shown.Erase{})
			return err
		},
	} {
		require.Error(t, ask(authority.Caller{Name: "ben", Roles: []string{authority.RoleComposer}}), name)
	}
}
