package policy_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/policy"
	"almenara/node/records"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
)

// together is a log to which changes go only once so many have been held against what is agreed.
type together struct {
	*recordstest.Log
	ready *sync.WaitGroup
}

func (l together) Change(ctx context.Context, actor string, p command.Payload) (command.Result, error) {
	l.ready.Done()
	all := make(chan struct{})
	go func() { l.ready.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(time.Minute):
		l.ready.Done()
	}
	r, err := l.Log.Change(ctx, actor, p)
	return r, err
}

func scenarios(p policy.Comparing, log *recordstest.Log) *policy.Scenarios {
	return policy.NewScenarios(log.State, p, own, clock)
}

// Of two who save one scenario within the same moment, at whichever nodes, one is told; what the other wrote stays.
func TestScenarios_OfTwoWhoSaveAtOnceOneIsTold(t *testing.T) {
	log := recordstest.New(t, clock)
	fire := wire.Scenario{ID: "fire", Title: "Fire", Alert: []byte(form), Minutes: 60, Choose: true}
	for _, before := range []bool{false, true} {
		fire.Revision = "none"
		if before {
			fire.Revision = read(t, scenarios(log, log)).Revision
		}
		ready := &sync.WaitGroup{}
		ready.Add(2)
		var saved sync.WaitGroup
		titles, errs := []string{"Amy's", "Ben's"}, make([]error, 2)
		if before {
			titles = []string{"Amy's second", "Ben's second"} // whoever saves what is there already changes nothing
		}
		for i := range titles {
			one := fire
			one.Title = titles[i]
			saved.Go(func() { errs[i] = put(t, scenarios(together{log, ready}, log), one) })
		}
		saved.Wait()
		first := 0
		if errs[0] != nil {
			first = 1
		}
		require.NoError(t, errs[first])
		says := "there is a scenario fire already"
		if before {
			says = "somebody else has changed or removed the scenario fire meanwhile"
		}
		refused(t, errs[1-first], wire.KindConflict, says)
		require.Equal(t, titles[first], read(t, scenarios(log, log)).Title)
	}
}

func read(t *testing.T, s *policy.Scenarios) wire.Scenario {
	t.Helper()
	all, err := s.ListScenarios(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

func TestScenarios_AreHeldAgainstWhatWasRead(t *testing.T) {
	log := recordstest.New(t, clock)
	s := scenarios(log, log)
	fire := wire.Scenario{ID: "fire", Title: "Fire", Alert: []byte(form), Minutes: 60, Choose: true}
	require.NoError(t, put(t, s, fire), "without a revision, as before")
	opened := read(t, s)
	require.Len(t, opened.Revision, 32)
	fire.Title = "Fire!"
	require.NoError(t, put(t, s, fire), "without a revision the last counts")
	fire.Revision, fire.Title = opened.Revision, "Mine"
	_, err := s.PutScenario(t.Context(), chief, fire, true)
	refused(t, err, wire.KindConflict, "meanwhile")
	refused(t, put(t, s, fire), wire.KindConflict, "meanwhile")
	fire.Revision = "none"
	refused(t, put(t, s, fire), wire.KindConflict, "already")
	fire.Revision = "x"
	refused(t, put(t, s, fire), wire.KindMalformed, "the revision of a scenario")
	fire.Revision = read(t, s).Revision
	out, err := s.PutScenario(t.Context(), chief, fire, false)
	require.NoError(t, err)
	require.Equal(t, read(t, s).Revision, out.Revision, "the next change may say so at once")

	refused(t, s.RemoveScenario(t.Context(), chief, "fire", opened.Revision), wire.KindConflict, "somebody else has changed or removed the scenario fire meanwhile")
	refused(t, s.RemoveScenario(t.Context(), chief, "fire", "none"), wire.KindMalformed, "the revision of a scenario")
	refused(t, s.RemoveScenario(t.Context(), chief, "fire", "x"), wire.KindMalformed, "the revision of a scenario")
	require.Equal(t, out.Revision, read(t, s).Revision, "and it stays as it is")
	require.NoError(t, s.RemoveScenario(t.Context(), chief, "fire", out.Revision))
	refused(t, s.RemoveScenario(t.Context(), chief, "fire", out.Revision), wire.KindConflict, "meanwhile")
	refused(t, put(t, s, fire), wire.KindConflict, "meanwhile")
	fire.Revision = "none"
	require.NoError(t, put(t, s, fire), "one that was removed may be written anew")
}

// While a node is not upgraded, nothing that it would stop at is agreed on: this node's own look decides.
func TestScenarios_AreSavedWhileANodeIsOlder(t *testing.T) {
	log := recordstest.New(t, clock)
	log.Old = errors.New("n3 is not upgraded")
	s := scenarios(log, log)
	fire := wire.Scenario{ID: "fire", Title: "Fire", Alert: []byte(form), Minutes: 60, Choose: true, Revision: "none"}
	before := log.Index()
	require.NoError(t, put(t, s, fire))
	require.Equal(t, before+1, log.Index())
	refused(t, put(t, s, fire), wire.KindConflict, "already")
	var _ policy.Comparing = (*records.Proposer)(nil)
}
