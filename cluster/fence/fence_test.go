package fence_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fence"
	"almenara/cluster/group"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
)

// The mark is on the disk before anybody is told, and only the first reason counts.
func TestQuarantineFor_IsMarkedOnceAndEndsAgreeing(t *testing.T) {
	district, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	dir, now := t.TempDir(), time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	f := fence.New(fence.Options{
		Group: &group.Group{Self: "n1"}, Context: t.Context(), Dir: dir, Clock: func() time.Time { return now },
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, f.RefuseHandover())
	require.Equal(t, internode.StandingAlone, f.Standing(), "raft does not run yet")

	f.QuarantineFor(marks.CauseLog, "entry 7 cannot be read")
	<-f.Raised()
	f.QuarantineFor(marks.CauseMemory, "another reason")
	require.True(t, f.Quarantined())
	require.ErrorIs(t, f.RefuseHandover(), outcome.ErrQuarantined)
	require.Equal(t, internode.StandingQuarantined, f.Standing())
	marked, err := marks.LoadQuarantine(dir, district)
	require.NoError(t, err)
	require.Equal(t, f.Why(), marked)
	require.Equal(t, "entry 7 cannot be read", marked.Reason)
	require.Equal(t, now, marked.At)
}
