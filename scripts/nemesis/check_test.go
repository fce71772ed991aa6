//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/wire"
)

// noon is when the made-up history begins.
var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

const (
	fire  = "firealertfirealertfirealer"
	flood = "floodalertfloodalertfloodal"
)

// told is what one device tells when it presents.
func told(device_ string, node int, alert string, revision uint64, seconds float64) (out []Happening) {
	for _, rung := range []string{"verified", "presented"} {
		out = append(out, Happening{
			Device: device_, Node: node, What: device.Told, Alert: alert, Revision: revision, Rung: rung, At: at(seconds),
		})
	}
	return out
}

func began(device_ string, node int, alert string, revision uint64, seconds float64) Happening {
	return Happening{
		Device: device_, Node: node, What: device.Started, Alert: alert, Revision: revision, At: at(seconds), Expires: at(600),
	}
}

// good is a district that kept every promise: a fire in the east, taken by n1, and a
// flood in the west, taken by n2 while it was cut off, and cancelled there.
func good() Evidence {
	var e Evidence
	e.Enrolments = []Enrolment{
		{Device: "screen-1", Estate: "east", Outcome: Acked}, {Device: "screen-2", Estate: "west", Outcome: Acked},
		{Device: "screen-3", Estate: "west", Outcome: Refused},
	}
	e.Messages = []Message{
		{Type: "Alert", Alert: fire, Key: "s,fire,t", Revision: 1, Estate: "east", Real: true, Expires: at(600), Node: 0, Outcome: Acked, Replication: wire.ReplicationLocal, State: wire.StateInForce, Asked: at(10), Answered: at(10.1)},
		{Type: "Alert", Alert: flood, Key: "s,flood,t", Revision: 2, Estate: "west", Real: true, Expires: at(600), Node: 1, Alone: true, Outcome: Acked, Replication: wire.ReplicationLocal, State: wire.StateInForce, Asked: at(20), Answered: at(20.1)},
		{Type: "Cancel", Alert: flood, Key: "s,over,t", Estate: "west", Real: true, Node: 1, Outcome: Acked, Replication: wire.ReplicationLocal, State: wire.StateCancelled, Asked: at(30), Answered: at(30.1)},
	}
	e.Happenings = []Happening{
		{Device: "screen-1", Node: 0, What: device.Connected, At: at(1)}, {Device: "screen-2", Node: 1, What: device.Connected, At: at(1)},
		began("screen-1", 0, fire, 1, 10.2), began("screen-2", 1, flood, 2, 20.2),
	}
	e.Happenings = append(e.Happenings, told("screen-1", 0, fire, 1, 10.3)...)
	e.Happenings = append(e.Happenings, told("screen-2", 1, flood, 2, 20.3)...)
	e.Edits = []Edit{
		{Batch: "b0", Members: []string{"m1", "m2"}, Outcome: Acked}, {Batch: "b1", Members: []string{"m1"}, Outcome: Acked},
		{Batch: "b2", Members: []string{"m2"}, Outcome: Refused},
	}
	e.Ledger = []Entry{deed(1, "r", Write, "a", true, 0, 1), deed(2, "r", Read, "a", true, 2, 3)}
	e.Messages[0].Waits = true
	e.Approvings = []Approving{{Alert: fire, Node: 0, Outcome: Acked, Replication: wire.ReplicationCommitted, Asked: at(10.1), Answered: at(10.15)}}
	e.Joinings = []Joining{{Node: 1, Asked: at(1), Done: at(5)}}
	e.Removals = []Removal{{Node: 3, Asked: at(60), Done: at(62)}}
	e.Movings = []Moving{{Node: 1, Asked: at(60), Done: at(62)}}
	e.Stalls = []Stall{{Node: 2, From: at(70), To: at(90), Led: true, Next: at(81)}}
	e.Spans = []Span{{Node: 2, What: string(Stop), From: at(40), To: at(50)}, {Node: 2, What: string(StallDisk), From: at(70), To: at(90)}}
	e.Exits = []Exit{{Node: 2, Code: exitHalt, At: at(90.2)}, {Node: 3, Code: exitRemoved, At: at(63)}}
	for i := range 3 {
		e.Views = append(e.Views, goodView(i))
	}
	return e
}

func goodView(i int) View {
	both := func(id string) map[string][]string { return map[string][]string{"verified": {id}, "presented": {id}} }
	return View{
		Node:   fmt.Sprintf("n%d", i+1),
		Status: wire.Status{StateHash: "7:abc", Nodes: []wire.NodeInfo{{Voter: true}, {Voter: true}, {Voter: true}}},
		Alerts: []wire.Alert{
			{ID: fire, Revision: 1, State: wire.StateInForce, Replication: wire.ReplicationCommitted, Approvals: &wire.Approvals{Needed: 1, Given: []wire.ApprovedBy{{Name: secondName}}}, Messages: []wire.Message{{Key: "s,fire,t"}}},
			{ID: flood, Revision: 2, State: wire.StateCancelled, Replication: wire.ReplicationCommitted, Messages: []wire.Message{{Key: "s,flood,t"}, {Key: "s,over,t"}}},
		},
		Reached: map[string]map[string][]string{fire: both("screen-1"), flood: both("screen-2")},
		Members: map[string]string{"m1": "b1", "m2": "b0"},
		Devices: []string{"screen-1", "screen-2"},
		Audit:   []byte("Alert s,fire,t, alert\nAlert s,flood,t, alert\nCancel s,over,t, alert\n"),
	}
}

// failed are the names of the checks that found something.
func failed(e Evidence) (out []string) {
	verdicts := judge(e)
	for _, c := range checks {
		if len(verdicts[c.Name].Breaches) > 0 {
			out = append(out, c.Name)
		}
	}
	return out
}

func TestChecks_PassWhatIsRight(t *testing.T) {
	verdicts := judge(good())
	for _, c := range checks {
		require.Empty(t, verdicts[c.Name].Breaches, c.Name)
		require.Positive(t, verdicts[c.Name].Judged, "%s judged nothing", c.Name)
	}
}

// breaks are violations, each with the check that must see it. A check that no row
// names fails TestChecks_CanAllFail.
var breaks = []struct {
	name  string
	check func(Evidence) Verdict
	do    func(e *Evidence)
}{
	{"a node misses an alert", sameAlerts, func(e *Evidence) { e.Views[1].Alerts = e.Views[1].Alerts[1:] }},
	{"a node has an alert more", sameAlerts, func(e *Evidence) {
		e.Views[2].Alerts = append(e.Views[2].Alerts, wire.Alert{ID: "another"})
	}},
	{"two nodes count differently", sameAlerts, func(e *Evidence) { e.Views[2].Alerts[0].Rungs.Presented++ }},
	{"two nodes see different states", sameAlerts, func(e *Evidence) { e.Views[2].Alerts[0].State = wire.StateExpired }},
	{"state hashes differ", sameHash, func(e *Evidence) { e.Views[1].Status.StateHash = "7:abd" }},
	{"no hash at all", sameHash, func(e *Evidence) {
		for i := range e.Views {
			e.Views[i].Status.StateHash = ""
		}
	}},
	{"facts wait for ever", sameHash, func(e *Evidence) { e.Views[1].Status.PendingFacts = 1 }},
	{"a chain does not verify", sameAudit, func(e *Evidence) { e.Views[0].Unproven = "line 3" }},
	{"chains differ", sameAudit, func(e *Evidence) { e.Views[1].Audit = append(e.Views[1].Audit, 'x') }},
	{"an accepted alert is lost everywhere", ackedAlerts, func(e *Evidence) {
		for i := range e.Views {
			e.Views[i].Alerts = e.Views[i].Alerts[1:]
		}
	}},
	{"an accepted update is lost", ackedAlerts, func(e *Evidence) {
		m := e.Messages[0]
		m.Type, m.Key, m.State = "Update", "s,more,t", wire.StateRecorded
		e.Messages = append(e.Messages, m)
	}},
	{"an accepted alert is not committed", ackedAlerts, func(e *Evidence) { e.Views[2].Alerts[0].Replication = wire.ReplicationHeld }},
	{"an accepted cancel has no effect", ackedCancels, func(e *Evidence) { e.Views[2].Alerts[1].State = wire.StateInForce }},
	{"an accepted message is not in a chain", ackedRecorded, func(e *Evidence) { e.Views[1].Audit = []byte("Alert s,fire,t, alert\n") }},
	{"an acknowledged receipt is not counted", toldCounted, func(e *Evidence) { e.Views[0].Reached[fire]["presented"] = nil }},
	{"an acknowledged receipt's alert is unknown", toldCounted, func(e *Evidence) {
		e.Happenings = append(e.Happenings, told("screen-1", 0, "nobody's", 9, 11)...)
	}},
	{"somebody is counted who only verified", countedTold, func(e *Evidence) {
		e.Views[0].Reached[fire]["acknowledged"] = []string{"screen-1"}
	}},
	{"somebody is counted who never told", countedTold, func(e *Evidence) {
		e.Views[0].Reached[fire]["verified"] = append(e.Views[0].Reached[fire]["verified"], "screen-2")
	}},
	{"a device begins twice, at two nodes", beganOnce, func(e *Evidence) {
		e.Happenings = append(e.Happenings, began("screen-1", 2, fire, 1, 25))
	}},
	{"a device goes back to an older revision", neverBack, func(e *Evidence) {
		e.Happenings = append(e.Happenings, began("screen-2", 0, flood, 1, 21))
	}},
	{"a device begins what its node has cancelled", cancelHeld, func(e *Evidence) {
		e.Happenings = append(e.Happenings, began("screen-2", 1, flood, 3, 31.2))
	}},
	{"a device begins what has run out", expiredHeld, func(e *Evidence) { e.Happenings[2].Expires = at(9.8) }},
	{"a device begins what is for another estate", neverWidened, func(e *Evidence) {
		e.Happenings = append(e.Happenings, began("screen-2", 1, fire, 1, 11))
	}},
	{"a device begins what nobody sent", neverWidened, func(e *Evidence) {
		e.Happenings = append(e.Happenings, began("screen-2", 1, "invented", 1, 11))
	}},
	{"a node refuses a warning", warnedAtOnce, func(e *Evidence) { e.Messages[1].Outcome, e.Messages[1].Kind = Refused, wire.KindNoQuorum }},
	{"a node fails at a warning", warnedAtOnce, func(e *Evidence) { e.Messages[0].Outcome, e.Messages[0].Kind = Unknown, wire.KindInternal }},
	{"a node only records a warning", warnedAtOnce, func(e *Evidence) { e.Messages[0].State = wire.StateRecorded }},
	{"a node puts a warning off", warnedAtOnce, func(e *Evidence) { e.Messages[0].State = wire.StateFuture }},
	{"a warning waits that needs nobody", warnedAtOnce, func(e *Evidence) { e.Messages[1].State = wire.StatePending }},
	{"a licence is not used alone", warnedAtOnce, func(e *Evidence) {
		e.Messages[1].State, e.Messages[1].Waits = wire.StatePending, true
		e.Cuts = []Span{{Node: 1, What: allLinks, From: at(14), To: at(25)}}
	}},
	{"an attached device begins too late", localInTime, func(e *Evidence) { e.Happenings[2].At = at(11.3) }},
	{"an attached device never begins", localInTime, func(e *Evidence) { e.Happenings[2].What = device.Resumed }},
	{"an isolated node's device begins too late", aloneInTime, func(e *Evidence) { e.Happenings[3].At = at(21.3) }},
	{"an accepted edit is lost", editsHeld, func(e *Evidence) { e.Views[1].Members["m1"] = "b0" }},
	{"a refused edit shows", editsHeld, func(e *Evidence) { e.Views[1].Members["m2"] = "b2" }},
	{"an enrolled device is unknown", enrolmentsHeld, func(e *Evidence) { e.Views[2].Devices = nil }},
	{"an approval is lost", approvalsHeld, func(e *Evidence) { e.Views[1].Alerts[0].Approvals = nil }},
	{"an approval has no effect", approvalsHeld, func(e *Evidence) { e.Views[1].Alerts[0].State = wire.StatePending }},
	{"what was approved is unknown", approvalsHeld, func(e *Evidence) { e.Views[1].Alerts = e.Views[1].Alerts[1:] }},
	{"a device begins before the approval", nobodyBeforeApproval, func(e *Evidence) { e.Approvings[0].Asked = at(10.3) }},
	{"a device begins without an approval", nobodyBeforeApproval, func(e *Evidence) { e.Approvings[0].Outcome = Refused }},
	{"a device begins before the licence", nobodyBeforeApproval, func(e *Evidence) {
		e.Approvings, e.Messages[0].Licence, e.Messages[0].Asked = nil, "l", at(10.3)
	}},
	{"a device begins before a press without an answer", nobodyBeforeApproval, func(e *Evidence) {
		e.Approvings, e.Messages[0].Outcome, e.Messages[0].Asked = nil, Unknown, at(10.3)
	}},
	{"a read is stale", agreedLinearizable, func(e *Evidence) { e.Ledger[1].Value = "" }},
	{"a node cannot join", joinsHeld, func(e *Evidence) { e.Joinings[0].Why = "no" }},
	{"a node is not found at its new address", movesHeld, func(e *Evidence) { e.Movings[0].Why, e.Movings[0].Done = "no", at(101) }},
	{"a node cannot be removed", removalsHeld, func(e *Evidence) { e.Removals[0].Why, e.Removals[0].Done = "no", at(101) }},
	{"a removed node is still asked", removalsHeld, func(e *Evidence) { e.Views[2].Node = "n4" }},
	{"a node never votes", allVote, func(e *Evidence) { e.Views[1].Status.Nodes[2].Voter = false }},
	{"a node that is gone still votes", allVote, func(e *Evidence) {
		e.Views[1].Status.Nodes = append(e.Views[1].Status.Nodes, wire.NodeInfo{Voter: true})
	}},
	{"a stalled disk ends nothing", stallsEnd, func(e *Evidence) { e.Exits = e.Exits[1:] }},
	{"nobody leads instead", stallsEnd, func(e *Evidence) { e.Stalls[0].Next = time.Time{} }},
	{"somebody leads too late", stallsEnd, func(e *Evidence) { e.Stalls[0].Next = at(86) }},
	{"a node ends as if it were removed", exitsOrdered, func(e *Evidence) { e.Removals = nil }},
	{"a node halts without a reason", exitsOrdered, func(e *Evidence) { e.Exits[0].At = at(115) }},
	{"another node's disk is no reason", exitsOrdered, func(e *Evidence) { e.Spans[1].Node = 1 }},
	{"a node crashes", exitsOrdered, func(e *Evidence) { e.Exits[0].Code = 2 }},
	{"a planned stop hangs", stopsInTime, func(e *Evidence) { e.SlowStops = []string{"n2"} }},
}

func TestChecks_SeeEveryViolation(t *testing.T) {
	for _, b := range breaks {
		t.Run(b.name, func(t *testing.T) {
			e := good()
			b.do(&e)
			require.NotEmpty(t, b.check(e).Breaches)
			require.NotEmpty(t, failed(e), "the check is not in the list")
		})
	}
}

// Every check in the list has a row above that only it, or it among others, fails.
func TestChecks_CanAllFail(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range breaks {
		e := good()
		b.do(&e)
		for _, name := range failed(e) {
			seen[name] = true
		}
	}
	for _, c := range checks {
		require.True(t, seen[c.Name], "nothing fails the check: %s", c.Name)
	}
}

// What cannot be judged is excused, and nothing else is.
func TestChecks_ExcuseWhatCannotBeJudged(t *testing.T) {
	late := func(e *Evidence) { e.Happenings[2].At = at(13) }
	for name, why := range map[string]func(e *Evidence){
		"the node was frozen": func(e *Evidence) {
			e.Spans = append(e.Spans, Span{Node: 0, What: string(Freeze), From: at(10.5), To: at(12)})
		},
		"the node is still down":  func(e *Evidence) { e.Spans = append(e.Spans, Span{Node: 0, What: string(Kill), From: at(10.5)}) },
		"the machine was starved": func(e *Evidence) { e.Spans = append(e.Spans, Span{Node: outside, From: at(9.9), To: at(10.4)}) },
		"a cancel came at once": func(e *Evidence) {
			e.Messages = append(e.Messages, Message{Type: "Cancel", Alert: fire, Key: "k", Asked: at(10.8)})
		},
		"an update came at once": func(e *Evidence) {
			e.Messages = append(e.Messages, Message{Type: "Update", Alert: fire, Key: "k", Revision: 5, Asked: at(10.8)})
		},
		"it ran out at once":       func(e *Evidence) { e.Messages[0].Expires = at(11) },
		"the device had just come": func(e *Evidence) { e.Happenings[0].At = at(9) },
		"the device left": func(e *Evidence) {
			e.Happenings = append(e.Happenings, Happening{Device: "screen-1", What: device.Disconnected, At: at(10.9)})
		},
		"the device was at another":    func(e *Evidence) { e.Happenings[0].Node = 2 },
		"the node did not say it does": func(e *Evidence) { e.Messages[0].State = wire.StateFuture },
	} {
		t.Run(name, func(t *testing.T) {
			e := good()
			late(&e)
			require.NotEmpty(t, localInTime(e).Breaches)
			why(&e)
			require.Empty(t, localInTime(e).Breaches)
		})
	}
	e := good()
	late(&e)
	e.Spans = append(e.Spans, Span{Node: 1, What: string(Kill), From: at(10), To: at(12)}, Span{Node: 0, What: string(Kill), From: at(2), To: at(7.9)})
	require.NotEmpty(t, localInTime(e).Breaches, "another node's fault and an old one excuse nothing")
	e.Spans = append(e.Spans, Span{Node: 0, What: string(SlowDisk), From: at(10), To: at(12)}, Span{Node: 0, What: string(FullDisk), From: at(10), To: at(12)})
	require.NotEmpty(t, localInTime(e).Breaches, "what was answered was on the disk by then")
}

// Another message excuses a device that does not begin, where its node may know of it.
func TestChecks_ExcuseOnlyWhatTheNodeMayKnow(t *testing.T) {
	over := Message{Type: "Cancel", Alert: flood, Key: "k", Node: 0, Outcome: Acked, Asked: at(19)}
	apart := Span{Node: 1, What: allLinks, From: at(18), To: at(30)}
	lone := func(o Message, cuts ...Span) Evidence {
		e := good()
		e.Happenings[3].What, e.Cuts = device.Resumed, cuts // screen-2 never began the flood
		e.Messages = append(e.Messages, o)
		return e
	}
	require.NotEmpty(t, aloneInTime(lone(over, apart)).Breaches, "another node was told, and could tell nobody")
	require.Empty(t, aloneInTime(lone(over)).Breaches)
	late := apart
	late.From = at(19.5)
	require.Empty(t, aloneInTime(lone(over, late)).Breaches, "it may have been told before the cut")
	here := over
	here.Node = 1
	require.Empty(t, aloneInTime(lone(here, apart)).Breaches)
	here.Outcome = Refused
	require.NotEmpty(t, aloneInTime(lone(here, apart)).Breaches, "what was refused did not happen")
}

// What a node makes of a warning is not judged where it was not itself.
func TestChecks_ExcuseANodeThatCannotWarn(t *testing.T) {
	off := func() Evidence {
		e := good()
		e.Messages[0].State = wire.StateFuture
		return e
	}
	require.NotEmpty(t, warnedAtOnce(off()).Breaches)
	for name, why := range map[string]func(e *Evidence){
		"its clock was wrong": func(e *Evidence) {
			e.Spans = append(e.Spans, Span{Node: 0, What: string(Clock), From: at(1), To: at(2)})
		},
		"it was frozen": func(e *Evidence) {
			e.Spans = append(e.Spans, Span{Node: 0, What: string(Freeze), From: at(9), To: at(9.5)})
		},
		"it had just joined":    func(e *Evidence) { e.Joinings[0].Node = 0 },
		"it was removed":        func(e *Evidence) { e.Removals[0].Node, e.Removals[0].Asked = 0, at(10) },
		"it ran out on the way": func(e *Evidence) { e.Messages[0].Expires = at(10.2) },
		"it ended":              func(e *Evidence) { e.Exits = append(e.Exits, Exit{Node: 0, Code: exitHalt, At: at(10.4)}) },
		"there was no answer":   func(e *Evidence) { e.Messages[0].Outcome = Unknown },
		"a scenario waits":      func(e *Evidence) { e.Messages[0].State = wire.StatePending },
		"it was cancelled already": func(e *Evidence) {
			e.Messages[0].State = wire.StateCancelled
			e.Messages = append(e.Messages, Message{Type: "Cancel", Alert: fire, Key: "k", Asked: at(9), Outcome: Unknown})
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := off()
			why(&e)
			require.Empty(t, warnedAtOnce(e).Breaches)
		})
	}
	e := off()
	e.Messages[0].State = wire.StateCancelled
	require.NotEmpty(t, warnedAtOnce(e).Breaches, "nobody had cancelled it")
}

// What a node took while it could tell nobody left with it; nothing else did.
func TestChecks_ExcuseWhatARemovedNodeTookAlong(t *testing.T) {
	lone := func() Evidence {
		e := good()
		e.Removals = []Removal{{Node: 1, Asked: at(60), Done: at(62)}}
		e.Cuts = []Span{{Node: 1, What: allLinks, From: at(19), To: at(70)}}
		for i := range e.Views {
			e.Views[i].Alerts, e.Views[i].Audit = e.Views[i].Alerts[:1], []byte("Alert s,fire,t, alert\n")
			delete(e.Views[i].Reached, flood)
		}
		return e
	}
	e := lone()
	require.Empty(t, slices.Concat(ackedAlerts(e).Breaches, ackedCancels(e).Breaches, ackedRecorded(e).Breaches, toldCounted(e).Breaches))
	require.Positive(t, ackedAlerts(e).Excused)
	for name, change := range map[string]func(e *Evidence){
		"it was not removed":           func(e *Evidence) { e.Removals = nil },
		"the removal was not answered": func(e *Evidence) { e.Removals[0].Why = "no" },
		"it came back with all it had": func(e *Evidence) { e.Removals[0].Back = true },
		"it was cut off later":         func(e *Evidence) { e.Cuts[0].From = at(50) },
		"it was heard again":           func(e *Evidence) { e.Cuts[0].To = at(59) },
		"one link was left":            func(e *Evidence) { e.Cuts[0].What = someLinks },
		"it had told another node":     func(e *Evidence) { e.Messages[1].Replication = wire.ReplicationHeld },
	} {
		t.Run(name, func(t *testing.T) {
			e := lone()
			change(&e)
			require.NotEmpty(t, ackedAlerts(e).Breaches)
		})
	}
}

func TestChecks_DoNotJudgeAStallAmongOtherFaults(t *testing.T) {
	e := good()
	e.Stalls[0].Next = time.Time{}
	e.Cuts = []Span{{Node: 0, What: someLinks, From: at(75), To: at(76)}}
	require.Empty(t, stallsEnd(e).Breaches)
	require.Equal(t, 1, stallsEnd(e).Excused)
	e.Exits = e.Exits[1:]
	require.NotEmpty(t, stallsEnd(e).Breaches, "whether the node itself ends is up to it alone")
	e.Removals = append(e.Removals, Removal{Node: 2, Asked: at(84), Done: at(88), Back: true})
	require.Empty(t, stallsEnd(e).Breaches, "how a process ended is not seen when its node was being removed")
	e.Removals[len(e.Removals)-1] = Removal{Node: 2, Asked: at(60), Done: at(62), Back: true}
	require.NotEmpty(t, stallsEnd(e).Breaches, "that was over")
	e = good()
	e.Stalls[0].Next = time.Time{}
	e.Spans = append(e.Spans, Span{Node: outside, What: "starved", From: at(75), To: at(75.4)})
	require.NotEmpty(t, stallsEnd(e).Breaches, "that is no reason to be without a leader for 15 s")
}

func TestChecks_DoNotJudgeARemovalWithoutPeace(t *testing.T) {
	e := good()
	e.Removals[0] = Removal{Node: 3, Asked: at(62), Done: at(110), Why: "too few are at hand"}
	require.NotEmpty(t, removalsHeld(e).Breaches, "there was peace after the stall")
	e.Spans = append(e.Spans, Span{Node: 1, What: string(Clock), From: at(90), To: at(110)})
	require.NotEmpty(t, removalsHeld(e).Breaches, "a clock is no reason")
	e.Cuts = []Span{{Node: 0, What: someLinks, From: at(95), To: at(96)}, {Node: 0, What: allLinks, From: at(105), To: at(120)}}
	require.Empty(t, removalsHeld(e).Breaches)
	require.Equal(t, 1, removalsHeld(e).Excused)
	e.Cuts[0].From, e.Cuts[0].To = at(101), at(102)
	require.NotEmpty(t, removalsHeld(e).Breaches)
}

func TestChecks_LetUnknownEditsComeLate(t *testing.T) {
	e := good()
	e.Edits = append(e.Edits, Edit{Batch: "b3", Members: []string{"m1"}, Outcome: Unknown}, Edit{Batch: "b4", Members: []string{"m1"}, Outcome: Acked})
	for batch, ok := range map[string]bool{"b4": true, "b3": true, "b1": false, "": false} {
		for i := range e.Views {
			e.Views[i].Members["m1"] = batch
		}
		require.Equal(t, ok, len(editsHeld(e).Breaches) == 0, batch)
	}
}

// A drill whose beginning nobody took is kept and not listed.
func TestChecks_DoNotAskForOrphanedDrills(t *testing.T) {
	e := good()
	e.Messages = append(e.Messages, Message{Type: "Update", Alert: "orphan", Key: "s,fire,t", Outcome: Acked})
	require.Empty(t, failed(e))
	e.Messages[len(e.Messages)-1].Real = true
	require.NotEmpty(t, ackedAlerts(e).Breaches)
}

func TestReport_CountsWhatFailed(t *testing.T) {
	e := good()
	for i := range 20 {
		e.SlowStops = append(e.SlowStops, fmt.Sprintf("n%d", i))
	}
	verdicts := judge(e)
	verdicts[healed] = Verdict{Judged: 1}
	var out strings.Builder
	require.Equal(t, 1, report(&out, verdicts))
	require.Contains(t, out.String(), "FAIL  every planned stop was in time")
	require.Contains(t, out.String(), "and 8 more")
	require.True(t, strings.HasSuffix(out.String(), fmt.Sprintf("%d checks passed, 1 failed, 0 had nothing to judge\n", len(checks))))
	verdicts[checks[1].Name] = Verdict{Excused: 3}
	out.Reset()
	require.Equal(t, 1, report(&out, verdicts))
	require.Contains(t, out.String(), "none  "+checks[1].Name+" (0 judged, 3 excused)")
	require.Contains(t, out.String(), "1 had nothing to judge")
	delete(verdicts, checks[0].Name)
	require.Equal(t, 2, report(&out, verdicts), "a check that was not run has not passed")
}
