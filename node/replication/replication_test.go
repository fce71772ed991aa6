package replication_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/replication"
	"almenara/node/wire"
)

func TestFacts_ForgetWhatIsAgreed(t *testing.T) {
	var agreed bool
	var broken error
	f := replication.New(func(string) (bool, error) { return agreed, broken })
	p := &exchange.Progress{ID: fact.ID{1}}
	f.Put(p)
	require.Equal(t, 1, f.Count())
	f.Forget(p.ID.String())
	require.Zero(t, f.Count())

	level := func() wire.Replication { l, _, _ := f.Of(p.ID.String()).Wire(); return l }
	require.Equal(t, wire.ReplicationLocal, level(), "what is not followed is durable here, or it would not be known")
	f.Put(p)
	agreed, broken = true, errors.New("the disk")
	require.Equal(t, wire.ReplicationLocal, level(), "what cannot be read is not called agreed")
	require.Equal(t, 1, f.Count())
	broken = nil
	require.Equal(t, wire.ReplicationCommitted, level())
	require.Zero(t, f.Count(), "it is forgotten as soon as that is seen")
}

func TestAwait_WaitsForNobodyWhoDoesNotAsk(t *testing.T) {
	replication.Await(t.Context(), &exchange.Progress{ID: fact.ID{1}}, wire.WaitLocal, func() bool { panic("asked") })
}
