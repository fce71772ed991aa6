package cluster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
	"almenara/cluster/marks"
)

// What a newcomer was told with its admission is all that it knows of the others, and the
// address that it gave them leads nowhere.
func TestNewcomer_MovesBeforeItHeardAnything(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	n := d.Admit(d.Invite())
	n.Addr = clustertest.FreeAddr(t)
	d.Start(n)
	whole(d)
}

// It has taken no part in the district, so it has lost nothing.
func TestNewcomer_IsStartedAgainBeforeItHeardAnything(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 2)
	n := d.Admit(d.Invite())
	d.Cut(n)
	for range 3 {
		d.Start(n)
		begun, err := marks.Begun(n.Dir)
		require.NoError(t, err)
		require.False(t, begun)
		d.Kill(n)
	}
	d.Heal(n)
	d.Start(n)
	whole(d)
}

// TestNewcomer_IsKilledAtAnyMoment kills it later and later in its first contact, which
// brings it the state as a dump, and moves it every other time.
func TestNewcomer_IsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 2)
	leader := d.WaitLeader()
	for range 50 {
		propose(t, leader, "what was agreed before")
	}
	n := d.Admit(d.Invite())
	for after := time.Millisecond; after < 2*time.Second; after += after / 2 {
		d.Start(n)
		<-time.After(after)
		d.Kill(n)
		if after.Milliseconds()%2 == 0 {
			n.Addr = clustertest.FreeAddr(t)
		}
	}
	d.Start(n)
	whole(d)
	d.WaitEqual()
}
