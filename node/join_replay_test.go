package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/cluster/joining"
	"almenara/cluster/outcome"
	"almenara/node"
	"almenara/node/folder"
	"almenara/node/wire"
)

// strangerAs is an empty folder whose keys are new and whose server id is another node's.
func strangerAs(t *testing.T, token identity.Token, id string) string {
	t.Helper()
	dir := t.TempDir()
	token.Addrs = []string{"127.0.0.1:1"} // nobody answers: the keys are left
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := joining.Join(ctx, token, dir, []string{"127.0.0.1:2"}, command.Max())
	require.Error(t, err)
	name := filepath.Join(dir, "identity.pending.json")
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, json.Unmarshal(raw, &file))
	file["node"] = id
	raw, err = json.Marshal(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, raw, 0o600))
	return dir
}

// A used invitation and the id of the node that used it, which every TLS port tells, gave
// a stranger the district's keys and that node's place.
func TestJoin_AUsedInvitationOpensNothing(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	token, err := identity.ParseToken(d.used)
	require.NoError(t, err)
	victim, internode := d.nodes[1].ID(), d.nodes[1].Internode()

	attack := func(what string) {
		t.Helper()
		dir := strangerAs(t, token, victim)
		got, err := joining.Join(d.ctx(), token, dir, []string{"127.0.0.1:2"}, command.Max())
		require.ErrorIs(t, err, outcome.ErrRefused, what)
		require.Nil(t, got, what)
		_, missing := identity.Load(dir)
		require.ErrorIs(t, missing, identity.ErrNoIdentity, what)
	}
	attack("while the node lives")
	d.stop(1)
	d.stop(0)
	d.start(0)
	d.start(1)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready })
	attack("after a restart of all")
	status, err := d.nodes[0].Services().Status.Status(d.ctx(), false)
	require.NoError(t, err)
	for _, peer := range status.Nodes {
		if peer.ID == victim {
			require.Equal(t, internode, peer.Internode, "the real node is where it was")
		}
	}
	text, _ := d.audit(0)
	require.NotContains(t, text, "127.0.0.1:2")

	later := d.options()
	invited := agreed(d, func() (string, error) {
		in, err := d.client(0).Invite(d.ctx(), wire.Invite{})
		return in.Token, err
	})
	fresh, err := identity.ParseToken(invited)
	require.NoError(t, err)
	token = fresh
	attack("a good invitation, for another's id")
	require.NoError(t, node.Join(d.ctx(), later, invited), "the invitation is still good for who was invited")
}

// Who has a copy of a node's keys from while it joined can prove the first request. Its
// answer is only for a box that never ran: any later one would hand over the district's
// keys, and the place of a node that lives.
func TestJoin_TheFirstRequestOpensNothingOnceItsNodeHasLived(t *testing.T) {
	t.Parallel()
	const thief = "127.0.0.1:2"
	first := t.TempDir()
	victim, err := identity.Pending(first)
	require.NoError(t, err)
	d := newTuned(t, 3, func(i int, o *node.Options) {
		if i == 2 {
			require.NoError(t, os.CopyFS(folder.IdentityDir(o.Dir), os.DirFS(first)))
		}
	})
	require.Equal(t, victim.NodeID, d.nodes[2].ID(), "it joined with these keys")
	token, err := identity.ParseToken(d.used)
	require.NoError(t, err)
	internode := d.nodes[2].Internode()

	attack := func(what string) {
		t.Helper()
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(first)))
		var got *identity.Identity
		d.eventually("an answer", func() bool { // while nobody leads, it is to try again
			got, err = joining.Join(d.ctx(), token, dir, []string{thief}, command.Max())
			return err == nil || errors.Is(err, outcome.ErrRefused)
		})
		require.ErrorIs(t, err, outcome.ErrRefused, what)
		require.ErrorContains(t, err, "is a member of the district already", what)
		require.Nil(t, got, what)
		_, missing := identity.Load(dir)
		require.ErrorIs(t, missing, identity.ErrNoIdentity, what)
		for _, i := range d.live() {
			status, err := d.nodes[i].Services().Status.Status(d.ctx(), false)
			require.NoError(t, err)
			for _, peer := range status.Nodes {
				require.NotEqual(t, thief, peer.Internode, what)
				require.True(t, peer.ID != victim.NodeID || peer.Internode == internode && peer.Voter, "the real node is where it was: %s", what)
			}
		}
	}
	attack("while the node lives")
	d.stop(2)
	attack("after it was a voter and stopped")
	d.stop(0)
	d.start(0)
	d.stop(1)
	d.start(1)
	d.await(func(s wire.Status) bool { return s.Ready && s.Quorum })
	attack("after all others have begun anew without it")
	d.start(2)
	d.await(func(s wire.Status) bool { return s.Ready && s.Quorum })
	attack("when it is back")
	text, _ := d.audit(0)
	require.NotContains(t, text, thief)
}
