package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
	"almenara/node/wire/splits"
)

// parted is a district of three with a screen at each node, of which the third is cut
// off. What waits was sent before and is known everywhere.
type parted struct {
	*district
	links  *wires
	here   estate
	fleet  *fleet
	people staff
	waits  map[string]wire.Outcome // by headline
}

// What waited for approvals before a split is approved on one side while the other
// cancels it, or approved by one person on both, or by one whom the other side has
// revoked; and the node that is alone sends under a licence, and what somebody there
// approves. Afterwards every node gives each the same end, by the rules: a cancel is
// final, a person counts once, and what was done stands. No device began what its node
// knew to be cancelled, and the report of the split names it all.
func TestApprovals_InASplitComeToOneEnd(t *testing.T) {
	t.Parallel()
	p := part(t)
	p.isolate()
	p.disagree()
	p.actAlone()

	p.links.isolate()
	p.await(func(s wire.Status) bool { return s.Ready && s.Quorum && s.PendingFacts == 0 })
	p.agrees()
	p.reports()
	p.sameEverywhere()
}

func part(t *testing.T) *parted {
	t.Helper()
	p := &parted{links: newWires(), waits: map[string]wire.Outcome{}}
	p.district = newTuned(t, 3, func(_ int, o *node.Options) { o.Dial = p.links.lay(o.Internode) })
	p.here = p.estate("parted")
	screens := p.enrol("screen", p.here.Block, 3)
	for i := range screens {
		screens[i].Servers = p.nodes[i].MQTT()
	}
	p.fleet = p.district.fleet(screens...)
	p.people = p.staff()
	s := prepared("fire", "place under "+p.here.Path)
	s.Approvals = 1
	require.NoError(t, p.client(0).PutScenario(p.ctx(), s))
	_, err := p.client(0).GrantLicence(p.ctx(), wire.Licence{Operator: "duty", Scenarios: []string{"fire"}, Place: p.here.Path, Until: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	p.eventually("the licence is known at box-3", func() bool {
		known, err := p.client(2).ListLicences(p.ctx())
		return err == nil && len(known) == 1
	})
	for headline, approvals := range map[string]int{"approved there": 1, "cancelled there": 1, "by one revoked": 1, "by one on both": 2} {
		p.strict(approvals)
		out, err := p.clientWith(0, p.people.duty).SendAlert(p.ctx(), byJSON(headline, "place under "+p.here.Path), "committed")
		require.NoError(t, err)
		require.Equal(t, wire.StatePending, out.State)
		p.everywhere(out.Alert, "pending", func(a wire.Alert) bool {
			return a.State == wire.StatePending && a.Replication == wire.ReplicationCommitted
		})
		p.waits[headline] = out
	}
	p.strict(1)
	return p
}

func (p *parted) isolate() {
	p.links.isolate(p.opts[2].Internode)
	p.awaitOn(2, func(s wire.Status) bool { return !s.Quorum && s.Alone })
	p.awaitOn(0, func(s wire.Status) bool { return s.Quorum })
	require.NoError(p.t, p.client(0).RevokeUser(p.ctx(), "third"))
}

// approves lets a person approve what waits at node i, which says what comes of it.
func (p *parted) approves(i int, token, headline string, state wire.State) {
	p.t.Helper()
	out, err := p.clientWith(i, token).ApproveAlert(p.ctx(), p.waits[headline].Alert, wire.Approve{Reason: "seen"}, "")
	require.NoError(p.t, err, headline)
	require.Equal(p.t, state, out.State, headline)
}

func (p *parted) cancels(i int, headline string) {
	p.t.Helper()
	over, err := p.clientWith(i, p.people.duty).CancelAlert(p.ctx(), p.waits[headline].Alert, wire.CancelAlert{Reason: "no fire"}, "")
	require.NoError(p.t, err, headline)
	require.Equal(p.t, wire.StateCancelled, over.State, headline)
	said := p.said(p.clientWith(i, p.people.second).ApproveAlert(p.ctx(), p.waits[headline].Alert, wire.Approve{}, ""))
	require.Contains(p.t, said.Sentence, "waits for no approval; it is cancelled")
}

// disagree is what the two sides do with what waited.
func (p *parted) disagree() {
	p.cancels(0, "approved there")
	p.approves(2, p.people.second, "approved there", wire.StateInForce)
	p.approves(0, p.people.second, "cancelled there", wire.StateInForce)
	p.cancels(2, "cancelled there")
	p.approves(2, p.people.third, "by one revoked", wire.StateInForce)
	p.approves(0, p.people.second, "by one on both", wire.StatePending)
	p.approves(2, p.people.second, "by one on both", wire.StatePending)
	p.fleet.proven(revisionOf(p.waits["approved there"]), 1)
	p.fleet.proven(revisionOf(p.waits["cancelled there"]), 2)
	p.fleet.proven(revisionOf(p.waits["by one revoked"]), 1)
}

// actAlone is what the node sends that is alone: a scenario by its licence, which needs
// nobody, and a free text, which somebody there approves.
func (p *parted) actAlone() {
	duty, second := p.clientWith(2, p.people.duty), p.clientWith(2, p.people.second)
	fire, err := duty.SendAlert(p.ctx(), press("fire", "i-1"), "")
	require.NoError(p.t, err)
	require.Equal(p.t, wire.StateInForce, fire.State)
	require.NotEmpty(p.t, fire.Licence)
	said := p.said(second.ApproveAlert(p.ctx(), fire.Alert, wire.Approve{}, ""))
	require.Contains(p.t, said.Sentence, "waits for no approval; it is in-force")
	in := loud(p.here)
	text, err := duty.SendAlert(p.ctx(), in, "")
	require.NoError(p.t, err)
	require.Equal(p.t, wire.StatePending, text.State)
	p.waits["by licence"], p.waits["sent and approved alone"] = fire, text
	p.approves(2, p.people.second, "sent and approved alone", wire.StateInForce)
	p.fleet.proven(revisionOf(fire), 1)
	p.fleet.proven(revisionOf(text), 1)
}

// agrees waits for the end of each, and looks at what devices did on the way.
func (p *parted) agrees() {
	for headline, state := range map[string]wire.State{
		"approved there": wire.StateCancelled, "cancelled there": wire.StateCancelled, "by one revoked": wire.StateInForce,
		"by one on both": wire.StatePending, "by licence": wire.StateInForce, "sent and approved alone": wire.StateInForce,
	} {
		p.everywhere(p.waits[headline].Alert, headline, func(a wire.Alert) bool { return a.State == state && a.Replication == wire.ReplicationCommitted })
	}
	for i := range p.nodes {
		a := p.show(i, p.waits["by one on both"].Alert)
		require.Len(p.t, a.Approvals.Given, 1, "one person counts once, wherever she was asked")
	}
	for _, headline := range []string{"by one revoked", "by licence", "sent and approved alone"} {
		p.fleet.proven(revisionOf(p.waits[headline]), 3)
	}
	p.fleet.stopped(revisionOf(p.waits["approved there"]), 1)
	p.fleet.stopped(revisionOf(p.waits["cancelled there"]), 2)
	p.approves(1, p.token, "by one on both", wire.StateInForce)
	p.fleet.proven(revisionOf(p.waits["by one on both"]), 3)
	p.lax()
	p.fleet.settle()
	for headline, starts := range map[string][]int{
		"approved there": {0, 0, 1}, "cancelled there": {1, 1, 0}, "by one revoked": {1, 1, 1},
		"by one on both": {1, 1, 1}, "by licence": {1, 1, 1}, "sent and approved alone": {1, 1, 1},
	} {
		require.Equal(p.t, starts, p.fleet.starts(revisionOf(p.waits[headline])), headline)
	}
}

// reports reads what every node says of the split.
func (p *parted) reports() {
	report := p.splits(func(s splits.Split) bool {
		return len(s.Alerts) == 8 && !slices.ContainsFunc(s.Alerts, func(a splits.SplitAlert) bool { return a.MsgType == "Alert" && len(a.Told) == 0 })
	})
	by := map[string]splits.SplitAlert{}
	for _, a := range report.Alerts {
		if a.MsgType == "Alert" {
			by[a.Alert] = a
		}
	}
	of := func(headline string) splits.SplitAlert { return by[p.waits[headline].Alert] }
	names := func(a splits.SplitAlert) (out []string) {
		for _, g := range a.Approved {
			out = append(out, fmt.Sprint(g.By, " at ", g.Node, " ", g.Alone))
		}
		return out
	}
	there := of("approved there")
	require.Equal(p.t, []string{"second at box-3 true"}, names(there))
	require.Regexp(p.t, `^Approved by second at box-3, where nobody could know that it had been cancelled at `, there.Notes[len(there.Notes)-1])
	require.Len(p.t, there.Told, 1)
	require.Equal(p.t, []any{"box-3", false}, []any{there.Told[0].Node, there.Told[0].Late})
	require.Equal(p.t, []string{"second at box-1 false"}, names(of("cancelled there")))
	require.Len(p.t, of("cancelled there").Told, 2)
	revoked := of("by one revoked")
	require.Equal(p.t, []string{"third at box-3 true"}, names(revoked))
	require.Contains(p.t, strings.Join(revoked.Notes, " "), "had revoked the approver third")
	require.Len(p.t, names(of("by one on both")), 2, "second, and the administrator later")
	require.NotEmpty(p.t, of("by licence").Licence)
	require.Equal(p.t, []string{"second at box-3 true"}, names(of("sent and approved alone")))
	for _, headline := range []string{"approved there", "cancelled there", "by one revoked", "by one on both"} {
		require.False(p.t, of(headline).Alone, headline)
	}
}
