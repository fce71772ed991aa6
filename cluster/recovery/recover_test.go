package recovery_test

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/cluster/recovery"
)

func TestRecover_RefusesAFolderWithoutAState(t *testing.T) {
	district, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := identity.New(district, []string{"127.0.0.1:1"})
	require.NoError(t, err)
	for _, fresh := range []bool{false, true} {
		o := recovery.Options{Dir: t.TempDir(), Identity: id, Advertise: "127.0.0.1:1", Snapshots: raft.NewInmemSnapshotStore(), Fresh: fresh}
		_, err = recovery.Recover(o)
		require.ErrorIs(t, err, recovery.ErrNothing, "fresh: %v", fresh)
		_, err = recovery.Recover(o)
		require.ErrorIs(t, err, recovery.ErrNothing, "and again")
	}
}
