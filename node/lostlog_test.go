package node_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// TestLostLog_ANodeThatLostWhatWasAgreedComesBackAsANewOne: a box has its identity and
// its settings left, and nothing that says that it ever took part. The others know.
func TestLostLog_ANodeThatLostWhatWasAgreedComesBackAsANewOne(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	here := d.estate("lost")
	d.post(0, warning("before-the-loss", polygon(here.Area)), "", "committed")
	i := d.follower()
	old, other := d.nodes[i].ID(), (i+1)%3
	d.agreed()
	d.stop(i)
	dir := d.opts[i].Dir
	for _, part := range []string{"raft", "state", "journal", "clock", "time", "identity/begun"} {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, part)))
	}
	d.start(i)
	d.outOfIt(i, other)
	d.post(other, warning("the-others-go-on", polygon(here.Area)), "", "committed")
	d.stop(i)
	require.Equal(t, old, d.rejoin(i, other).Old)
	d.alike(3)
	d.audited("node remove", old)
	require.Empty(t, d.warnings(other))
}

// TestLostLog_ACopyOfTheDiskIsNotTheNode puts a node's whole folder back to an earlier
// moment, as a virtual machine's snapshot does.
func TestLostLog_ACopyOfTheDiskIsNotTheNode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	here := d.estate("copied")
	i := d.follower()
	old, other := d.nodes[i].ID(), (i+1)%3
	d.stop(i)
	dir, aside := d.opts[i].Dir, filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(aside, os.DirFS(dir)))
	d.start(i)
	d.post(other, warning("after-the-copy", polygon(here.Area)), "", "committed")
	d.agreed()
	d.stop(i)
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.CopyFS(dir, os.DirFS(aside)))
	d.start(i)
	d.outOfIt(i, other)
	d.stop(i)
	d.start(i)
	d.outOfIt(i, other) // also after another start
	d.stop(i)
	require.Equal(t, old, d.rejoin(i, other).Old)
	d.alike(3)
	d.audited("node remove", old)
	text, _ := d.audit(i)
	require.Contains(t, text, "after-the-copy")
}

// agreed waits until the live nodes have one state, and know it of each other.
func (d *district) agreed() {
	d.t.Helper()
	d.alike(len(d.live()))
	s, err := d.nodes[d.live()[0]].Services().Status.Status(d.t.Context(), false)
	require.NoError(d.t, err)
	d.await(func(seen wire.Status) bool {
		return !slices.ContainsFunc(seen.Nodes, func(n wire.NodeInfo) bool { return n.LogHeld < s.Committed })
	})
}

// outOfIt waits until node i says that it lost what was agreed, and node other that it
// does not agree with it.
func (d *district) outOfIt(i, other int) {
	d.t.Helper()
	d.awaitOn(i, func(s wire.Status) bool {
		return s.Quarantined && !s.Ready && strings.Contains(s.Why.Text, "its disk lost what was agreed") && strings.Contains(s.Why.Text, "almenara rejoin")
	})
	d.awaitOn(other, func(s wire.Status) bool {
		return slices.ContainsFunc(s.Nodes, func(n wire.NodeInfo) bool { return n.LostLog }) && len(d.warnings(other)) > 0
	})
}

func (d *district) warnings(i int) []string {
	s, err := d.nodes[i].Services().Status.Status(d.t.Context(), false)
	require.NoError(d.t, err)
	return slices.DeleteFunc(s.Warnings.Texts(), func(w string) bool { return !strings.Contains(w, "almenara rejoin") })
}
