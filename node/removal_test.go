package node_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// One of three is away, and the other is to be removed: the two that would remain could
// not agree on it. Nothing is done by half: its key stays where it was, and the log has
// nothing of it. The absent one can be removed.
func TestRemoveNode_NothingHappensWhereTheRestCouldNotAgree(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	away, other := d.nodes[2].ID(), d.nodes[1].ID()
	d.kill(2)
	_, before := d.audit(0)
	for _, asked := range []int{0, 1} {
		p := problemOf(d, nil, d.client(asked).RemoveNode(d.ctx(), other))
		require.Equal(t, wire.KindRefused, p.Kind)
		require.Contains(t, p.Sentence, "box-3 ("+away+")")
		require.Contains(t, p.Sentence, "nothing was changed")
	}
	_, after := d.audit(0)
	require.Equal(t, before, after)
	p := problemOf(d, nil, d.client(0).RemoveNode(d.ctx(), "box-9"))
	require.Equal(t, wire.KindNotFound, p.Kind)
	require.Contains(t, p.Sentence, "no node box-9 is known here; there are ")
	require.Contains(t, p.Sentence, "box-3 ("+away+")")
	require.NoError(t, d.client(1).RemoveNode(d.ctx(), "box-3"), "by its name, as people know it")
	d.awaitOn(0, func(s wire.Status) bool { return len(s.Nodes) == 2 })
}

// The key of a node that is removed leaves the key ring first, and until the node knows
// that it is removed it takes alerts as ever. Its devices would not believe it any more:
// they are sent to the others at once, and it lets none of them in again. The removal is
// finished when it can be, whoever asked for it.
func TestRemoveNode_DevicesAreWhereTheyBelieve(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	here := d.estate("leaving")
	options := d.enrol("screen", here.Block, 3)
	for i := range options {
		options[i].Servers, options[i].FirstServer = append(d.nodes[2].MQTT(), d.nodes[0].MQTT()...), 0
	}
	for _, o := range options {
		d.eventually("the node knows the device", func() bool { return d.connects(o, 2) == nil })
	}
	fleet := d.fleet(options...)
	d.awaitOn(2, func(s wire.Status) bool { return s.Devices == 3 })

	leaving := d.nodes[2].ID()
	d.kill(1) // or it would be over at once
	agreed(d, func() (struct{}, error) { return struct{}{}, d.nodes[0].TakeKey(d.ctx(), leaving) })
	d.awaitOn(0, func(s wire.Status) bool { return s.Devices == 3 })
	d.awaitOn(2, func(s wire.Status) bool {
		return s.Devices == 0 && !s.Ready && strings.Contains(s.Why.Text, "not in the district's key ring")
	})
	fleet.proven(revisionOf(d.post(2, warning("while-leaving", polygon(here.Area)), "", "")), 3)
	require.ErrorIs(t, d.connects(options[0], 2), packets.ErrorRefusedServerUnavailable)

	d.start(1)
	d.awaitOn(0, func(s wire.Status) bool {
		return s.Ready && len(s.Nodes) == 2 && !slices.ContainsFunc(s.Nodes, func(n wire.NodeInfo) bool { return n.ID == leaving })
	})
}
