package node_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/outcome"
	"almenara/node"
	"almenara/node/wire"
)

// TestJoin_RefusesSoftwareOfBeforeWhatIsAgreed: it would end at the first entry that it
// cannot read. The token stays good for when it is upgraded.
func TestJoin_RefusesSoftwareOfBeforeWhatIsAgreed(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	invited, err := d.client(0).Invite(d.ctx(), wire.Invite{})
	require.NoError(t, err)
	require.NoError(t, d.client(0).PutPolicy(d.ctx(), wire.Policy{Rules: []wire.PolicyRule{{Severity: "Extreme", Approvals: 1}}}))

	o := d.options()
	o.CommandVersion = 1
	err = node.Join(d.ctx(), o, invited.Token)
	require.ErrorIs(t, err, outcome.ErrRefused)
	require.ErrorContains(t, err, "of version 2, and the software of the new node understands version 1; upgrade it")
	require.NoFileExists(t, filepath.Join(o.Dir, "node.json"))
	o.CommandVersion = 0
	require.NoError(t, node.Join(d.ctx(), o, invited.Token), "the same token and folder")
}
