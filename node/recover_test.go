package node_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/node"
	"almenara/node/folder"
	"almenara/node/wire"
	"almenara/storage/durable"
)

// openRecovery looks at the folder of a node that is down.
func (d *district) openRecovery(i int) *folder.Recovery {
	d.t.Helper()
	r, err := folder.OpenRecovery(d.ctx(), d.opts[i].Dir, slog.New(slog.DiscardHandler))
	require.NoError(d.t, err)
	d.t.Cleanup(func() { require.NoError(d.t, r.Close()) })
	return r
}

func (d *district) recover(i int) folder.Recovered {
	d.t.Helper()
	out, err := d.openRecovery(i).Recover(false, nil)
	require.NoError(d.t, err)
	return out
}

func TestRecover_OneNodeGoesOnAndSaysSo(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	d.post(0, warning("before", polygon(d.estate("before").Area)), "", "committed")

	_, err := folder.OpenRecovery(d.ctx(), d.opts[0].Dir, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, durable.ErrInUse, "it runs")
	d.stop(0)
	alive := d.openRecovery(0)
	require.Len(t, alive.Voters, 2)
	require.True(t, alive.Voters[0].Answers)
	_, err = alive.Recover(false, nil)
	require.ErrorIs(t, err, folder.ErrQuorumLives)

	d.kill(1)
	d.kill(2)
	survey := d.openRecovery(0)
	require.Equal(t, "box-1", survey.Name)
	require.NotZero(t, survey.Applied)
	require.False(t, survey.LastAt.IsZero())
	require.Empty(t, survey.NewID)
}

func TestRecover_IsNotEatenTwice(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	for i := range d.nodes {
		d.kill(i)
	}
	first := d.recover(0)
	require.EqualValues(t, 2, first.Incarnation)
	for range 2 {
		again := d.recover(0)
		require.True(t, again.Already)
		require.EqualValues(t, 2, again.Incarnation)
	}
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready && s.Incarnation == 2 })
	d.audited("district put", "incarnation 2", "recover on "+first.Node)

	invited, err := d.client(0).Invite(d.ctx(), wire.Invite{})
	require.NoError(t, err)
	d.add(invited.Token) // a new box belongs to the new incarnation
	d.awaitOn(3, func(s wire.Status) bool { return s.Ready && s.Incarnation == 2 })

	d.start(1) // and an old one finds itself out
	d.awaitOn(1, func(s wire.Status) bool { return s.Quarantined && !s.Ready })
	_, err = d.client(1).AddUser(d.ctx(), wire.AddUser{Name: "late", Roles: []string{"viewer"}})
	require.Equal(t, wire.KindNoQuorum, problemOf(d, nil, err).Kind)
	require.Contains(t, problemOf(d, nil, err).Sentence, "almenara rejoin")
}

func TestRecover_GoesOnAfterACrashInBetween(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	d.kill(0)
	d.kill(1)
	file := filepath.Join(d.opts[0].Dir, "identity", "identity.json")
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	d.recover(0)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	saved, err := identity.Load(filepath.Dir(file))
	require.NoError(t, err)
	statement := saved.Incarnation.Text()

	for name, content := range map[string][]byte{"before the identity": before, "after the identity": after} {
		require.NoError(t, os.WriteFile(file, content, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(d.opts[0].Dir, "recovering"), []byte(statement), 0o600))
		_, err := node.New(d.opts[0])
		require.ErrorIs(t, err, folder.ErrRecovering, name)
		require.EqualValues(t, 2, d.recover(0).Incarnation, name)
	}
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready && s.Incarnation == 2 })
}

func TestRecover_UnderANewIDWithoutTheLog(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	f := d.fleet(d.enrol("screen", "tuen-mun/block-1", 2)...)
	out, err := d.client(0).SendAlert(d.ctx(), byJSON("hello", "all"), "committed")
	require.NoError(t, err)
	f.proven(revisionOf(out), 2)
	old := d.nodes[0].ID()
	d.stop(0)
	require.NoError(t, os.RemoveAll(filepath.Join(d.opts[0].Dir, "raft")))
	n, err := node.New(d.opts[0])
	require.NoError(t, err)
	require.Error(t, n.Start(d.ctx()))

	lost := d.openRecovery(0)
	require.Equal(t, "its raft log is lost", lost.NewID)
	require.NoError(t, lost.Close())
	made := d.recover(0)
	require.NotEqual(t, old, made.Node)
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready && s.Node == made.Node && len(s.Nodes) == 1 })
	d.audited("node remove", old)
	again, err := d.client(0).SendAlert(d.ctx(), byJSON("still here", "all"), "committed")
	require.NoError(t, err)
	f.proven(revisionOf(again), 2) // with the new key
}
