package node_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// TestSmallestRights tells what a composer of one block tries against the rest of the
// district. Each attempt is refused, and what it was aimed at goes on.
func TestSmallestRights(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	d.feed = d.user(wire.AddUser{Name: "observatory", Roles: []string{authority.RoleComposer}, Senders: []string{observatory}, System: true})
	here, there := d.estate("mine"), d.estate("others")
	d.enrol("screen", here.Block, 1)
	d.enrol("screen", there.Block, 1)
	small := d.user(wire.AddUser{Name: "small", Roles: []string{authority.RoleComposer, authority.RoleApprover}, Places: []string{here.Path}})
	for _, story := range []struct {
		name string
		tell func(d *district, small *client.Client, here, there estate)
	}{
		{"ends or changes nobody else's alert", leavesOthersAlone},
		{"takes nobody's next identifier", takesNoIdentifier},
		{"joins no incident of others", joinsNoIncident},
		{"merges no two alerts", mergesNothing},
		{"still ends and changes its own", changesItsOwn},
		{"names nothing under another's sender", namesNothing},
		{"reaches nobody outside who joins later", reachesNobodyLater},
		{"learns nothing of anybody outside", learnsNothing},
		{"cancels no incident that is known by its Cancel only", cancelsNoUnknownIncident},
	} {
		t.Run(story.name, func(t *testing.T) {
			in := d.in(t)
			story.tell(in, in.clientWith(0, small), here, there)
		})
	}
}

// forbidden is the problem of what must be refused with 403.
func (d *district) forbidden(out wire.Outcome, err error) *wire.Problem {
	d.t.Helper()
	p := d.said(out, err)
	require.Equal(d.t, wire.KindForbidden, p.Kind, p.Sentence)
	return p
}

// of is the message under another sender.
func (b bulletin) of(sender string) bulletin {
	b.Sender = sender
	return b
}

func both(here, there estate) string {
	return polygon(here.Area) + "<polygon>" + there.Area + "</polygon>"
}

func leavesOthersAlone(d *district, small *client.Client, here, there estate) {
	storm := warning("storm", both(here, there))
	sent := d.post(0, storm, "", "")
	later := warning("later", polygon(here.Area))
	later.Effective = later.Sent.Add(30 * time.Minute)
	planned := d.post(0, later, "place under "+there.Path+" or place under "+here.Path, "")
	toCome := warning("to-come", polygon(here.Area)) // nobody has sent it yet

	p := d.forbidden(small.CancelAlert(d.ctx(), sent.Alert, wire.CancelAlert{Reason: "hush"}, ""))
	require.Contains(d.t, p.Sentence, "also addresses 1 members outside "+here.Path)
	for _, aim := range []bulletin{storm, toCome} {
		for _, attempt := range []bulletin{aim.cancel(), aim.update("Leave the city")} {
			attempt.Area = polygon(here.Area)
			d.forbidden(small.TakeCAP(d.ctx(), attempt.of("small@block").xml(), "", ""))
			d.forbidden(small.PreviewCAP(d.ctx(), attempt.of("small@block").xml(), ""))
			d.forbidden(small.TakeCAP(d.ctx(), attempt.xml(), "", "")) // as the observatory itself
		}
	}
	// An alert to its own block alone is another's, and still it may end it: those whom it
	// concerns are all its own.
	over, err := small.CancelAlert(d.ctx(), planned.Alert, wire.CancelAlert{}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateCancelled, over.State)
	require.Equal(d.t, wire.StateInForce, d.show(0, sent.Alert).State)
	d.cancelled(sent)
	real := d.post(0, toCome, "", "")
	require.Equal(d.t, wire.StateInForce, real.State, "an attempt leaves nothing behind")
	d.cancelled(real)

	empty := warning("empty", polygon(square(1, 1, 0.01))) // nobody is there yet
	nobody := d.post(0, empty, "", "")
	p = d.forbidden(small.CancelAlert(d.ctx(), nobody.Alert, wire.CancelAlert{}, ""))
	require.Contains(d.t, p.Sentence, "addresses nobody now")
	d.cancelled(nobody)
}

func takesNoIdentifier(d *district, small *client.Client, here, there estate) {
	next := warning("next", polygon(here.Area))
	mine := next
	mine.Headline = "All is well"
	for _, sender := range []string{observatory, strings.ToUpper(observatory), alert.IncidentSender, "almenara.tuen-mun"} {
		d.forbidden(small.TakeCAP(d.ctx(), mine.of(sender).xml(), "", ""))
	}
	p := d.forbidden(d.client(0).TakeCAP(d.ctx(), mine.xml(), "", ""))
	require.Contains(d.t, p.Sentence, "also no administrator")
	form := byJSON("as them", "place under "+here.Path)
	form.Alert = json.RawMessage(strings.Replace(string(form.Alert), "{", `{"sender":"`+observatory+`",`, 1))
	d.forbidden(small.SendAlert(d.ctx(), form, ""))
	real := d.post(0, next, "", "")
	require.Equal(d.t, wire.StateInForce, real.State)
	d.cancelled(real)
}

func joinsNoIncident(d *district, small *client.Client, here, there estate) {
	admin := d.client(0)
	require.NoError(d.t, admin.PutScenario(d.ctx(), prepared("gas", "kind = screen")))
	first, err := admin.SendAlert(d.ctx(), press("gas", "i-1"), "")
	require.NoError(d.t, err)
	mine := press("gas", "i-1")
	mine.Select, mine.Blanks = "place under "+here.Path, map[string]string{"where": "nowhere"}
	p := d.forbidden(small.SendAlert(d.ctx(), mine, ""))
	require.Contains(d.t, p.Sentence, "outside "+here.Path)
	require.Equal(d.t, "Fire at block 1", d.show(0, first.Alert).Headline)
	root := alert.IncidentKey("gas", "i-1", alert.StatusActual)
	hush := warning("hush", "").cancel().of("small@block")
	hush.References = []bulletin{{Sender: root.Sender, Identifier: root.Identifier, Sent: root.Sent.Time()}}
	d.forbidden(small.TakeCAP(d.ctx(), hush.xml(), "", ""))
	mine.Incident = "i-2"
	own, err := small.SendAlert(d.ctx(), mine, "")
	require.NoError(d.t, err)
	repeated, err := small.SendAlert(d.ctx(), mine, "")
	require.NoError(d.t, err)
	require.True(d.t, repeated.Duplicate)
	mine.Incident = strings.Repeat("x", 101)
	require.Equal(d.t, wire.KindRefused, d.said(small.SendAlert(d.ctx(), mine, "")).Kind)
	again, err := small.CancelAlert(d.ctx(), own.Alert, wire.CancelAlert{}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateCancelled, again.State)
	d.cancelled(first)
}

func mergesNothing(d *district, small *client.Client, here, there estate) {
	own, err := small.SendAlert(d.ctx(), byJSON("own", "place under "+here.Path), "")
	require.NoError(d.t, err)
	storm := warning("merged", polygon(there.Area))
	sent := d.post(0, storm, "", "")
	body := map[string]any{}
	update := byJSON("one of both", "place under "+here.Path)
	require.NoError(d.t, json.Unmarshal(update.Alert, &body))
	body["msgType"], body["references"] = "Update", own.Key+" "+sent.Key
	update.Alert, err = json.Marshal(body)
	require.NoError(d.t, err)
	d.forbidden(small.SendAlert(d.ctx(), update, ""))
	require.Equal(d.t, wire.StateInForce, d.show(0, own.Alert).State)
	d.cancelled(own)
	d.cancelled(sent)
}

func changesItsOwn(d *district, small *client.Client, here, _ estate) {
	own, err := small.SendAlert(d.ctx(), byJSON("mine", "place under "+here.Path), "")
	require.NoError(d.t, err)
	body := map[string]any{}
	update := byJSON("mine, again", "place under "+here.Path)
	require.NoError(d.t, json.Unmarshal(update.Alert, &body))
	body["msgType"], body["references"] = "Update", own.Key
	update.Alert, err = json.Marshal(body)
	require.NoError(d.t, err)
	_, err = small.SendAlert(d.ctx(), update, "")
	require.NoError(d.t, err)
	over, err := small.CancelAlert(d.ctx(), own.Alert, wire.CancelAlert{}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateCancelled, over.State)
}

// cancelsNoUnknownIncident cancels an alert of which nothing is known but that it was
// cancelled, by everybody who is limited to something: each gets a sentence.
func cancelsNoUnknownIncident(d *district, small *client.Client, _, _ estate) {
	root := alert.IncidentKey("gas", "never-seen", alert.StatusActual)
	blind := warning("blind", "").cancel().of("elsewhere@example.hk")
	blind.References = []bulletin{{Sender: root.Sender, Identifier: root.Identifier, Sent: root.Sent.Time()}}
	_, err := d.client(0).TakeCAP(d.ctx(), blind.xml(), "", "")
	require.NoError(d.t, err, "who may warn everybody may end what is to come")
	p := d.forbidden(d.clientWith(0, d.feed).CancelAlert(d.ctx(), string(root.ID()), wire.CancelAlert{}, ""))
	require.Contains(d.t, p.Sentence, "no message of the alert")
	d.forbidden(small.CancelAlert(d.ctx(), string(root.ID()), wire.CancelAlert{}, ""))
	_, err = d.client(0).CancelAlert(d.ctx(), string(root.ID()), wire.CancelAlert{}, "")
	require.NoError(d.t, err)
}

// TestCorrections_OfOthersAreApproved holds an Update by somebody else with other words to
// the approval that a new alert of that severity needs.
func TestCorrections_OfOthersAreApproved(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("corrected")
	d.enrol("screen", here.Block, 1)
	feed := d.user(wire.AddUser{Name: "observatory", Roles: []string{authority.RoleComposer}, Senders: []string{observatory}, System: true})
	person := d.user(wire.AddUser{Name: "forecaster", Roles: []string{authority.RoleComposer}, Senders: []string{"police@example.hk"}})
	other := d.user(wire.AddUser{Name: "other", Roles: []string{authority.RoleComposer}})
	require.NoError(t, d.client(0).PutPolicy(d.ctx(), wire.Policy{Rules: []wire.PolicyRule{{Severity: "Extreme", Approvals: 1}}}))
	storm := warning("extreme", polygon(here.Area))
	sent, err := d.clientWith(0, feed).TakeCAP(d.ctx(), storm.xml(), "", "")
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, sent.State, "a central system needs nobody")
	for _, token := range []string{other, d.token} {
		out, err := d.clientWith(0, token).PreviewCAP(d.ctx(), storm.update("Leave the city").of("somebody@else").xml(), "")
		require.NoError(t, err)
		require.Equal(t, wire.StatePending, out.State)
	}
	crime := warning("crime", polygon(here.Area)).of("police@example.hk")
	held, err := d.clientWith(0, person).TakeCAP(d.ctx(), crime.xml(), "", "")
	require.NoError(t, err)
	require.Equal(t, wire.StatePending, held.State, "a sender is a limit, not a second person")
}
