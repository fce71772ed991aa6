package node_test

import (
	"os"
	"testing"

	"almenara/cluster/clustertest"
)

// TestMain runs more districts at a time than there are cores: they mostly wait.
func TestMain(m *testing.M) {
	clustertest.Together(4)
	os.Exit(m.Run())
}
