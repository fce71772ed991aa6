package clustertest

import (
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/cluster/recovery"
)

// Statement makes the next incarnation of the node's district, begun on the node.
func (d *District) Statement(n *Node) *identity.Incarnation {
	d.t.Helper()
	i, err := identity.Incarnation{
		Number: n.identity.Incarnation.Count() + 1, By: n.identity.NodeID, Why: "recover", At: time.Now().UnixMilli(),
	}.Sign(n.identity.District)
	require.NoError(d.t, err)
	return i
}

// Recover makes a node that is down the only voter of the next incarnation.
func (d *District) Recover(n *Node) {
	d.t.Helper()
	d.Incarnate(n, d.Statement(n))
	d.RecoverAs(n, false)
}

// Incarnate gives a node that is down an incarnation.
func (d *District) Incarnate(n *Node, i *identity.Incarnation) {
	d.t.Helper()
	identity := *n.identity
	identity.Incarnation = i
	n.identity = &identity
	require.NoError(d.t, n.identity.Save(n.Dir))
}

// RecoverAs makes a node that is down the only voter, under its present identity.
func (d *District) RecoverAs(n *Node, fresh bool) {
	d.t.Helper()
	_, err := d.TryRecover(n, fresh)
	require.NoError(d.t, err)
}

// TryRecover is RecoverAs with its result.
func (d *District) TryRecover(n *Node, fresh bool) (uint64, error) {
	return recovery.Recover(recovery.Options{
		Dir: n.Dir, Identity: n.identity, Advertise: n.Addr, FSM: n.FSM, Snapshots: n.FSM, Fresh: fresh,
	})
}

// Rename gives a node that is down a new server id and keys in its district.
func (d *District) Rename(n *Node) {
	d.t.Helper()
	fresh, err := identity.New(n.identity.District, []string{n.Addr})
	require.NoError(d.t, err)
	fresh.Incarnation = n.identity.Incarnation
	n.identity = fresh
	require.NoError(d.t, n.identity.Save(n.Dir))
}
