package node_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/authority"
	"almenara/node/wire"
)

// The limits of the callers of the table's test.
const (
	unlimited = "unlimited"
	toPlace   = "limited to a place"
	toSender  = "limited to a sender"
	asSystem  = "a system"
)

const police = "police@example.hk"

// subject is a caller of the table's test: a role under a limit.
type subject struct{ role, limit, token string }

// subjects are all roles without a limit, and those that may warn under each.
func (d *district) subjects(place string) (out []subject) {
	for _, role := range authority.Roles() {
		for _, limit := range []string{unlimited, toPlace, toSender, asSystem} {
			warns := slices.Contains([]string{authority.RoleComposer, authority.RoleApprover, authority.RoleAdministrator}, role)
			in := wire.AddUser{Name: role + ", " + limit, Roles: []string{role}}
			switch {
			case limit == unlimited:
			case !warns || limit == asSystem && role != authority.RoleComposer:
				continue
			case limit == toPlace:
				in.Places = []string{place}
			default:
				in.Senders, in.System = []string{police}, limit == asSystem
			}
			out = append(out, subject{role, limit, d.user(in)})
		}
	}
	return out
}

// answer is the kind of problem that came back; "" is none.
func answer(err error) string {
	var p *wire.Problem
	if errors.As(err, &p) {
		return p.Kind
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// grounds is what the subjects act on.
type grounds struct {
	here, there       estate
	feed, constable   string            // tokens of the systems of the observatory and of the police
	held              map[string]string // by scope: alerts that wait for approvals
	number            int
	mine, wide, third bulletin // by the observatory to one place and to all, and by the police to all
}

// TestTable_HoldsOnTheAPI tries every line of the table with every role, every limit, on
// alerts of every scope, with a majority and alone.
func TestTable_HoldsOnTheAPI(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	g := &grounds{here: d.estate("table"), there: d.estate("beside"), held: map[string]string{}}
	d.enrol("screen", g.here.Block, 1)
	d.enrol("screen", g.there.Block, 1)
	system := func(name, sender string) string {
		return d.user(wire.AddUser{Name: name, Roles: []string{authority.RoleComposer}, Senders: []string{sender}, System: true})
	}
	g.feed, g.constable = system("observatory", observatory), system("constable", police)
	author := d.user(wire.AddUser{Name: "author", Roles: []string{authority.RoleComposer}})
	for scope, selection := range map[string]string{"mine": "place under " + g.here.Path, "wide": "kind = screen"} {
		s := prepared("held-"+scope, selection)
		s.Approvals = 9
		require.NoError(t, d.client(0).PutScenario(d.ctx(), s))
		out, err := d.clientWith(0, author).SendAlert(d.ctx(), press(s.ID, "i"), "committed")
		require.NoError(t, err)
		g.held[scope] = out.Alert
	}
	g.mine, g.wide, g.third = g.alert("mine", "here"), g.alert("wide", "all"), g.alert("third", "all").of(police)
	for _, b := range []bulletin{g.mine, g.wide, g.third} {
		g.send(d, b)
	}
	subjects := d.subjects(g.here.Path)
	for _, alone := range []bool{false, true} {
		if alone {
			d.kill(1)
			d.awaitOn(0, func(s wire.Status) bool { return s.Alone })
		}
		for _, s := range subjects {
			g.warns(d, s, alone)
			g.cancels(d, s)
			g.approves(d, s)
			g.opens(d, s)
		}
	}
}

func (g *grounds) alert(name, where string) bulletin {
	area := polygon(g.here.Area)
	if where == "all" {
		area = both(g.here, g.there)
	}
	g.number++
	return warning(fmt.Sprintf("%s-%d", name, g.number), area)
}

// send sends a message of a system, which always may.
func (g *grounds) send(d *district, b bulletin) wire.Outcome {
	d.t.Helper()
	token := g.feed
	if b.Sender == police {
		token = g.constable
	}
	out, err := d.clientWith(0, token).TakeCAP(d.ctx(), b.xml(), "", "")
	require.NoError(d.t, err)
	return out
}

// allowed is what the table says of a message, said a second time.
func allowed(s subject, action authority.Action, inside, theirs, alone bool) string {
	line := authority.LineOf(action)
	switch {
	case s.role != authority.RoleAdministrator && !slices.Contains(line.Roles, s.role),
		s.limit == toPlace && !inside, (s.limit == toSender || s.limit == asSystem) && !theirs:
		return wire.KindForbidden
	case alone && line.Alone == authority.Licensed && s.limit != asSystem:
		return wire.KindRefused
	}
	return ""
}

// warns sends and updates, without a trace.
func (g *grounds) warns(d *district, s subject, alone bool) {
	c := d.clientWith(0, s.token)
	sender := "free@example.hk"
	if s.limit == toSender || s.limit == asSystem {
		sender = police
	}
	try := func(what string, b bulletin, want string) {
		_, err := c.PreviewCAP(d.ctx(), b.xml(), "")
		require.Equal(d.t, want, answer(err), "%s by %s %s, alone: %t: %v", what, s.role, s.limit, alone, err)
	}
	try("send here", g.alert("s", "here").of(sender), allowed(s, authority.Send, true, true, alone))
	try("send to all", g.alert("s", "all").of(sender), allowed(s, authority.Send, false, true, alone))
	try("send as the observatory", g.alert("s", "here"), wire.KindForbidden)
	try("send as the district", g.alert("s", "here").of("almenara.tuen-mun"), wire.KindForbidden)
	unknown := warning("unknown", "")
	for what, c := range map[string]struct {
		of             bulletin
		inside, theirs bool
		action         authority.Action
	}{
		"mine": {g.mine, true, false, authority.Update}, "wide": {g.wide, false, false, authority.Update},
		"theirs": {g.third, false, true, authority.Correct}, "unknown": {unknown, false, false, authority.Update},
		"unknown, theirs": {unknown.of(police), false, true, authority.Update},
	} {
		b := c.of.update("other words").of(sender)
		b.Area = polygon(g.here.Area)
		if s.limit != toSender && s.limit != asSystem {
			c.action = authority.Update // by somebody else
		}
		try("update "+what, b, allowed(s, c.action, c.inside, c.theirs, alone))
	}
}

// cancels cancels alerts of its own for each attempt.
func (g *grounds) cancels(d *district, s subject) {
	for _, c := range []struct {
		of             bulletin
		inside, theirs bool
	}{{g.alert("c", "here"), true, false}, {g.alert("c", "all"), false, false}, {g.alert("c", "all").of(police), false, true}} {
		out := g.send(d, c.of)
		_, err := d.clientWith(0, s.token).CancelAlert(d.ctx(), out.Alert, wire.CancelAlert{}, "")
		want := allowed(s, authority.Cancel, c.inside, c.theirs, false) // also alone
		require.Equal(d.t, want, answer(err), "cancel %s by %s %s", c.of.Identifier, s.role, s.limit)
		require.Equal(d.t, map[bool]wire.State{true: wire.StateCancelled, false: wire.StateInForce}[want == ""], d.show(0, out.Alert).State)
		if want != "" {
			d.cancelled(out)
		}
	}
}

// approves approves what needs more persons than there are.
func (g *grounds) approves(d *district, s subject) {
	for scope, id := range g.held {
		_, err := d.clientWith(0, s.token).ApproveAlert(d.ctx(), id, wire.Approve{}, "")
		want := wire.KindForbidden
		approver := s.role == authority.RoleApprover || s.role == authority.RoleAdministrator // what the policy says of composers is left out
		if approver && (s.limit == unlimited || s.limit == toPlace && scope == "mine") {
			want = ""
		}
		require.Equal(d.t, want, answer(err), "approve %s by %s %s: %v", scope, s.role, s.limit, err)
	}
}

// opens asks every other route with nothing in it, and looks only whether the door opens.
func (g *grounds) opens(d *district, s subject) {
	if s.limit != unlimited {
		return
	}
	for _, route := range api.Routes() {
		line := authority.LineOf(route.Action)
		if route.Open || line.Warns() || route.Path == "/api/v1/events" || route.Path == "/api/v1/backup" {
			continue
		}
		path := strings.NewReplacer("{id}", "nothing", "{name}", "nobody").Replace(route.Path)
		r, err := http.NewRequestWithContext(d.ctx(), route.Method, d.nodes[0].API()+path, http.NoBody)
		require.NoError(d.t, err)
		r.Header.Set("Authorization", "Bearer "+s.token)
		got, err := (&http.Client{Timeout: time.Minute}).Do(r)
		require.NoError(d.t, err)
		require.NoError(d.t, got.Body.Close())
		may := s.role == authority.RoleAdministrator || slices.Contains(line.Roles, s.role)
		require.Equal(d.t, may, got.StatusCode != http.StatusForbidden, "%s %s as %s: %d", route.Method, route.Path, s.role, got.StatusCode)
	}
}
