package group_test

import (
	"testing"

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
