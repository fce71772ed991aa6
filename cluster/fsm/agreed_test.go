package fsm

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audit"
	"almenara/storage/noderecord"
)

func TestApply_LargeBatchIsSplitBetweenEntries(t *testing.T) {
	s := newScript(t)
	for i := range 12 {
		s.add(&command.PutMembers{Members: members(i*1500, 1500)})
	}
	whole, single := newRig(t), newRig(t)
	commits := 0
	whole.fsm.hooks.Changed = func(apply.Change) { commits++ }
	for i, response := range whole.all(s.logs) {
		require.NoError(t, resultOf(t, response).Error())
		require.Equal(t, response, single.fsm.Apply(s.logs[i]))
	}
	require.Greater(t, commits, 1, "more than one transaction holds")
	require.Less(t, commits, 12)
	require.Equal(t, single.hash(), whole.hash())
	require.Equal(t, 18_000, whole.read.Index().Len())
}

func TestApply_RepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	s := newScript(t)
	r := newRig(t)
	device := func(id string) *command.PutDevices {
		return &command.PutDevices{Devices: []storage.Device{{ID: id, Member: "m-000001", SecretHash: hash32(id)}}}
	}
	first := r.one(s.as("req-1", device("d1")))
	require.ErrorIs(t, first.Error(), command.ErrNotFound)
	require.Equal(t, "member-of-device", first.Why.Code)
	require.NoError(t, r.one(s.add(&command.PutMembers{Members: members(0, 3)})).Error())
	first.Why = nil // the code is in no record
	require.Equal(t, first, r.one(s.as("req-1", device("d1"))), "also when it would do now")
	require.NoError(t, r.one(s.as("req-2", device("d1"))).Error())
	r.reopen()
	require.NoError(t, r.one(s.as("req-2", device("d2"))).Error())
	_, ok, err := r.read.Device("d2")
	require.NoError(t, err)
	require.False(t, ok, "answered, not applied, also after a restart")
}

func TestMembers_TombstonesAndOrdinals(t *testing.T) {
	s := newScript(t)
	r := newRig(t)
	r.one(s.add(&command.PutMembers{Members: members(0, 10)}))
	r.one(s.add(&command.RemoveMembers{IDs: []string{"m-000002", "m-000005"}}))
	r.one(s.add(&command.PutMembers{Members: members(50, 1)}))
	r.reopen()
	rec, ok, err := r.memberNumber("m-000050")
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 10, rec.Ordinal, "ordinals of removed members are not given away")
	_, ok, _ = r.memberNumber("m-000002")
	require.False(t, ok)
	gone, ok, err := r.memberAt(2)
	require.NoError(t, err)
	require.True(t, ok && gone.Removed)
	require.Equal(t, "m-000002", gone.Member.ID)

	require.Equal(t, []uint32{0, 1, 3, 4, 6, 7, 8, 9, 10}, r.read.Index().Ordinals().ToArray())
	bad := audience.Member{ID: "bad id", Kind: "screen", Place: "tm"}
	res := r.one(s.add(&command.PutMembers{Members: append(members(60, 1), audience.EncodeMember(&bad))}))
	require.ErrorIs(t, res.Error(), command.ErrInvalid)
	require.ErrorIs(t, r.one(s.add(&command.PutMembers{Members: [][]byte{{9}}})).Error(), command.ErrMalformed)
	_, ok, _ = r.memberNumber("m-000060")
	require.False(t, ok, "all or none")
}

func TestJoinToken_LetsOneNodeInOnce(t *testing.T) {
	s := newScript(t)
	r := newRig(t)
	expires := epoch.UnixMilli() + 4*60_000 // entry n is proposed n minutes after epoch
	require.NoError(t, r.one(s.add(&command.PutJoinToken{Hash: hash32("j"), Expires: expires})).Error())
	require.NoError(t, r.one(s.add(&command.PutJoinToken{Hash: hash32("late"), Expires: expires})).Error())
	require.NoError(t, r.one(s.add(&command.UseJoinToken{Hash: hash32("j"), NodeID: "n1"})).Error())
	require.ErrorIs(t, r.one(s.add(&command.UseJoinToken{Hash: hash32("j"), NodeID: "n2"})).Error(), command.ErrConflict)
	require.NoError(t, r.one(s.add(&command.UseJoinToken{Hash: hash32("j"), NodeID: "n1"})).Error(), "a repeat, also after expiry")
	require.ErrorIs(t, r.one(s.add(&command.UseJoinToken{Hash: hash32("late"), NodeID: "n3"})).Error(), command.ErrExpired)
	require.ErrorIs(t, r.one(s.add(&command.UseJoinToken{Hash: hash32("?"), NodeID: "n3"})).Error(), command.ErrNotFound)
	require.ErrorIs(t, r.one(s.add(&command.PutJoinToken{Hash: hash32("j"), Expires: expires * 2})).Error(), command.ErrConflict)
}

func TestPeople_RefusalsThatKeepWhatWasTakenAway(t *testing.T) {
	s := newScript(t)
	r := newRig(t)
	r.one(s.add(&command.PutNode{Node: noderecord.Node{ID: "n1"}}))
	r.one(s.add(&command.RemoveNode{ID: "n1"}))
	require.ErrorIs(t, r.one(s.add(&command.PutNode{Node: noderecord.Node{ID: "n1"}})).Error(), command.ErrConflict)
	require.ErrorIs(t, r.one(s.add(&command.RemoveNode{ID: "n2"})).Error(), command.ErrNotFound)
	r.one(s.add(&command.PutUser{User: storage.User{Name: "amy", TokenHash: hash32("t")}}))
	require.ErrorIs(t, r.one(s.add(&command.PutUser{User: storage.User{Name: "eve", TokenHash: hash32("t")}})).Error(), command.ErrConflict)
	require.ErrorIs(t, r.one(s.add(&command.RevokeUser{Name: "eve"})).Error(), command.ErrNotFound)
	require.ErrorIs(t, r.one(s.add(&command.RevokeDevice{ID: "d"})).Error(), command.ErrNotFound)
	r.one(s.add(&command.PutDistrict{District: noderecord.District{ID: "tm", Incarnation: 3}}))
	require.ErrorIs(t, r.one(s.add(&command.PutDistrict{District: noderecord.District{ID: "tm", Incarnation: 2}})).Error(), command.ErrConflict)
	u, ok, err := r.userByToken(hash32("t"))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "amy", u.Name)
}

func TestImport_IsNotHalfAppliedAndResumesAtEveryStep(t *testing.T) {
	const chunk, chunks = 100, 5
	s := newScript(t)
	steady, crashing := newRig(t), newRig(t)
	both := func(p command.Payload) command.Result {
		l := s.add(p)
		res := steady.one(l)
		require.Equal(t, res, crashing.one(l))
		crashing.reopen()
		return res
	}
	both(&command.PutMembers{Members: members(0, 20)}) // not in the import, but for 10 of them
	for i := range uint32(chunks) {
		require.ErrorIs(t, both(&command.StageMembers{Import: "i", Chunk: i + 1, Members: members(0, 1)}).Error(), command.ErrGap)
		require.NoError(t, both(&command.StageMembers{Import: "i", Chunk: i, Members: members(10+int(i)*chunk, chunk)}).Error())
		require.NoError(t, both(&command.StageMembers{Import: "i", Chunk: i, Members: members(900, 1)}).Error(), "a repeat")
	}
	require.ErrorIs(t, both(&command.FoldImport{Import: "i"}).Error(), command.ErrConflict, "not active")
	require.ErrorIs(t, both(&command.ActivateImport{Import: "i", Chunks: chunks + 1}).Error(), command.ErrGap)
	require.ErrorIs(t, both(&command.ActivateImport{Import: "?", Chunks: 1}).Error(), command.ErrNotFound)
	require.Equal(t, 20, steady.read.Index().Len(), "nothing before Activate")
	require.NoError(t, both(&command.ActivateImport{Import: "i", Chunks: chunks, Replace: true}).Error())
	require.ErrorIs(t, both(&command.DropImport{Import: "i"}).Error(), command.ErrConflict, "inevitable")

	late := memberNumber(15)
	late.Name = "written after the activation"
	both(&command.PutMembers{Members: [][]byte{audience.EncodeMember(&late)}})
	both(&command.PutMembers{Members: members(5, 1)})
	both(&command.RemoveMembers{IDs: []string{"m-000100"}})

	var res command.ImportResult
	for step := uint32(0); !res.Done; step++ {
		require.Less(t, step, uint32(10))
		require.ErrorIs(t, both(&command.FoldImport{Import: "i", Chunk: step + 1}).Error(), command.ErrGap)
		r := both(&command.FoldImport{Import: "i", Chunk: step})
		require.NoError(t, r.Error())
		var err error
		res, err = command.DecodeData[command.ImportResult](r)
		require.NoError(t, err)
		again, err := command.DecodeData[command.ImportResult](both(&command.FoldImport{Import: "i", Chunk: step}))
		require.NoError(t, err)
		require.Equal(t, res, again, "a repeated step changes nothing")
	}
	require.Equal(t, steady.hash(), crashing.hash())
	rec, ok, err := steady.memberNumber("m-000015")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, late.Name, rec.Member.Name, "what was written later wins")
	for id, want := range map[string]bool{"m-000000": false, "m-000005": true, "m-000100": false, "m-000010": true, "m-000509": true} {
		_, ok, err := steady.memberNumber(id)
		require.NoError(t, err)
		require.Equal(t, want, ok, id)
	}
	require.Equal(t, 500, steady.read.Index().Len()) // 500 imported, less m-000100, plus m-000005
	require.NoError(t, both(&command.DropImport{Import: "i"}).Error())
	require.Empty(t, must(steady.imports()))
	require.Empty(t, append(steady.halts, crashing.halts...))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestAudit_EveryCommandLeavesALineThatVerifies(t *testing.T) {
	logs := history(t)
	r := newRig(t)
	r.all(logs)
	var b bytes.Buffer
	require.NoError(t, audit.Export(r.store, &b, 0, 0))
	report, err := audit.Verify(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.True(t, report.OK(), report.Problem)
	lines := must(r.audit(0, 0, 0))
	require.EqualValues(t, report.To, len(lines))
	seen := map[string]int{}
	for _, l := range lines {
		seen[l.Action]++
		if l.Action != "unreadable entry" {
			require.Equal(t, "amy", l.Actor)
			require.Equal(t, epoch.UnixMilli()+int64(l.Index)*60_000, l.At, "time comes with the command")
		}
	}
	require.Equal(t, 2, seen["alert adopted"])
	require.Equal(t, 1, seen["receipts adopt"]-1, fmt.Sprint(seen))
	require.Equal(t, 1, seen["import fold"], "steps are summed up")
	require.Zero(t, seen["import stage"])
	require.Equal(t, 1, seen["unreadable entry"])
	page := must(r.audit(3, 0, 2))
	require.Equal(t, lines[2:4], page)
}

// What became of a command, and of what, is said by fields once every node knows them, and by
// none before: nothing is decided by words, and software of before writes the same lines.
func TestAudit_SaysItsOutcomeOnceEveryNodeKnowsIt(t *testing.T) {
	r, s := newRig(t), newScript(t)
	last := func(p command.Payload) audit.Entry {
		s.add(p)
		r.one(s.logs[len(s.logs)-1])
		return lastLine(r)
	}
	old := last(&command.PutUser{User: storage.User{Name: "wong", TokenHash: make([]byte, 32)}})
	require.Equal(t, audit.Unsaid, old.Outcome)
	require.Empty(t, old.Subject)
	require.Equal(t, "wong", old.About())
	require.False(t, old.Refused())
	old = last(&command.RevokeUser{Name: "nobody"})
	require.Equal(t, audit.Unsaid, old.Outcome)
	require.True(t, old.Refused())

	line := last(&command.PutUser{User: storage.User{Name: "refused: feed", Kind: storage.UserPerson, TokenHash: bytes.Repeat([]byte{7}, 32)}}) // of version 3
	require.Equal(t, audit.Done, line.Outcome, line.Summary)
	require.Equal(t, "refused: feed", line.About())
	require.False(t, line.Refused(), "whatever it is called")
	line = last(&command.RevokeUser{Name: "nobody"})
	require.Equal(t, audit.Refused, line.Outcome)
	require.Equal(t, "nobody", line.About())
	require.True(t, line.Refused())
	var b bytes.Buffer
	require.NoError(t, audit.Export(r.store, &b, 0, 0))
	report, err := audit.Verify(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.True(t, report.OK(), report.Problem)
	altered := strings.Replace(b.String(), `"outcome":2`, `"outcome":1`, 1)
	require.NotEqual(t, b.String(), altered)
	report, err = audit.Verify(strings.NewReader(altered))
	require.NoError(t, err)
	require.False(t, report.OK(), "the outcome is in the chain")
}
