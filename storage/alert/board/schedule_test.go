package board

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// A board that was asked at any times before, forwards and back, and between additions,
// answers as one that is asked for the first time.
func TestBoard_AnswersAlikeWhateverItWasAskedBefore(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 11))
		entries := randomEntries(r)
		asked := New()
		for i, e := range entries {
			asked.Add(e)
			now := hour(r.Float64() * 24 * 40)
			fresh := New()
			for _, known := range entries[:i+1] {
				fresh.Add(known)
			}
			require.Equal(t, fresh.InForce(now), asked.InForce(now), "seed %d", seed)
			require.Equal(t, fresh.Ended(now), asked.Ended(now), "seed %d", seed)
			want, wanted := fresh.NextChange(now)
			got, found := asked.NextChange(now)
			require.Equal(t, wanted, found, "seed %d", seed)
			require.True(t, want.Equal(got), "seed %d: %s, not %s", seed, got, want)
		}
	}
}

// TestBoard_AnswersCostWhatIsOpen is over is not looked at again: an answer costs what is open.
func TestBoard_AnswersCostWhatIsOpen(t *testing.T) {
	b := New()
	for i := range 2000 {
		m := message(alert.MsgTypeAlert, fmt.Sprint("over", i), 0)
		m.Infos[0].Expires = alert.NewDateTime(hour(1))
		b.Add(entry(m))
	}
	b.Add(entry(message(alert.MsgTypeAlert, "last", 2)))
	now := hour(2.5)
	b.InForce(now)
	looked := 0
	b.look(now, func(*family) { looked++ })
	require.Equal(t, 1, looked)
	cost := testing.AllocsPerRun(10, func() { b.InForce(now); b.Ended(now); b.NextChange(now); b.Prune(now, nil) })
	require.Less(t, cost, 20.0)
	require.Len(t, b.families, 2001, "what is late must still meet what it belongs to")
	require.Len(t, b.Prune(hour(26), nil), 2000)
	require.Len(t, b.schedule.kept, 1)
	require.Len(t, b.carriers, 1)
}

// An approval costs what it approves, not what is known.
// On a node that is alone for days, what is over and not agreed on costs nothing at each look.
func TestAttack_WhatIsSparedCostsNothing(t *testing.T) {
	b := New()
	for i := range 2000 {
		b.Add(Entry{Fact: fmt.Sprint(i), Key: keyAt(fmt.Sprint(i), 0), Digest: "d", MsgType: alert.MsgTypeAlert, Status: alert.StatusActual, Accepted: hour(0), Expires: hour(1)})
	}
	asked, late := 0, hour(24*40)
	all := func(Entry) bool { asked++; return true }
	require.Empty(t, b.Prune(late, all))
	require.Equal(t, 2000, asked)
	require.Less(t, testing.AllocsPerRun(10, func() { b.Prune(late, all) }), 20.0)
	require.Equal(t, 2000, asked, "they are asked about when something has changed")
	b.Add(Entry{Fact: "again", Key: keyAt("7", 0), Digest: "other", MsgType: alert.MsgTypeAlert, Status: alert.StatusActual, Accepted: late, Expires: late.Add(time.Hour)})
	b.AskAgain()
	require.Len(t, b.Prune(late, func(e Entry) bool { return e.Fact == "5" }), 1998, "what was spared, and what lasts longer now")
	require.Len(t, b.families, 2)
	b.AskAgain()
	require.Len(t, b.Prune(late.Add(alert.MaxLifetime+alert.EndMemory), nil), 3)
	require.Empty(t, b.families)
}

func TestBoard_ApprovalFindsItsMessage(t *testing.T) {
	b := boardOf(signal8, otherAlert)
	e := signal8
	e.Fact, e.Approvals, e.Author = "asked", 1, "writer"
	e.Key.Identifier = "waits"
	b.Add(e)
	require.Equal(t, Pending, b.Judge(e, hour(1)))
	b.Approve(Approval{Fact: "asked", Digest: e.Digest, By: "second", At: hour(0.5), Expires: hour(3)})
	require.Equal(t, InForce, b.Judge(e, hour(1)))
	require.Len(t, b.carriers, 3)
	b.Prune(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), nil)
	require.Empty(t, b.carriers)
}
