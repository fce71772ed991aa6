package splits

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire/splits"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audit"
	"almenara/storage/factbody"
)

var night = time.Date(2026, 7, 20, 3, 0, 0, 0, time.UTC)

func after(s int) time.Time { return night.Add(time.Duration(s) * time.Second) }

func spell(node string, from, to int, saw ...string) Spell {
	return Spell{Node: node, Alone: factbody.Alone{
		From: after(from).UnixMilli(), To: after(to).UnixMilli(), Policy: 41, Why: factbody.AloneLost, Saw: saw,
	}}
}

func sent(fact, node string, issued int, headline string) Message {
	key := alert.Key{Sender: "s", Identifier: fact, Sent: alert.NewDateTime(after(issued))}
	return Message{
		Fact: fact, Node: node, Alert: "alert-" + fact, Headline: headline, Addressed: 5,
		Entry: board.Entry{
			Key: key, Digest: fact, MsgType: alert.MsgTypeAlert, Status: alert.StatusActual, Revision: 7,
			Effective: after(issued), Expires: after(issued + 600),
		},
		Issue: factbody.Issue{Author: "wong", Accepted: after(issued).UnixMilli(), Policy: 41},
	}
}

func approved(node, of, by string, s int) Approval {
	fact, err := hex.DecodeString(of)
	if err != nil {
		panic(err)
	}
	return Approval{Node: node, Approval: factbody.Approval{
		Fact: fact, Digest: of, By: by, Policy: 41, At: after(s).UnixMilli(), Expires: after(s + 600).UnixMilli(),
	}}
}

func told(node, of string, s int) Fanout {
	return Fanout{Node: node, Fanout: factbody.Fanout{Alert: "alert-" + of, Revision: 7, Devices: 3, At: after(s).UnixMilli()}}
}

var names = map[string]string{"a": "box-1", "b": "box-2", "c": "box-3", "d": "box-4", "e": "box-5"}

func one(t *testing.T, r Records) splits.Split {
	t.Helper()
	r.Names = names
	report := Report(r)
	require.Len(t, report, 1)
	return report[0]
}

func TestReport_GroupsWhoWasInTouch(t *testing.T) {
	s := one(t, Records{Spells: []Spell{spell("d", 0, 60, "e"), spell("e", 1, 61, "d")}})
	require.Equal(t, []splits.SplitHalf{{Nodes: []string{"box-1", "box-2", "box-3"}, Majority: true}, {Nodes: []string{"box-4", "box-5"}}}, s.Halves)
	s = one(t, Records{Spells: []Spell{spell("a", 0, 60), spell("b", 0, 61), spell("c", 0, 61), spell("d", 2, 60, "e"), spell("e", 1, 61)}})
	require.Equal(t, []splits.SplitHalf{
		{Nodes: []string{"box-1"}}, {Nodes: []string{"box-2"}}, {Nodes: []string{"box-3"}}, {Nodes: []string{"box-4", "box-5"}},
	}, s.Halves, "nobody had a majority")
}

func TestReport_SeparatesSplits(t *testing.T) {
	report := Report(Records{Names: names, Spells: []Spell{spell("c", 0, 60), spell("c", 120, 180), spell("b", 30, 90)}})
	require.Len(t, report, 2)
	require.Equal(t, after(120), report[0].From, "the newest first")
	require.Equal(t, []time.Time{after(0), after(90)}, []time.Time{report[1].From, report[1].To})
	start := spell("c", 300, 310)
	start.Why = factbody.AloneStarting
	require.Empty(t, Report(Records{Names: names, Spells: []Spell{start}}), "a district that comes up is no split")
}

// changed is a change as the audit says it.
func changed(index uint64, at time.Time, what string) Change {
	words := strings.SplitN(what+"  ", " ", 3)
	e := audit.Entry{Action: words[0] + " " + words[1], Summary: strings.TrimSpace(words[2])}
	return Change{Index: index, At: at, Action: e.Action, Subject: e.About(), What: what, By: "root"}
}

func TestReport_NamesRulesThatTheNodeDidNotKnow(t *testing.T) {
	r := Records{
		Spells: []Spell{spell("c", 0, 60)}, Messages: []Message{sent("m", "c", 30, "Fire")},
		Changes: []Change{
			changed(40, after(-10), "user put wong"), changed(42, after(20), "user revoke wong"),
			changed(43, after(40), "user put chan"),
		},
	}
	a := one(t, r).Alerts[0]
	require.Equal(t, []uint64{41, 42}, []uint64{a.Policy, a.Newest})
	require.Equal(t, []string{"Issued under policy 41; 42 had revoked the operator wong at 03:00:20, by root."}, a.Notes[:1])

	m := sent("m", "c", 30, "Fire")
	m.Issue.Policy, m.Issue.Scenario, m.Issue.Licence, m.Issue.Within = 12, "fire", "l-1", "tm"
	r.Messages = []Message{m}
	for what, want := range map[string]string{
		"user revoke wong":                  "revoked the operator wong",
		"user put wong, roles [composer]":   "changed who may do what (user put wong, roles [composer])",
		"licence revoke l-1 of wong":        "revoked the licence l-1",
		"licence revoke l-2 of wong":        "changed who may do what (licence revoke l-2 of wong)",
		"scenario remove fire":              "removed the scenario fire",
		"scenario put fire, 1 approvals":    "changed the scenario fire",
		"policy put 1 rules, approvers []:": "changed the policy",
	} {
		r.Changes = []Change{changed(41, after(-1), what), changed(42, after(20), what)}
		a = one(t, r).Alerts[0]
		require.Equal(t, []string{"Issued under policy 12; 42 had " + want + " at 03:00:20, by root."}, a.Notes[:1], what)
		require.Len(t, a.Notes, 2, "what was agreed before the split was known: %s", what)
		require.Equal(t, []string{"fire", "l-1", "tm"}, []string{a.Scenario, a.Licence, a.Within})
	}

	m.Node = "a" // which has a majority: its version of the policy counts, and users it knows
	r.Messages = []Message{m}
	r.Changes = []Change{changed(11, after(2), "policy put"), changed(42, after(20), "user revoke wong")}
	require.NotContains(t, fmt.Sprint(one(t, r).Alerts[0].Notes), "under policy")
	r.Changes[0].Index = 13
	require.Contains(t, fmt.Sprint(one(t, r).Alerts[0].Notes), "Issued under policy 12; 13 had changed the policy at 03:00:02")
}

func TestReport_SaysWhoApprovedAndUnderWhichRules(t *testing.T) {
	m := sent("ab", "c", 30, "Fire")
	m.Issue.Approvals = 2
	other := approved("c", "ab", "eve", 31)
	other.Digest = "cd"
	r := Records{
		Spells: []Spell{spell("c", 0, 60)}, Messages: []Message{m},
		Approved: []Approval{
			approved("c", "ab", "chan", 35), approved("c", "ab", "chan", 33), approved("c", "ab", "wong", 31), approved("c", "ac", "lee", 31), other,
		},
		Changes: []Change{changed(42, after(32), "user revoke chan")},
	}
	a := one(t, r).Alerts[0]
	require.Equal(t, []splits.SplitApproval{{By: "chan", At: after(33), Node: "box-3", Alone: true, Policy: 41}}, a.Approved,
		"neither the author, nor twice, nor for another message")
	require.Equal(t, []string{
		"Approved by chan under policy 41; 42 had revoked the approver chan at 03:00:32, by root.",
		"It needs 2 approvals and has 1, so nobody was warned.",
	}, a.Notes[:2])
	require.Equal(t, []string{"1 approval", "2 approvals"}, []string{approvals(1), approvals(2)})
	r.Approved = append(r.Approved, approved("a", "ab", "lee", 70))
	a = one(t, r).Alerts[0]
	require.Len(t, a.Approved, 2, "also when it came after the split")
	require.NotContains(t, fmt.Sprint(a.Notes), "It needs")
}

func TestReport_NamesWhatWaitedAndWasApprovedMeanwhile(t *testing.T) {
	waited, other := sent("ab", "a", -3600, "Fire"), sent("ac", "a", -3600, "Flood")
	waited.Issue.Approvals, other.Issue.Approvals = 2, 1
	waited.Cancelled = after(20)
	r := Records{
		Spells: []Spell{spell("c", 0, 60)}, Messages: []Message{waited, other},
		Approved: []Approval{approved("a", "ab", "lee", -1800), approved("c", "ab", "chan", 31), approved("c", "ac", "wong", 31), approved("a", "ac", "lee", -1800)},
		Fanouts:  []Fanout{told("c", "ab", 32)},
	}
	s := one(t, r)
	require.Len(t, s.Alerts, 1, "the other one was approved long before, and by its author now")
	a := s.Alerts[0]
	require.Equal(t, after(-3600), a.Issued)
	require.False(t, a.Alone)
	require.Equal(t, []splits.SplitApproval{
		{By: "lee", At: after(-1800), Node: "box-1", Policy: 41}, {By: "chan", At: after(31), Node: "box-3", Alone: true, Policy: 41},
	}, a.Approved)
	require.Equal(t, []string{"Approved by chan at box-3, where nobody could know that it had been cancelled at 03:00:20."}, a.Notes)
	require.Equal(t, []splits.SplitTold{{Node: "box-3", Devices: 3, At: after(32)}}, a.Told, "not late: it was told as soon as it was approved")
	r.Fanouts = []Fanout{told("c", "ab", 35)}
	require.True(t, one(t, r).Alerts[0].Told[0].Late)
}

func TestReport_FindsDoubles(t *testing.T) {
	same, merged := sent("m", "a", 31, "Fire"), sent("n", "a", 32, "Fire")
	same.Fact, same.Entry.Digest, same.Alert = "m2", "m", "alert-m"
	merged.Alert = "alert-m"
	r := Records{Spells: []Spell{spell("c", 0, 60)}, Messages: []Message{
		sent("m", "c", 30, "Fire"), same, merged, sent("o", "b", 33, " fire "), sent("p", "b", 34, "Flood"), sent("q", "c", 35, "Fire"),
	}}
	notes := one(t, r).Alerts[0].Notes
	require.Contains(t, notes, "The same message was also taken at box-1; it is one alert.")
	require.Contains(t, notes, "Merged into one alert with the one of 03:00:32 sent at box-1.")
	require.Contains(t, notes, `Possible duplicate: " fire " of 03:00:33 sent at box-2 looks like the same incident.`)
	require.Len(t, notes, 4, "neither another hazard nor the same node; and nobody was told")
	drill := sent("o", "b", 33, "Fire")
	drill.Entry.Status = alert.StatusExercise
	r.Messages = []Message{sent("m", "c", 30, "Fire"), drill}
	require.NotContains(t, fmt.Sprint(one(t, r).Alerts[0].Notes), "duplicate")
}

func TestReport_SaysWhatCameTooLate(t *testing.T) {
	brief, ended, theirs := sent("m", "c", 30, "A"), sent("n", "c", 31, "B"), sent("o", "a", 32, "C")
	brief.Entry.Expires, theirs.Entry.Expires, ended.Cancelled = after(50), after(50), after(55)
	s := one(t, Records{
		Spells: []Spell{spell("c", 0, 60)}, Messages: []Message{brief, ended, theirs, sent("p", "c", 33, "D")},
		Fanouts: []Fanout{told("c", "m", 30), told("c", "n", 31), told("a", "o", 32), told("b", "o", 36), told("a", "o", 61), told("c", "p", 33)},
	})
	require.Equal(t, []string{"It expired before the other half got it, which recorded it and showed it to nobody."}, s.Alerts[0].Notes)
	require.Equal(t, []string{"It was cancelled before the other half got it, which recorded it and showed it to nobody."}, s.Alerts[1].Notes)
	require.Equal(t, []string{"It expired before box-3 got it, which recorded it and showed it to nobody."}, s.Alerts[2].Notes)
	require.Equal(t, []splits.SplitTold{
		{Node: "box-1", Devices: 3, At: after(32)}, {Node: "box-2", Devices: 3, At: after(36), Late: true},
	}, s.Alerts[2].Told, "each node once, the first time")
	require.Empty(t, s.Alerts[3].Notes)
}

// Of what waits for approval, is a draft, or was to be told later, no node had anything to tell.
func TestReport_SaysNothingOfDevicesOfWhatNobodyWasToBeTold(t *testing.T) {
	waits, draft, later, plain := sent("ab", "c", 30, "A"), sent("ac", "c", 31, "B"), sent("ad", "c", 32, "C"), sent("ae", "c", 33, "D")
	waits.Issue.Approvals, draft.Entry.Status, later.Entry.Effective = 2, alert.StatusDraft, after(300)
	waits.Entry.Expires = after(50) // nobody was shown it at the other half either, but not because it came too late
	s := one(t, Records{Spells: []Spell{spell("c", 0, 60)}, Messages: []Message{waits, draft, later, plain}})
	require.Equal(t, []string{"It needs 2 approvals and has 0, so nobody was warned."}, s.Alerts[0].Notes)
	require.Empty(t, s.Alerts[1].Notes)
	require.Empty(t, s.Alerts[2].Notes)
	require.Equal(t, []string{"No node had a device of it connected."}, s.Alerts[3].Notes)
}

// The same records in any order and any number of times give the same report.
func TestReport_IsTheSameInAnyOrder(t *testing.T) {
	ids := []string{"a", "b", "c", "d", "e"}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		records := Records{Names: names}
		for i := range 1 + r.IntN(6) {
			from := r.IntN(600)
			records.Spells = append(records.Spells, spell(ids[r.IntN(5)], from, from+3+r.IntN(200), ids[r.IntN(5)]))
			m := sent(fmt.Sprintf("%02x", i), ids[r.IntN(5)], r.IntN(700), "Fire")
			records.Messages = append(records.Messages, m)
			records.Fanouts = append(records.Fanouts, told(ids[r.IntN(5)], m.Fact, r.IntN(800)))
			records.Approved = append(records.Approved, approved(ids[r.IntN(5)], fmt.Sprintf("%02x", r.IntN(i+1)), ids[r.IntN(5)], r.IntN(800)))
			records.Changes = append(records.Changes, Change{Index: uint64(40 + i), At: after(r.IntN(700)), What: fmt.Sprint("change ", i)})
		}
		want := Report(records)
		for range 5 {
			again := Records{Names: names, Spells: twice(r, records.Spells), Messages: twice(r, records.Messages),
				Fanouts: twice(r, records.Fanouts), Approved: twice(r, records.Approved), Changes: twice(r, records.Changes)}
			require.Equal(t, want, Report(again), "seed %d", seed)
		}
	}
}

func twice[T any](r *rand.Rand, in []T) []T {
	out := slices.Concat(in, in[:r.IntN(len(in)+1)])
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
