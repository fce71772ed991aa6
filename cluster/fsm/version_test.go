package fsm

import (
	"bytes"
	"io"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
)

// oldEntry writes facts in an entry of version 1, as version 1 software does whatever
// their kind is.
func (s *script) oldEntry(facts ...fact.Signed) *raft.Log {
	s.t.Helper()
	raw, err := cbor.Marshal(map[int]any{1: 1, 2: int(command.TypeAdoptFacts), 4: "amy", 5: epoch.UnixMilli(), 6: map[int]any{1: facts}})
	require.NoError(s.t, err)
	return s.raw(raw)
}

func TestVersion_AFactIsJudgedAsSoftwareOfTheEntrysVersionDoes(t *testing.T) {
	s, r, a := newScript(t), newRig(t), newOrigin("node-a")
	old := a.sign(t, fact.KindAlone, fact.Alerts, []byte("spell"))
	out := adoptResult(r, r.one(s.oldEntry(old)))
	require.Equal(t, command.Rejected, out[0].Outcome, "version 1 software rejects it, so everybody does")
	require.Equal(t, "unknown kind", out[0].Note)
	require.Empty(t, must(r.read.KeptFacts(fact.KindAlone, 0, 0, 0)))

	one, two := a.sign(t, fact.KindAlone, fact.Alerts, []byte("one")), a.sign(t, fact.KindAlone, fact.Alerts, []byte("two"))
	for _, o := range r.adopt(s, one, two, one) {
		require.Contains(t, []command.Outcome{command.Adopted, command.Known}, o.Outcome)
	}
	r.reopen()
	kept := must(r.read.KeptFacts(fact.KindAlone, 0, 0, 0))
	require.Len(t, kept, 2)
	require.Equal(t, one, kept[0].Signed)
	require.Equal(t, []byte("two"), kept[1].Fact.Body)
	require.Equal(t, kept[1:], must(r.read.KeptFacts(fact.KindAlone, kept[0].Index, kept[0].N, 10)))
	require.Len(t, must(r.read.KeptFacts(fact.KindAlone, 0, 0, 1)), 1)
	require.Empty(t, must(r.read.KeptFacts(fact.KindApproval, 0, 0, 0)))
}

func TestVersion_OlderSoftwareStopsAtANewerEntryAndOpensNothingOfIt(t *testing.T) {
	s, a := newScript(t), newOrigin("node-a")
	newer, old := newRig(t), newRigWith(t, Hooks{MaxVersion: 1})
	entry := s.add(&command.AdoptFacts{Facts: []fact.Signed{a.sign(t, fact.KindAlone, fact.Alerts, nil)}})
	newer.one(entry)
	require.ErrorIs(t, old.fsm.Apply(entry).(error), ErrHalted)
	require.ErrorIs(t, old.halts[0], command.ErrUnknownVersion)
	require.EqualValues(t, 2, must(newer.store.Applied()).Version)

	require.NoError(t, newer.store.Witness(storage.Applied{Index: 9, Term: 3}))
	require.EqualValues(t, 2, must(newer.store.Applied()).Version, "a snapshot's record keeps it")
	_, err := New(newer.store, Hooks{MaxVersion: 1, Halt: func(error) {}})
	require.ErrorIs(t, err, command.ErrUnknownVersion)
}

func TestVersion_ADumpOfNewerEntriesIsAnotherFormat(t *testing.T) {
	for version, magic := range map[uint64]string{1: "ALMDUMP\x01", 2: "ALMDUMP\x02"} {
		s, r, a := newScript(t), newRig(t), newOrigin("node-a")
		kind := map[uint64]fact.Kind{1: fact.KindFanout, 2: fact.KindAlone}[version]
		r.one(s.add(&command.AdoptFacts{Facts: []fact.Signed{a.sign(t, kind, fact.Alerts, nil)}}))
		var dump bytes.Buffer
		_, err := r.store.Backup(&dump)
		require.NoError(t, err)
		require.Equal(t, magic, dump.String()[:8])

		again := newRig(t)
		require.NoError(t, again.fsm.Restore(io.NopCloser(bytes.NewReader(dump.Bytes()))))
		require.Equal(t, r.hash(), again.hash())
		old := newRigWith(t, Hooks{MaxVersion: 1})
		err = old.fsm.Restore(io.NopCloser(bytes.NewReader(dump.Bytes())))
		if version == 2 {
			require.ErrorIs(t, err, command.ErrUnknownVersion)
			continue
		}
		require.NoError(t, err)
	}
}
