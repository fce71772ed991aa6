package node_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
)

// Whoever was not reached is dark only where no node has it; what a node that does not answer
// knows is said to be unknown, in the list of devices too.
func TestWhereabouts_AreAskedOfEveryNode(t *testing.T) {
	t.Parallel()
	links := newWires()
	d := newTuned(t, 3, func(_ int, o *node.Options) { o.Dial = links.lay(o.Internode) })
	here := d.estate("asked")
	kiosks := d.enrol("kiosk", here.Block, 4)
	d.plainDevice(kiosks[0], 0)
	left := d.plainDevice(kiosks[1], 1)
	d.plainDevice(kiosks[2], 2)
	sent := d.post(0, warning("asked", polygon(here.Area)), "", "committed")
	left.Disconnect(100)
	type answer struct {
		reason     string
		since      bool
		unanswered []string
	}
	missing := func() map[string]answer {
		page, err := d.client(0).AlertReceipts(d.ctx(), sent.Alert, wire.ReceiptQuery{Missing: true})
		require.NoError(t, err)
		out := map[string]answer{}
		for _, r := range page.Rows {
			out[r.Member] = answer{r.Reason, !r.Since.IsZero(), r.Unanswered}
		}
		return out
	}
	want := map[string]answer{
		kiosks[0].ID: {wire.ReasonWaiting, true, nil}, kiosks[1].ID: {wire.ReasonDark, true, nil},
		kiosks[2].ID: {wire.ReasonWaiting, true, nil}, kiosks[3].ID: {wire.ReasonNotSeen, false, nil},
	}
	d.eventually("the one that left is known to be dark", func() bool { return missing()[kiosks[1].ID].reason == wire.ReasonDark })
	require.Equal(t, want, missing())
	connected := func() map[string]*bool {
		page, err := d.client(0).ListDevices(d.ctx(), "", 100)
		require.NoError(t, err)
		out := map[string]*bool{}
		for _, one := range page {
			out[one.ID] = one.Connected
			require.Equal(t, one.Connected == nil, len(one.Unanswered) > 0, one.ID)
		}
		return out
	}
	yes, no := true, false
	require.Equal(t, map[string]*bool{kiosks[0].ID: &yes, kiosks[1].ID: &no, kiosks[2].ID: &yes, kiosks[3].ID: &no}, connected())

	links.isolate(d.opts[2].Internode)
	silent := []string{d.nodes[2].ID()}
	for _, k := range kiosks[1:] {
		want[k.ID] = answer{wire.ReasonUnknown, false, silent}
	}
	require.Equal(t, want, missing(), "they may be connected to the node that does not answer")
	require.Equal(t, map[string]*bool{kiosks[0].ID: &yes, kiosks[1].ID: nil, kiosks[2].ID: nil, kiosks[3].ID: nil}, connected())
	head := d.receiptsCSV(0, sent.Alert)[0]
	require.Equal(t, []string{"reason", "since", "unanswered", "rung_from"}, head[len(head)-4:])
}
