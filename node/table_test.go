package node_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/authority"
	"almenara/node/client"
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

// subject is a caller of the table's test: a role under a limit. sender is the CAP sender under
// which it writes; nobody else does, but those who are limited to the police's.
type subject struct {
	role, limit, sender, token string
	*client.Client
}

// ofPolice reports whether the subject speaks for the police, and for nobody else.
func (s subject) ofPolice() bool { return s.limit == toSender || s.limit == asSystem }

// subjects are all roles under all limits.
func (d *district) subjects(place string) (out []subject) {
	for _, role := range authority.Roles() {
		for _, limit := range []string{unlimited, toPlace, toSender, asSystem} {
			in := wire.AddUser{Name: role + ", " + limit, Roles: []string{role}}
			s := subject{role: role, limit: limit, sender: fmt.Sprintf("subject-%d@example.hk", len(out))}
			if limit == toPlace {
				in.Places = []string{place}
			}
			if s.ofPolice() {
				in.Senders, in.System, s.sender = []string{police}, limit == asSystem, police
			}
			if limit == asSystem && slices.Contains([]string{authority.RoleApprover, authority.RoleAdministrator}, role) {
				_, err := d.client(0).AddUser(d.ctx(), in)
				require.Equal(d.t, wire.KindRefused, answer(err), "%s: that takes a person", in.Name)
				continue
			}
			s.token = d.user(in)
			s.Client = d.clientWith(0, s.token)
			out = append(out, s)
		}
	}
	return out
}

// attempt is something that a subject tries, and what the table asks about it.
type attempt struct {
	what   string
	action authority.Action
	inside bool // everybody whom it addresses or changes is in the place that some are limited to
	theirs bool // it is under the police's CAP sender, or changes what is
	strict bool // the policy asks for a second person
}

// expected is what the table says of the attempt: the kind of the refusal, or "" and where the
// message stands then.
func (a attempt) expected(s subject, alone bool) (kind string, state wire.State) {
	line, system := authority.LineOf(a.action), s.limit == asSystem
	held := line.Policy && a.strict && !system
	switch {
	case s.role != authority.RoleAdministrator && !slices.Contains(line.Roles, s.role), line.People && system,
		s.limit == toPlace && !a.inside, s.ofPolice() && !a.theirs:
		return wire.KindForbidden, ""
	case alone && line.Alone == authority.Licensed && !system && !held:
		return wire.KindRefused, ""
	case held:
		return "", wire.StatePending
	case a.action == authority.Cancel:
		return "", wire.StateCancelled
	}
	return "", wire.StateInForce
}

// is compares what came of the attempt with what the table says, and reports whether it was done.
func (a attempt) is(d *district, s subject, alone bool, out wire.Outcome, err error) bool {
	d.t.Helper()
	kind, state := a.expected(s, alone)
	require.Equal(d.t, kind, answer(err), "%s by %s %s, strict: %t, alone: %t: %v", a.what, s.role, s.limit, a.strict, alone, err)
	require.Equal(d.t, state, out.State, "%s by %s %s, strict: %t, alone: %t", a.what, s.role, s.limit, a.strict, alone)
	return kind == ""
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
	held              map[string]string // by scope: alerts that wait for more approvals than there are persons
	ends              map[string]string // by scope: alerts to be cancelled
	ours, oursWide    string            // alerts by the district's own sender, to one place and to all
	number            int
	mine, wide, third bulletin // by the observatory to one place and to all, and by the police to all
}

// TestTable_HoldsOnTheAPI tries every line of the table with every role, every limit, on
// alerts of every scope, with and without the need of a second person, with a majority and
// alone.
func TestTable_HoldsOnTheAPI(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1) // which has a majority however busy the machine is
	g := &grounds{here: d.estate("table"), there: d.estate("beside"), held: map[string]string{}, ends: map[string]string{}}
	d.enrol("screen", g.here.Block, 1)
	d.enrol("screen", g.there.Block, 1)
	hire := func(name string, system bool, senders ...string) string {
		return d.user(wire.AddUser{Name: name, Roles: []string{authority.RoleComposer}, Senders: senders, System: system})
	}
	g.feed, g.constable = hire("observatory", true, observatory), hire("constable", true, police)
	author, officer := d.clientWith(0, hire("author", false)), d.clientWith(0, hire("officer", false, police))
	send := func(to string) string {
		out, err := author.SendAlert(d.ctx(), byJSON("to "+to, to), "")
		require.NoError(t, err)
		return out.Alert
	}
	g.ours, g.oursWide = send("place under "+g.here.Path), send("kind = screen")
	g.mine, g.wide, g.third = g.alert("mine", "here"), g.alert("wide", "all"), g.alert("third", "all").of(police)
	for _, b := range []bulletin{g.mine, g.wide, g.third} {
		g.send(d, b)
	}
	require.NoError(t, d.client(0).PutPolicy(d.ctx(), wire.Policy{
		Rules: []wire.PolicyRule{{Severity: "Extreme", Approvals: 9}}, Approvers: authority.ApproverRoles(),
	}))
	hold := func(scope string, c *client.Client, b bulletin) {
		out, err := c.TakeCAP(d.ctx(), b.xml(), "", "")
		require.NoError(t, err)
		require.Equal(t, wire.StatePending, out.State)
		g.held[scope] = out.Alert
	}
	hold("mine", author, g.alert("held", "here").of("author@example.hk"))
	hold("wide", author, g.alert("held", "all").of("author@example.hk"))
	hold("theirs", officer, g.alert("held", "all").of(police))
	subjects := d.subjects(g.here.Path)
	for _, alone := range []bool{false, true} {
		if alone {
			d.invite()
			d.voting()
			d.kill(1)
			d.awaitOn(0, func(s wire.Status) bool { return s.Alone })
		}
		for _, s := range subjects {
			g.warns(d, s, alone)
			g.corrects(d, s, alone)
			g.sendsAndApproves(d, s, alone)
			g.cancels(d, s, alone)
			g.approves(d, s, alone)
			if !alone || s.limit == unlimited { // what needs a majority is waited for
				g.opens(d, s)
			}
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
	require.Equal(d.t, wire.StateInForce, out.State, "no second person is asked for")
	return out
}

// warns sends and updates, without a trace.
func (g *grounds) warns(d *district, s subject, alone bool) {
	unknown := warning("unknown", "")
	for _, severity := range []string{"Extreme", "Severe"} {
		try := func(what string, action authority.Action, b bulletin, inside, theirs bool) {
			b.Severity = severity
			out, err := s.PreviewCAP(d.ctx(), b.xml(), "")
			attempt{what, action, inside, theirs, severity == "Extreme"}.is(d, s, alone, out, err)
		}
		try("send here", authority.Send, g.alert("s", "here").of(s.sender), true, true)
		try("send to all", authority.Send, g.alert("s", "all").of(s.sender), false, true)
		for what, c := range map[string]struct {
			of             bulletin
			inside, theirs bool
		}{
			"mine": {g.mine, true, false}, "wide": {g.wide, false, false}, "theirs": {g.third, false, true},
			"unknown": {unknown, false, false}, "unknown, theirs": {unknown.of(police), false, true},
		} {
			b := c.of.update("other words").of(s.sender)
			b.Area = polygon(g.here.Area)
			action := authority.Update
			// By somebody else; and a corrector's door is another route.
			if s.ofPolice() && what == "theirs" && s.role != authority.RoleCorrector {
				action = authority.Correct
			}
			try("update "+what, action, b, c.inside, c.theirs)
		}
	}
	for _, sender := range []string{observatory, "almenara.tuen-mun"} {
		_, err := s.PreviewCAP(d.ctx(), g.alert("s", "here").of(sender).xml(), "")
		require.Equal(d.t, wire.KindForbidden, answer(err), "send as %s by %s %s", sender, s.role, s.limit)
	}
}

// corrects says other words, without a trace: whoever is no author, speaks for no sender and is
// no corrector updates by that, and needs a second person.
func (g *grounds) corrects(d *district, s subject, alone bool) {
	for what, c := range map[string]struct {
		id                   string
		inside, theirs, ours bool
	}{"ours": {g.ours, true, false, true}, "ours to all": {g.oursWide, false, false, true}, "theirs": {g.third.id(), false, true, false}} {
		words := wire.CorrectAlert{Texts: []wire.CorrectText{{Language: "en", Headline: new("other words")}}, DryRun: true}
		action := authority.Update
		if s.ofPolice() && c.theirs || s.role == authority.RoleCorrector && c.ours {
			action = authority.Correct
		}
		out, err := s.CorrectAlert(d.ctx(), c.id, words, "")
		attempt{"correct " + what, action, c.inside, c.theirs, true}.is(d, s, alone, out, err)
		if s.role == authority.RoleCorrector { // to whom the other route is closed
			action = authority.Update
		}
		out, err = s.UpdateAlert(d.ctx(), c.id, words.Update(), "")
		attempt{"update " + what + " by its words", action, c.inside, c.theirs, true}.is(d, s, alone, out, err)
	}
}

// sendsAndApproves sends what needs a second person, who is not the author.
func (g *grounds) sendsAndApproves(d *district, s subject, alone bool) {
	out, err := s.TakeCAP(d.ctx(), g.alert("own", "here").of(s.sender).xml(), "", "")
	a := attempt{"send", authority.Send, true, true, true}
	if !a.is(d, s, alone, out, err) {
		return
	}
	_, state := a.expected(s, alone)
	_, err = s.ApproveAlert(d.ctx(), out.Alert, wire.Approve{}, "")
	require.Equal(d.t, wire.KindForbidden, answer(err), "%s %s approves what it wrote: %v", s.role, s.limit, err)
	require.Equal(d.t, state, d.show(0, out.Alert).State)
	d.cancelled(out)
}

// cancels cancels alerts, and needs nobody for it. One that was not cancelled stands for the
// next subject.
func (g *grounds) cancels(d *district, s subject, alone bool) {
	for scope, c := range map[string]struct {
		sender, where  string
		inside, theirs bool
	}{"mine": {observatory, "here", true, false}, "wide": {observatory, "all", false, false}, "third": {police, "all", false, true}} {
		if g.ends[scope] == "" {
			g.ends[scope] = g.send(d, g.alert("c", c.where).of(c.sender)).Alert
		}
		id := g.ends[scope]
		out, err := s.CancelAlert(d.ctx(), id, wire.CancelAlert{}, "")
		stands := wire.StateInForce
		if (attempt{"cancel " + scope, authority.Cancel, c.inside, c.theirs, true}).is(d, s, alone, out, err) {
			stands, g.ends[scope] = wire.StateCancelled, ""
		}
		require.Equal(d.t, stands, d.show(0, id).State)
	}
}

// approves approves what needs more persons than there are.
func (g *grounds) approves(d *district, s subject, alone bool) {
	for scope, id := range g.held {
		_, err := s.ApproveAlert(d.ctx(), id, wire.Approve{}, "")
		kind, _ := attempt{action: authority.Approve, inside: scope == "mine", theirs: scope == "theirs"}.expected(s, alone)
		require.Equal(d.t, kind, answer(err), "approve %s by %s %s: %v", scope, s.role, s.limit, err)
		require.Equal(d.t, wire.StatePending, d.show(0, id).State)
	}
}

// opens asks every other route with nothing in it, and looks only whether the door opens.
func (g *grounds) opens(d *district, s subject) {
	for _, route := range api.Routes() {
		line := authority.LineOf(route.Action)
		if route.Open || line.Warns() || route.Path == "/api/v1/events" || route.Path == "/api/v1/backup" {
			continue
		}
		path := strings.NewReplacer("{id}", "nothing", "{name}", "nobody").Replace(route.Path)
		r, err := http.NewRequestWithContext(d.ctx(), route.Method, d.nodes[0].API()+path, http.NoBody)
		require.NoError(d.t, err)
		r.Header.Set("Authorization", "Bearer "+s.token)
		got, err := described.Transport(d.t, http.DefaultTransport).RoundTrip(r)
		require.NoError(d.t, err)
		require.NoError(d.t, got.Body.Close())
		may := (s.role == authority.RoleAdministrator || slices.Contains(line.Roles, s.role)) && !(line.People && s.limit == asSystem)
		require.Equal(d.t, may, got.StatusCode != http.StatusForbidden, "%s %s as %s: %d", route.Method, route.Path, s.role, got.StatusCode)
	}
}
