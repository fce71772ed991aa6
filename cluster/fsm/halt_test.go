package fsm

import (
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/storage"
)

func TestApply_UnknownVersionHaltsAndSkipsNothing(t *testing.T) {
	for name, fields := range map[string]map[int]any{
		"version": {1: command.Newest + 1, 2: 1, 4: "", 5: 1, 6: map[int]any{}},
		"type":    {1: 1, 2: 700, 4: "", 5: 1, 6: map[int]any{}},
		"field":   {1: 1, 2: int(command.TypeRevokeUser), 4: "", 5: 1, 6: map[int]any{1: "amy", 9: true}},
	} {
		newer, err := cbor.Marshal(fields)
		require.NoError(t, err)
		s := newScript(t)
		s.add(&command.PutUser{User: storage.User{Name: "amy"}})
		s.raw(newer)
		s.add(&command.PutUser{User: storage.User{Name: "bob"}})
		r := newRig(t)
		out := r.all(s.logs)
		require.Len(t, r.halts, 1, name)
		require.ErrorIs(t, r.halts[0], command.ErrUnknownVersion)
		require.ErrorIs(t, out[1].(error), ErrHalted)
		require.ErrorIs(t, out[2].(error), ErrHalted, "nothing after it is applied")
		requireHaltedForGood(t, r, s)
		require.ErrorIs(t, out[0].(error), ErrHalted, "its transaction was given up")
		r.reopen()
		require.Zero(t, r.fsm.Applied())
		_, ok, err := r.read.User("bob")
		require.NoError(t, err)
		require.False(t, ok)
	}
}

// requireHaltedForGood proves that raft cannot record progress past what was applied.
func requireHaltedForGood(t *testing.T, r *rig, s *script) {
	t.Helper()
	out := r.fsm.Apply(s.add(&command.DropImport{Import: "none"}))
	require.ErrorIs(t, out.(error), ErrHalted)
	require.Len(t, r.halts, 1, "told once")
	_, err := r.fsm.Snapshot()
	require.ErrorIs(t, err, ErrHalted)
	sink, err := r.fsm.SnapshotStore().Create(1, 99, 3, raft.Configuration{}, 1, nil)
	require.NoError(t, err)
	require.ErrorIs(t, sink.Close(), ErrHalted)
	require.ErrorIs(t, r.fsm.Restore(nil), ErrHalted)
	a, err := r.store.Applied()
	require.NoError(t, err)
	require.Less(t, a.Index, uint64(99))
}

func TestApply_StorageErrorHalts(t *testing.T) {
	s := newScript(t)
	r := newRig(t)
	require.NoError(t, r.one(s.add(&command.PutUser{User: storage.User{Name: "amy"}})).Error())
	require.NoError(t, r.store.Close())
	out := r.fsm.Apply(s.add(&command.PutUser{User: storage.User{Name: "bob"}}))
	require.ErrorIs(t, out.(error), ErrHalted)
	require.ErrorIs(t, out.(error), storage.ErrClosed)
	require.Len(t, r.halts, 1)
}

func TestApply_UnreadableEntriesGiveTheSameResultOnAllReplicas(t *testing.T) {
	s := newScript(t)
	good := s.add(&command.RevokeUser{Name: "nobody"})
	for n := 0; n < len(good.Data); n += 3 {
		s.raw(good.Data[:n])
	}
	s.raw([]byte("hello"))
	s.raw(make([]byte, command.MaxBytes+1))
	a, b := newRig(t), newRig(t)
	first := a.all(s.logs)
	for i, l := range s.logs {
		require.Equal(t, first[i], b.fsm.Apply(l))
		if i > 0 {
			require.ErrorIs(t, resultOf(t, first[i]).Error(), command.ErrMalformed)
		}
	}
	require.Equal(t, a.hash(), b.hash())
	require.Empty(t, append(a.halts, b.halts...))
	head, err := a.auditHead()
	require.NoError(t, err)
	require.EqualValues(t, len(s.logs), head.N, "each is in the audit")
}

func TestNew_NeedsAHaltHook(t *testing.T) {
	r := newRig(t)
	_, err := New(r.store, Hooks{})
	require.Error(t, err)
}
