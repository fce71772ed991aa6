package fsm

import (
	"fmt"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/tallies"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audit"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
)

// adopt applies one AdoptFacts and returns its outcomes.
func (r *rig) adopt(s *script, facts ...fact.Signed) []command.FactOutcome {
	r.Helper()
	return adoptResult(r, r.one(s.add(&command.AdoptFacts{Facts: facts})))
}

func TestAdopt_ExactlyOnceWithoutGaps(t *testing.T) {
	s, r, a := newScript(t), newRig(t), newOrigin("node-a")
	one, two, three := a.alert(t, "A1"), a.alert(t, "A2"), a.alert(t, "A3")
	out := r.adopt(s, two, one, three)
	require.Equal(t, command.Gap, out[0].Outcome)
	require.EqualValues(t, 1, out[0].Want)
	require.Equal(t, command.Adopted, out[1].Outcome)
	require.Equal(t, command.Gap, out[2].Outcome)
	require.EqualValues(t, 2, out[2].Want)
	require.False(t, must(r.read.HasFact(two.ID())), "nothing of it was applied")

	out = r.adopt(s, one, two, one, three, two)
	require.Equal(t, []command.Outcome{command.Known, command.Adopted, command.Known, command.Adopted, command.Known},
		[]command.Outcome{out[0].Outcome, out[1].Outcome, out[2].Outcome, out[3].Outcome, out[4].Outcome})
	require.EqualValues(t, 3, must(r.read.Mark("node-a", fact.Alerts, 7)))
	require.Len(t, r.adopted, 3, "told once each")

	reused := a.signAt(t, fact.KindAlert, fact.Alerts, 2, []byte("another fact under a used number"))
	require.Equal(t, command.Reused, r.adopt(s, reused)[0].Outcome)
	require.Equal(t, "fact refused", lastLine(r).Action, "loud: the origin lost its journal")
	got := must(r.read.FactsAfter("node-a", fact.Alerts, 7, 1, 10, 1<<20))
	require.Equal(t, []fact.Signed{two, three}, got)
	back, ok, err := r.read.Fact(three.ID())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, three, back)
}

func lastLine(r *rig) audit.Entry {
	head := must(r.auditHead())
	return must(r.audit(head.N, head.N, 1))[0]
}

func TestAdopt_WhatCannotBeReadIsRecordedSoThatTheStreamGoesOn(t *testing.T) {
	s, r, a := newScript(t), newRig(t), newOrigin("node-a")
	facts := []fact.Signed{
		a.sign(t, fact.KindAlert, fact.Alerts, []byte{0xFF}),
		a.alert(t, "A1", func(i *factbody.Issue) { i.Message = []byte("<not cap/>") }),
		a.sign(t, fact.KindFanout, fact.Alerts, []byte("x")),
		a.alert(t, "A2", func(i *factbody.Issue) { i.Message = capMessage("A2", "Ack", "x", "observatory,A1,"+sent) }),
	}
	for i, o := range r.adopt(s, facts...) {
		require.Equal(t, command.Rejected, o.Outcome, i)
		require.NotEmpty(t, o.Note)
	}
	ofNewer := r.one(s.oldEntry(a.sign(t, 99, fact.Alerts, []byte("x")))) // nobody else would propose it
	require.Equal(t, command.Rejected, adoptResult(t, ofNewer)[0].Outcome)
	require.Equal(t, command.Adopted, r.adopt(s, a.alert(t, "A3"))[0].Outcome)
	bad := fact.Signed{Canonical: []byte("?"), Signature: []byte("?")}
	noOrigin := newOrigin("").sign(t, fact.KindAlert, fact.Alerts, nil)
	nul := newOrigin("a\x00b").sign(t, fact.KindAlert, fact.Alerts, nil)
	for _, o := range r.adopt(s, bad, noOrigin, nul) {
		require.Equal(t, command.Malformed, o.Outcome)
	}
	before := r.hash()
	r.reopen()
	require.Equal(t, before, r.hash())
	require.Empty(t, r.halts)
}

func TestAdopt_TargetsAreFrozenAtAdoption(t *testing.T) {
	s, r, a := newScript(t), newRig(t), newOrigin("node-a")
	r.one(s.add(&command.PutMembers{Members: members(0, 30)})) // every third is a screen
	out := r.adopt(s, a.alert(t, "A1"))
	require.EqualValues(t, 10, out[0].Targets)
	r.one(s.add(&command.PutMembers{Members: members(30, 30)}))
	r.one(s.add(&command.RemoveMembers{IDs: []string{"m-000000"}}))
	r.reopen()
	v, ok, err := r.read.Alert(alert.ID(out[0].Alert))
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 10, v.Current().Targets)
	require.Equal(t, []factlog.KindCount{{Kind: "screen", Count: 10}}, v.Current().Kinds)
	require.Equal(t, "amy", v.Current().Issue.Author)
	target := must(r.read.Target(v.Current().Entry.Key, v.Current().Entry.Revision))
	require.EqualValues(t, 10, target.GetCardinality())
	require.True(t, target.Contains(0))

	widened := a.alert(t, "A9", func(i *factbody.Issue) { i.Targets = []audience.Target{{}, {Select: "("}, {Select: "kind = phone"}} })
	o := r.adopt(s, widened)[0]
	require.EqualValues(t, 20, o.Targets, "what cannot be resolved reaches nobody")
	require.Contains(t, o.Note, "2 of 3")
}

func TestAdopt_ConflictCancelAndUpdate(t *testing.T) {
	s, r, a, b := newScript(t), newRig(t), newOrigin("node-a"), newOrigin("node-b")
	later := func(i *factbody.Issue) {
		i.Message, i.Accepted = capMessage("A1", "Alert", "Something else", ""), epoch.UnixMilli()+5000
	}
	out := r.adopt(s, a.alert(t, "A1"), b.alert(t, "A1", later), b.alert(t, "A1"))
	require.Equal(t, command.Adopted, out[0].Outcome)
	require.Equal(t, command.Refused, out[1].Outcome)
	require.Equal(t, command.Adopted, out[2].Outcome)
	require.Contains(t, out[2].Note, "known by another fact")
	id := alert.ID(out[0].Alert)
	refused := 0
	for _, l := range must(r.audit(0, 0, 0)) {
		if l.Action == "alert refused" {
			refused++
		}
	}
	require.Equal(t, 1, refused)

	ref := "observatory,A1," + sent
	update := a.alert(t, "U1", func(i *factbody.Issue) {
		i.Message = capMessageAt("U1", "Update", "Rainstorm, black", ref, "2026-07-20T17:45:00+08:00")
	})
	require.Equal(t, string(id), r.adopt(s, update)[0].Alert)
	now := epoch.Add(10 * time.Minute)
	require.Len(t, r.inForce(now), 1)
	cancel := b.alert(t, "C1", func(i *factbody.Issue) {
		i.Message, i.Targets = capMessageAt("C1", "Cancel", "Rainstorm", ref, "2026-07-20T17:46:00+08:00"), nil
	})
	require.Equal(t, string(id), r.adopt(s, cancel)[0].Alert)
	r.reopen()
	require.Empty(t, r.inForce(now))
	require.Len(t, r.ended(now), 1)
	list := must(r.alerts(10))
	require.Len(t, list, 1)
	require.Len(t, list[0].Messages, 2)
	require.Len(t, list[0].Cancels, 1)
	require.Len(t, list[0].Lost, 1)
	require.Equal(t, "U1", list[0].Current().Entry.Key.Identifier)
	require.Len(t, recalled(r, epoch), 5)
}

func TestAdopt_ManyAlertsWithLargeTargetsInOneEntry(t *testing.T) {
	s, r, single, a := newScript(t), newRig(t), newRig(t), newOrigin("node-a")
	var facts []fact.Signed
	for i := range 100 {
		facts = append(facts, a.alert(t, fmt.Sprint("A", i)))
	}
	s.add(&command.PutMembers{Members: members(0, 9)})
	s.add(&command.AdoptFacts{Facts: append(facts, a.receipts(t, keyOf("A1").ID(), 1, receipt.Sent, 1))})
	commits := 0
	r.fsm.hooks.Changed = func(apply.Change) { commits++ }
	r.fsm.Derived().Ordinals = 6_500_000 // as if targets took 800 kB each
	out := r.all(s.logs)
	for i, l := range s.logs {
		require.Equal(t, single.fsm.Apply(l), out[i], "where it was cut does not show")
	}
	require.Greater(t, commits, 2)
	require.Equal(t, single.hash(), r.hash())
	require.Len(t, adoptResult(t, resultOf(t, out[1])), 101)
}

// A crash in the middle of an adoption that took several transactions leaves the
// applied index before it: the entry comes again.
func TestAdopt_CrashBetweenTheTransactionsOfOneEntry(t *testing.T) {
	s, r, whole, a := newScript(t), newRig(t), newRig(t), newOrigin("node-a")
	id := keyOf("A0").ID()
	l := s.add(&command.AdoptFacts{Facts: []fact.Signed{
		a.alert(t, "A0"), a.receipts(t, id, 1, receipt.Sent, 1, 2), a.alert(t, "A1"), a.receipts(t, id, 1, receipt.Sent, 3),
	}})
	whole.one(l)
	c, err := command.Decode(l.Data)
	require.NoError(t, err)
	b := newBatch(r.fsm, 1)
	require.NoError(t, b.open())
	partial := *c.Payload.(*command.AdoptFacts)
	partial.Facts = partial.Facts[:2]
	_, err = b.to.Apply(l.Index, command.Command{Actor: c.Actor, At: c.At, Payload: &partial, Version: c.Version})
	require.NoError(t, err)
	require.NoError(t, b.commitPart(l.Index, 2))
	b.discard()
	r.reopen()
	require.Zero(t, r.fsm.Applied())
	r.one(l)
	require.Equal(t, whole.hash(), r.hash())
}

func TestReceipts_CountedOnceAndKeptUnchanged(t *testing.T) {
	s, r, a, b := newScript(t), newRig(t), newOrigin("node-a"), newOrigin("node-b")
	id := keyOf("A1").ID()
	first := a.receipts(t, id, 5, receipt.Delivered, 1, 2, 3)
	second := b.receipts(t, id, 5, receipt.Presented, 3, 4)
	r.adopt(s, first, second)
	r.adopt(s, first, second, first)
	check := func() {
		c := must(r.counts([]alert.ID{id}, 5))
		require.EqualValues(t, 4, c.Delivered)
		require.EqualValues(t, 2, c.Presented)
		require.Equal(t, c, must(r.counts([]alert.ID{id, "other"}, 5)))
		require.Equal(t, []uint32{3, 4}, must(r.read.ReceiptMembers([]alert.ID{id}, 5, receipt.Presented)).ToArray())
	}
	check()
	r.reopen()
	check()
	var blocks [][]byte
	require.NoError(t, r.store.View(func(tx *storage.Txn) error {
		return factlog.ReceiptBlocks(tx, string(id), 0, func(b factlog.ReceiptBlock) (bool, error) {
			blocks = append(blocks, append([]byte{}, b.Signed...))
			return true, nil
		})
	}))
	require.Equal(t, [][]byte{must(first.Encode()), must(second.Encode())}, blocks)
	mixed, err := receipt.Block{Receipts: []receipt.Receipt{
		{Alert: id, Member: 1, Rung: receipt.Sent}, {Alert: keyOf("A2").ID(), Member: 1, Rung: receipt.Sent},
	}}.Encode()
	require.NoError(t, err)
	require.Equal(t, command.Rejected, r.adopt(s, a.sign(t, fact.KindReceipts, fact.Receipts, mixed))[0].Outcome)
	require.Equal(t, command.Rejected, r.adopt(s, a.sign(t, fact.KindReceipts, fact.Receipts, []byte("?")))[0].Outcome)
}

func TestReceipts_CheckpointAndEvictionChangeNoCount(t *testing.T) {
	s, r, a := newScript(t), newRig(t), newOrigin("node-a")
	id := keyOf("A1").ID()
	var members []uint32
	for block := range tallies.CheckpointEvery/receipt.MaxReceipts + 2 {
		members = members[:0]
		for i := range receipt.MaxReceipts {
			members = append(members, uint32(block*receipt.MaxReceipts+i))
		}
		r.adopt(s, a.receipts(t, id, 5, receipt.Presented, members...))
	}
	want := must(r.counts([]alert.ID{id}, 5))
	require.EqualValues(t, tallies.CheckpointEvery+2*receipt.MaxReceipts, want.Presented)
	var index uint64
	require.NoError(t, r.store.View(func(tx *storage.Txn) (err error) {
		_, index, err = tallies.LastCheckpoint(tx, string(id))
		return err
	}))
	require.EqualValues(t, tallies.CheckpointEvery/receipt.MaxReceipts, index)
	for i := range tallies.Kept + 5 {
		r.adopt(s, a.receipts(t, keyOf(fmt.Sprint("B", i)).ID(), 5, receipt.Sent, 1))
	}
	held := r.fsm.Derived().Tallies.Held()
	require.LessOrEqual(t, len(held), tallies.Kept)
	require.NotContains(t, held, id)
	require.Equal(t, want, must(r.counts([]alert.ID{id}, 5)))
	r.reopen()
	require.Equal(t, want, must(r.counts([]alert.ID{id}, 5)))
}

// What an origin made between two times is found without reading what it made before.
func TestMadeBetween_FindsWhatWasMadeThen(t *testing.T) {
	r, s, o := newRig(t), newScript(t), newOrigin("node-a")
	id := keyOf("A1").ID()
	for i := range 40 {
		o.hlc = uint64(1000*i) << 16
		s.add(&command.AdoptFacts{Facts: []fact.Signed{o.receipts(t, id, 5, receipt.Presented, uint32(i))}})
	}
	r.all(s.logs)
	for _, c := range [][2]int{{0, 39}, {0, 0}, {10, 20}, {39, 60}, {50, 60}, {7, 7}} {
		var want, got []uint32
		for i := c[0]; i <= min(c[1], 39); i++ {
			want = append(want, uint32(i))
		}
		at := func(i int) time.Time { return fact.WallTime(uint64(1000*i) << 16) }
		require.NoError(t, r.read.MadeBetween("node-a", at(c[0]), at(c[1]), func(_ fact.Fact, b receipt.Block) {
			got = append(got, b.Receipts[0].Member)
		}))
		require.Equal(t, want, got, "%v", c)
	}
}

// Who typed an approval in, and by which code, is on the audit from entries of software that knows it.
func TestAdopt_SaysWhoTypedAnApprovalIn(t *testing.T) {
	for _, old := range []bool{false, true} {
		s, r, a := newScript(t), newRig(t), newOrigin("node-a")
		message := a.alert(t, "A1", func(i *factbody.Issue) { i.Approvals = 1 })
		require.Equal(t, command.Adopted, r.adopt(s, message)[0].Outcome)
		id := message.ID()
		body, err := factbody.Approval{Fact: id[:], Digest: "d", By: "bob", Reason: "seen", At: 1, Expires: 2, Typed: "ben", Code: "482913"}.Encode()
		require.NoError(t, err)
		approved := a.sign(t, fact.KindApproval, fact.Alerts, body)
		payload := &command.AdoptFacts{Facts: []fact.Signed{approved}}
		require.EqualValues(t, 6, command.VersionOf(payload))
		if old {
			raw, err := cbor.Marshal(map[int]any{1: 2, 2: int(command.TypeAdoptFacts), 4: "amy", 5: epoch.UnixMilli(), 6: map[int]any{1: payload.Facts}})
			require.NoError(t, err)
			r.one(s.raw(raw))
		} else {
			r.one(s.add(payload))
		}
		if old {
			require.NotContains(t, lastLine(r).Summary, "typed", "software of that version does not read it")
			continue
		}
		require.Contains(t, lastLine(r).Summary, `by bob, reason "seen", at 1, policy 0, READ OUT as the code "482913" and typed in by ben at node node-a`)
	}
}

// What people report and what is made of it is listed and on the audit from entries of software that knows it;
// a position is listed alone. Older software stops at it.
func TestAdopt_ListsReportsFromSoftwareThatKnowsThem(t *testing.T) {
	for _, old := range []bool{false, true} {
		s, r, a := newScript(t), newRig(t), newOrigin("node-a")
		report := factbody.Report{Report: factbody.ReportID("phone-1", "0123456789abcdef"), Device: "phone-1", Kind: factbody.ReportNeedHelp, At: 4, Taken: 5, Text: "smoke"}
		position := factbody.Report{Report: factbody.ReportID("phone-1", "2"), Device: "phone-1", Kind: factbody.ReportPosition, Alert: "abcdefghijklmnopqrstuvwxyz", At: 4, Taken: 5, Point: &factbody.Point{Lat: 1}}
		said := factbody.Moderation{Report: report.Report, State: factbody.ReportForwarded, By: "amy", At: 6, Note: "to the fire brigade"}
		var facts []fact.Signed
		for _, one := range []interface{ Encode() ([]byte, error) }{report, position, said} {
			body, err := one.Encode()
			require.NoError(t, err)
			kind := fact.KindReport
			if _, is := one.(factbody.Moderation); is {
				kind = fact.KindModeration
			}
			facts = append(facts, a.sign(t, kind, fact.Receipts, body))
		}
		facts = append(facts, a.sign(t, fact.KindReport, fact.Receipts, []byte("x")))
		payload := &command.AdoptFacts{Facts: facts}
		require.EqualValues(t, 8, command.VersionOf(payload))
		var entry *raft.Log
		if old {
			raw, err := cbor.Marshal(map[int]any{1: 7, 2: int(command.TypeAdoptFacts), 4: "amy", 5: epoch.UnixMilli(), 6: map[int]any{1: payload.Facts}})
			require.NoError(t, err)
			entry = s.raw(raw)
		} else {
			entry = s.add(payload)
			behind := newRigWith(t, Hooks{MaxVersion: 7})
			require.ErrorIs(t, behind.fsm.Apply(entry).(error), ErrHalted)
			require.ErrorIs(t, behind.halts[0], command.ErrUnknownVersion)
		}
		out := adoptResult(r, r.one(entry))
		want := command.Adopted
		if old {
			want = command.Rejected
		}
		require.Equal(t, []command.Outcome{want, want, want, command.Rejected}, []command.Outcome{out[0].Outcome, out[1].Outcome, out[2].Outcome, out[3].Outcome})
		kept := map[bool]int{true: 0, false: 2}[old]
		require.Len(t, must(r.read.KeptFacts(fact.KindReport, 0, 0, 0)), kept)
		require.Len(t, must(r.read.KeptFacts(fact.KindModeration, 0, 0, 0)), kept/2)
	}
}
