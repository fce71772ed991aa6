package node_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node"
	"almenara/node/folder"
	"almenara/node/wire"
)

// rejoin brings node i back with an invitation of node by, and starts it.
func (d *district) rejoin(i, by int) folder.Rejoined {
	d.t.Helper()
	out, err := folder.Rejoin(d.ctx(), d.rejoining(i, by))
	require.NoError(d.t, err)
	d.start(i)
	return out
}

func (d *district) rejoining(i, by int) folder.RejoinOptions {
	d.t.Helper()
	invited, err := d.client(by).Invite(d.ctx(), wire.Invite{})
	require.NoError(d.t, err)
	return folder.RejoinOptions{Dir: d.opts[i].Dir, Token: invited.Token, Logger: slog.New(slog.DiscardHandler)}
}

// alike waits until every live node votes, is ready, and has one state.
func (d *district) alike(voters int) {
	d.t.Helper()
	d.await(func(s wire.Status) bool {
		n := 0
		for _, peer := range s.Nodes {
			if peer.Voter {
				n++
			}
		}
		return s.Ready && n == voters && len(s.Nodes) == voters
	})
	d.eventually("one state", func() bool {
		hashes := map[string]bool{}
		for _, i := range d.live() {
			s, err := d.nodes[i].Services().Status.Status(d.t.Context(), true)
			if err != nil {
				return false
			}
			hashes[s.StateHash] = true
		}
		return len(hashes) == 1
	})
}

// TestRecover_OldMajorityComesBackAndLosesNothing is the story of a district that lost
// its majority, went on with one node, and met the others again.
func TestRecover_OldMajorityComesBackAndLosesNothing(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	here := d.estate("fenced")
	f := d.fleet(d.enrol("screen", here.Block, 3)...)
	d.stop(0)
	f.await("all roam", func(p device.Progress) bool { return p.Connected == 3 })
	sent := d.post(1, warning("by-the-old-majority", polygon(here.Area)), "", "committed")
	f.proven(revisionOf(sent), 3)
	_, err := d.client(1).AddUser(d.ctx(), wire.AddUser{Name: "left-behind", Roles: []string{"viewer"}})
	require.NoError(t, err)
	d.stop(2)
	alone := d.post(1, warning("by-one-of-them-alone", polygon(here.Area)), "", "")
	f.proven(revisionOf(alone), 3)
	old := []string{"", d.nodes[1].ID(), ""}
	d.kill(1)

	d.recover(0)
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready && s.Incarnation == 2 })
	d.start(1)
	d.start(2)
	for _, i := range []int{1, 2} {
		d.awaitOn(i, func(s wire.Status) bool { return s.Quarantined })
	}
	late := d.post(1, warning("under-quarantine", polygon(here.Area)), "", "")
	for _, words := range []string{"by-the-old-majority", "by-one-of-them-alone", "under-quarantine"} {
		d.eventually("adopted by the new incarnation: "+words, func() bool {
			text, _ := d.audit(0)
			return strings.Contains(text, "alert adopted") && strings.Contains(text, words)
		})
	}
	f.proven(revisionOf(late), 3)

	d.stop(1)
	d.stop(2)
	first := d.rejoin(1, 0)
	require.Equal(t, old[1], first.Old)
	require.NotEqual(t, old[1], first.Node)
	require.NotZero(t, first.Changes)
	report, err := os.ReadFile(first.Report)
	require.NoError(t, err)
	require.Contains(t, string(report), "left-behind")
	d.rejoin(2, 0)
	d.alike(3)
	d.audited("node remove", old[1])
	for _, i := range d.live() {
		text, _ := d.audit(i)
		require.NotContains(t, text, "left-behind", "an agreement of the old majority")
		for _, words := range []string{"by-the-old-majority", "by-one-of-them-alone", "under-quarantine"} {
			require.Contains(t, text, words)
		}
	}
}

func TestRejoin_AfterTheStateIsDamaged(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	old := d.nodes[1].ID()
	d.stop(1)
	tables, err := filepath.Glob(filepath.Join(d.opts[1].Dir, "state", "db-*", "*.sst"))
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	require.NoError(t, os.WriteFile(tables[0], []byte("not a table"), 0o600))
	n, err := node.New(d.opts[1])
	require.NoError(t, err)
	require.ErrorContains(t, n.Start(d.ctx()), "almenara rejoin")

	out := d.rejoin(1, 0)
	require.NotEmpty(t, out.Unread)
	require.Equal(t, old, out.Old)
	d.alike(3)
	d.audited("node remove", old)
}

func TestRejoin_RefusesWhatWouldLoseSomething(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	options := d.rejoining(1, 0)
	_, err := folder.Rejoin(d.ctx(), options)
	require.Error(t, err, "it runs")
	options.Token = "almenara-join-1.nonsense"
	_, err = folder.Rejoin(d.ctx(), options)
	require.Error(t, err)
	other := newDistrict(t, 1)
	d.stop(1)
	invited, err := other.client(0).Invite(other.ctx(), wire.Invite{})
	require.NoError(t, err)
	options.Token = invited.Token
	_, err = folder.Rejoin(d.ctx(), options)
	require.ErrorContains(t, err, "another district")
	d.start(1)
	d.alike(3)
}
