package fsm

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/noderecord"
	"almenara/storage/receipt"
)

// history is a log with every type of command in it.
func history(t testing.TB) []*raft.Log {
	t.Helper()
	s := newScript(t)
	a, b := newOrigin("node-a"), newOrigin("node-b")
	id := keyOf("A1").ID()
	s.configuration("node-a", "node-b", "node-c")
	s.as("r1", &command.PutDistrict{District: noderecord.District{ID: "tuen-mun", Name: "Tuen Mun", RootPublicKey: hash32("root")}})
	s.as("r2", &command.PutMembers{Members: members(0, 40)})
	s.add(&command.PutPlaces{Places: []audience.Place{{Path: "tuen-mun/estate-1", Names: []audience.Text{{Language: "en", Text: "On Ting"}}}}})
	s.add(&command.AdoptFacts{Facts: []fact.Signed{a.alert(t, "A1")}})
	s.as("r2", &command.PutMembers{Members: members(900, 3)}) // a repeat: the first answer, no effect
	s.add(&command.RemoveMembers{IDs: []string{"m-000003", "m-000004", "nobody"}})
	s.add(&command.PutDevices{Devices: []storage.Device{{ID: "lift-1", Kind: "screen", Member: "m-000001", SecretHash: hash32("s")}}})
	s.add(&command.PutDevices{Devices: []storage.Device{{ID: "lift-2", Kind: "screen", Member: "m-000003", SecretHash: hash32("s")}}})
	s.add(&command.RevokeDevice{ID: "lift-1"})
	s.raw([]byte{0xFF, 0x00, 0x13})
	s.add(&command.AdoptFacts{Facts: []fact.Signed{
		a.receipts(t, id, 5, receipt.Delivered, 0, 3, 6), b.receipts(t, id, 5, receipt.Presented, 9), b.alert(t, "A2"),
	}})
	s.add(&command.PutUser{User: storage.User{Name: "amy", Roles: []string{"composer"}, TokenHash: hash32("t1")}})
	s.add(&command.PutUser{User: storage.User{Name: "amy", Roles: []string{"approver"}, TokenHash: hash32("t2")}})
	s.add(&command.RevokeUser{Name: "amy"})
	s.add(&command.PutNode{Node: noderecord.Node{ID: "node-a", Name: "a", KeyID: "node-a-key", PublicKey: hash32("pk")}})
	s.add(&command.RemoveNode{ID: "node-a"})
	s.add(&command.PutJoinToken{Hash: hash32("join"), Expires: epoch.UnixMilli() * 2})
	s.add(&command.UseJoinToken{Hash: hash32("join"), NodeID: "node-d"})
	s.add(&command.PutKeyRing{KeyRing: noderecord.KeyRing{Signed: "a.b.c", Keys: []noderecord.PublicKey{{ID: "k", Node: "node-a", Key: hash32("pk")}}}})
	s.add(&command.StageMembers{Import: "imp", Chunk: 0, Members: members(30, 30)})
	s.add(&command.StageMembers{Import: "imp", Chunk: 1, Members: members(60, 30)})
	s.configuration("node-a", "node-b", "node-c", "node-d")
	s.add(&command.ActivateImport{Import: "imp", Chunks: 2, Replace: true})
	s.add(&command.FoldImport{Import: "imp", Chunk: 0})
	s.add(&command.PutMembers{Members: members(5, 2)})
	s.add(&command.FoldImport{Import: "imp", Chunk: 1})
	s.add(&command.FoldImport{Import: "imp", Chunk: 2})
	s.add(&command.RemovePlaces{Paths: []audience.Path{"tuen-mun/estate-1"}})
	s.add(&command.StageMembers{Import: "no", Chunk: 0, Members: members(0, 2)})
	s.add(&command.DropImport{Import: "no"})
	s.add(&command.DropImport{Import: "none"})
	s.add(&command.AdoptFacts{Facts: []fact.Signed{a.receipts(t, id, 5, receipt.Acknowledged, 0)}})
	return s.logs
}

func TestApply_OneByOneEqualsBatchEqualsReplayAtEveryCommit(t *testing.T) {
	logs := history(t)
	whole := newRig(t)
	responses := whole.all(logs)
	single, restarted := newRig(t), newRig(t)
	for i, l := range logs {
		got := single.fsm.Apply(l)
		require.Equal(t, responses[i], got, "entry %d", l.Index)
		require.Equal(t, got, restarted.fsm.Apply(l))
		restarted.reopen()
		require.Equal(t, single.hash(), restarted.hash(), "after entry %d", l.Index)
		require.Equal(t, single.fsm.Applied(), restarted.fsm.Applied())
		require.Equal(t, single.read.Index().Ordinals().ToArray(), restarted.read.Index().Ordinals().ToArray())
	}
	require.Equal(t, whole.hash(), single.hash())
	require.Empty(t, append(append(whole.halts, single.halts...), restarted.halts...))
}

func TestApply_SkipsEntriesAtOrBelowTheAppliedIndex(t *testing.T) {
	logs := history(t)
	r := newRig(t)
	r.all(logs)
	before, told := r.hash(), len(r.adopted)
	r.reopen()
	for _, response := range r.all(logs) {
		require.ErrorIs(t, response.(error), ErrSkipped)
	}
	require.Equal(t, before, r.hash())
	require.Len(t, r.adopted, told, "hooks are not called for old entries")
	require.Empty(t, r.halts)
}
