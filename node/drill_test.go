package node_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/node"
	"almenara/node/folder"
	"almenara/node/wire"
)

// restored starts a node from a backup and gives its number.
func (d *district) restored(o node.Options, how folder.RestoreOptions) int {
	d.t.Helper()
	how.Dir, how.Addresses = o.Dir, o.Addresses()
	_, err := folder.Restore(d.ctx(), how)
	require.NoError(d.t, err)
	i := len(d.nodes)
	d.opts, d.nodes = append(d.opts, o), append(d.nodes, nil)
	d.start(i)
	d.t.Cleanup(func() {
		if d.nodes[i] != nil {
			d.kill(i)
		}
	})
	d.awaitOn(i, func(s wire.Status) bool { return s.Ready })
	return i
}

func (d *district) identity(i int) *identity.Identity {
	d.t.Helper()
	id, err := identity.Load(filepath.Join(d.opts[i].Dir, "identity"))
	require.NoError(d.t, err)
	return id
}

func (d *district) nobodyQuarantined(nodes ...int) {
	d.t.Helper()
	for _, i := range nodes {
		d.awaitOn(i, func(s wire.Status) bool {
			require.False(d.t, s.Quarantined, i)
			return s.Quorum
		})
	}
}

func TestRestore_IsRefusedWhileAMajorityAnswers(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	fresh := d.options()
	o := folder.RestoreOptions{Dir: fresh.Dir, Addresses: fresh.Addresses(), File: openBackup(t, d.backUp(0))}
	o.Confirm = func(folder.RestoreSurvey) error { return context.Canceled }
	for _, alive := range []int{3, 2} {
		_, err := folder.Restore(d.ctx(), o)
		require.ErrorIs(t, err, folder.ErrQuorumLives, "%d of 3 live", alive)
		require.NoDirExists(t, o.Dir)
		if alive == 3 {
			d.kill(2)
			d.awaitOn(0, func(s wire.Status) bool { return s.Quorum })
		}
	}
	d.kill(1)
	d.awaitOn(0, func(s wire.Status) bool { return !s.Quorum })
	var shown folder.RestoreSurvey
	o.Confirm = func(s folder.RestoreSurvey) error { shown = s; return context.Canceled }
	_, err := folder.Restore(d.ctx(), o)
	require.ErrorIs(t, err, context.Canceled, "one of three is no majority, and a person decides")
	require.NoDirExists(t, o.Dir)
	require.Len(t, shown.Voters, 3)
	for _, v := range shown.Voters {
		require.Equal(t, v.ID == d.nodes[0].ID(), v.Answers)
		require.Equal(t, v.Answers, v.Standing == internode.StandingAlone)
	}
	require.Equal(t, "tuen-mun", shown.District)
	require.EqualValues(t, 2, shown.Incarnation)
}

// A drill speaks to nobody of the district, and nobody there can hear it.
func TestRestore_AnIsolatedDrillIsNobodysDistrict(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	drill := d.restored(d.options(), folder.RestoreOptions{File: openBackup(t, d.backUp(0)), Isolated: true})
	s, err := d.nodes[drill].Services().Status.Status(d.ctx(), false)
	require.NoError(t, err)
	require.True(t, s.Isolated)
	require.Contains(t, s.Warnings[0].Text, "DRILL COPY: ")
	for node, says := range map[int]string{0: "", drill: wire.DrillCopy} {
		answer, err := http.Get(d.nodes[node].API() + "/readyz")
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, says, answer.Header.Get(wire.HeaderDrill), "node %d", node)
	}
	_, err = d.client(drill).AddUser(d.ctx(), wire.AddUser{Name: "driller", Roles: []string{"viewer"}})
	require.NoError(t, err, "it works, with the users of the backup")

	for _, ask := range []struct{ from, to int }{{drill, 0}, {0, drill}} {
		found, err := internode.Ask(d.ctx(), d.identity(ask.from), "", d.nodes[ask.to].Internode())
		require.Error(t, err)
		require.False(t, found.Reached, "they have no authority in common")
	}
	invited, err := d.client(drill).Invite(d.ctx(), wire.Invite{})
	require.NoError(t, err)
	d.add(invited.Token)
	s, err = d.nodes[drill+1].Services().Status.Status(d.ctx(), false)
	require.NoError(t, err)
	require.True(t, s.Isolated, "who joins the drill says so, too")
	d.nobodyQuarantined(0, 1)
	s, err = d.nodes[0].Services().Status.Status(d.ctx(), false)
	require.NoError(t, err)
	require.False(t, s.Isolated)
}

// A copy that was restored by force beside the living district deposed it within a second.
func TestRestore_ACopyDoesNotDeposeALivingMajority(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	name := d.backUp(0)
	d.stop(2)
	copied := d.restored(d.options(), folder.RestoreOptions{File: openBackup(t, name), Force: true})
	disbelieves := func(i int) func() bool {
		return func() bool {
			_, err := os.Stat(filepath.Join(d.opts[i].Dir, "raft", "incarnations.disbelieved"))
			return err == nil
		}
	}
	for i := range 2 {
		d.eventually("the copy is met", disbelieves(i))
	}
	d.nobodyQuarantined(0, 1)
	d.stop(1)
	d.start(1)
	d.awaitOn(1, func(s wire.Status) bool { return s.Ready })
	d.start(2) // it was away when the copy began, and asks the others
	d.eventually("the copy is met", disbelieves(2))
	d.awaitOn(2, func(s wire.Status) bool { return s.Quorum })
	d.nobodyQuarantined(0, 1, 2)
	_, err := d.client(0).AddUser(d.ctx(), wire.AddUser{Name: "still-agreed", Roles: []string{"viewer"}})
	require.NoError(t, err)
	d.kill(copied)
}

// The way back from a copy that deposed the district while all of it was down is one
// command, on any node: those who are quarantined answer, and agree to nothing.
func TestRecover_QuarantinedNodesAreNoQuorum(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	name := d.backUp(0)
	for i := range 3 {
		d.kill(i)
	}
	copied := d.restored(d.options(), folder.RestoreOptions{File: openBackup(t, name)})
	for i := range 3 {
		d.start(i)
	}
	for i := range 3 {
		d.awaitOn(i, func(s wire.Status) bool { return s.Quarantined })
	}
	d.kill(copied)
	d.stop(0)
	survey := d.openRecovery(0)
	require.EqualValues(t, 2, survey.Quarantined)
	for _, v := range survey.Voters {
		require.True(t, v.Answers)
		require.Equal(t, internode.StandingQuarantined, v.Standing)
	}
	made, err := survey.Recover(false, nil)
	require.NoError(t, err)
	require.EqualValues(t, 3, made.Incarnation)
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready && s.Incarnation == 3 })
}
