package group_test

import (
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/group"
)

// What looks at the group before raft runs sees nobody, and does not touch raft.
func TestGroup_HasNobodyBeforeRaftRuns(t *testing.T) {
	g := &group.Group{Self: "n1"}
	require.Empty(t, g.Servers())
	require.Empty(t, g.Members())
	require.Zero(t, g.Voters())
}

func TestInConfiguration_GoesByServerID(t *testing.T) {
	c := raft.Configuration{Servers: []raft.Server{{ID: "n1", Address: "n2"}}}
	require.True(t, group.InConfiguration(c, "n1"))
	require.False(t, group.InConfiguration(c, "n2"))
}

// Whoever changes what Servers gave does not change what raft works with.
func TestServers_AreTheCallersOwn(t *testing.T) {
	conf := raft.DefaultConfig()
	conf.LocalID, conf.Logger = "n1", hclog.NewNullLogger()
	addr, transport := raft.NewInmemTransport("n1")
	log := raft.NewInmemStore()
	one := raft.Configuration{Servers: []raft.Server{{ID: "n1", Address: addr}}}
	require.NoError(t, raft.BootstrapCluster(conf, log, log, raft.NewDiscardSnapshotStore(), transport, one))
	r, err := raft.NewRaft(conf, &raft.MockFSM{}, log, log, raft.NewDiscardSnapshotStore(), transport)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Shutdown().Error()) }()
	g := &group.Group{Self: "n1", Raft: r}
	g.Begun.Store(true)
	clear(g.Servers())
	require.Equal(t, one.Servers, g.Servers())
}
