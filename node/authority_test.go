package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/authority"
	"almenara/node/client"
	"almenara/node/wire"
)

// staff are the people of these stories, by token.
type staff struct{ duty, second, third, feed string }

func (d *district) staff() staff {
	d.t.Helper()
	hire := func(name string, roles ...string) string { return d.user(wire.AddUser{Name: name, Roles: roles}) }
	return staff{
		duty: hire("duty", authority.RoleComposer, authority.RoleApprover), second: hire("second", authority.RoleApprover), third: hire("third", authority.RoleApprover),
		feed: d.user(wire.AddUser{Name: "feed", Roles: []string{authority.RoleComposer}, Senders: []string{observatory}, System: true}),
	}
}

// prepared is a scenario with one blank.
func prepared(id, selection string) wire.Scenario {
	body := map[string]any{"info": []map[string]any{{
		"language": "en", "category": []string{"Fire"}, "event": "Fire " + id, "urgency": "Immediate", "severity": "Severe",
		"certainty": "Observed", "headline": "Fire at {{where}}", "instruction": "Leave {{where}} now.",
		"area": []map[string]any{{"areaDesc": "Estate"}},
	}}}
	raw, _ := json.Marshal(body) // maps of strings always encode
	return wire.Scenario{ID: id, Title: "Fire", Alert: raw, Select: selection, Minutes: 30}
}

func press(scenario, incident string) wire.SendAlert {
	return wire.SendAlert{Scenario: scenario, Blanks: map[string]string{"where": "block 1"}, Incident: incident, Reason: "seen by the warden"}
}

// said is the problem of what must be refused.
func (d *district) said(out wire.Outcome, err error) *wire.Problem {
	d.t.Helper()
	p := problemOf(d, out, err)
	require.NotContains(d.t, p.Sentence, "\n")
	return p
}

// TestAuthority tells who may warn how, with quorum and alone.
func TestAuthority(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	people := d.staff()
	here, there := d.estate("licensed"), d.estate("elsewhere")
	fleet := d.fleet(append(d.enrol("screen", here.Block, 2), d.enrol("screen", there.Block, 1)...)...)
	for _, story := range []struct {
		name string
		tell func(*district)
	}{
		{"sends a scenario with its blanks filled in", func(d *district) { sendsScenario(d, people, fleet, here) }},
		{"presses one incident once and flags another", func(d *district) { pressesOnce(d, people, here) }},
		{"waits for approvals", func(d *district) { waitsForApprovals(d, people, fleet, here) }},
		{"keeps people to their places", func(d *district) { keepsToPlaces(d, here, there) }},
		{"warns alone under a licence only", func(d *district) { warnsUnderLicence(d, people, fleet, here, there) }},
		{"makes one alert of what two isolated nodes pressed", func(d *district) { meetsAgain(d, people, fleet, here, there) }},
	} {
		t.Run(story.name, func(t *testing.T) {
			in := d.in(t)
			fleet.d = in
			story.tell(in)
		})
	}
	t.Run("is the same on every node", func(t *testing.T) { d.in(t).sameEverywhere() })
}

func sendsScenario(d *district, people staff, fleet *fleet, here estate) {
	admin, duty := d.client(0), d.clientWith(1, people.duty)
	s := prepared("fire", "place under "+here.Path)
	s.UsualMin, s.UsualMax = 5, 9
	require.NoError(d.t, admin.PutScenario(d.ctx(), s))
	d.eventually("scenario known", func() bool {
		got, err := duty.ShowScenario(d.ctx(), "fire")
		return err == nil && len(got.Blanks) == 1 && got.Blanks[0] == "where"
	})
	for why, in := range map[string]wire.SendAlert{
		`needs the blank "where"`: {Scenario: "fire"},
		`has no blank "when"`:     {Scenario: "fire", Blanks: map[string]string{"where": "x", "when": "y"}},
		"is empty":                {Scenario: "fire", Blanks: map[string]string{"where": " "}},
		"no scenario":             {Scenario: "flood"},
		"selects nobody":          {Scenario: "fire", Blanks: map[string]string{"where": "x"}, Select: "kind = phone"},
	} {
		require.Contains(d.t, d.said(duty.SendAlert(d.ctx(), in, "")).Sentence, why)
	}
	out, err := duty.SendAlert(d.ctx(), press("fire", ""), "committed")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateInForce, out.State)
	require.EqualValues(d.t, 2, out.Addressed.Total)
	require.Contains(d.t, out.Warnings.Texts(), "the scenario Fire usually addresses 5 to 9 members, and now 2")
	fleet.proven(revisionOf(out), 2)
	shown := d.show(0, out.Alert)
	require.Equal(d.t, "Fire at block 1", shown.Headline)
	require.Equal(d.t, "fire", shown.Scenario)
	d.audited("alert adopted", out.Alert, "scenario fire")
	d.cancelled(out)

	for why, bad := range map[string]wire.Scenario{
		"without references": func() wire.Scenario {
			s := prepared("bad", "")
			s.Alert = []byte(`{"msgType":"Cancel","references":"a,b,2026-07-20T17:40:00+08:00"}`)
			return s
		}(),
		"no blank":              func() wire.Scenario { s := prepared("bad", ""); s.Alert = []byte(`{"note":"{{a b}}"}`); return s }(),
		"selection cannot":      prepared("bad", "place under"),
		"must be an object":     func() wire.Scenario { s := prepared("bad", ""); s.Alert = []byte(`[1]`); return s }(),
		"in minutes how long":   func() wire.Scenario { s := prepared("bad", ""); s.Minutes = 0; return s }(),
		"holds 44640 minutes":   func() wire.Scenario { s := prepared("bad", ""); s.Minutes = 50_000; return s }(),
		"scenario id \"a b\"":   prepared("a b", ""),
		"stands for all scenar": prepared("*", ""),
	} {
		p := problemOf(d, bad, admin.PutScenario(d.ctx(), bad))
		require.Contains(d.t, p.Sentence, why)
	}
}

// cancelled cancels an alert, which never needs anybody else.
func (d *district) cancelled(o wire.Outcome) {
	d.t.Helper()
	over, err := d.client(d.live()[0]).CancelAlert(d.ctx(), o.Alert, wire.CancelAlert{Reason: "over"}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateCancelled, over.State)
}

func pressesOnce(d *district, people staff, here estate) {
	duty := d.clientWith(1, people.duty)
	first, err := duty.SendAlert(d.ctx(), press("fire", "i-1"), "committed")
	require.NoError(d.t, err)
	again, err := duty.SendAlert(d.ctx(), press("fire", "i-1"), "")
	require.NoError(d.t, err)
	require.True(d.t, again.Duplicate)
	require.Equal(d.t, first.Alert, again.Alert)
	require.Equal(d.t, first.Revision, again.Revision)
	other, err := duty.SendAlert(d.ctx(), press("fire", "i-2"), "committed")
	require.NoError(d.t, err)
	require.NotEqual(d.t, first.Alert, other.Alert)
	d.everywhere(first.Alert, "flagged", func(a wire.Alert) bool { return len(a.Duplicates) == 1 && a.Duplicates[0] == other.Alert })
	d.cancelled(first)
	d.everywhere(other.Alert, "not flagged any more", func(a wire.Alert) bool { return len(a.Duplicates) == 0 })
	p := d.said(duty.SendAlert(d.ctx(), press("fire", "i-1"), ""))
	require.Equal(d.t, wire.KindConflict, p.Kind)
	require.Contains(d.t, p.Sentence, "give another incident id")
	d.cancelled(other)
}

// strict asks for k approvals of everything severe.
func (d *district) strict(k int) {
	d.t.Helper()
	in := wire.Policy{Rules: []wire.PolicyRule{{Severity: "Severe", Approvals: k}, {Members: 1000, Approvals: 9}, {Scenario: "fire", District: true, Approvals: 9}}}
	require.NoError(d.t, d.client(d.live()[0]).PutPolicy(d.ctx(), in))
	var version uint64
	for _, i := range d.live() {
		d.eventually("policy known", func() bool {
			p, err := d.client(i).ShowPolicy(d.ctx())
			version = p.Version
			return err == nil && len(p.Rules) == 3 && p.Rules[0].Approvals == k
		})
		d.awaitOn(i, func(s wire.Status) bool { return s.PolicyVersion == version })
	}
}

func (d *district) lax() {
	d.t.Helper()
	require.NoError(d.t, d.client(d.live()[0]).PutPolicy(d.ctx(), wire.Policy{}))
	for _, i := range d.live() {
		d.eventually("policy known", func() bool {
			p, err := d.client(i).ShowPolicy(d.ctx())
			return err == nil && len(p.Rules) == 0
		})
	}
}

func waitsForApprovals(d *district, people staff, fleet *fleet, here estate) {
	d.strict(2)
	duty, second := d.clientWith(0, people.duty), d.clientWith(1, people.second)
	out, err := duty.SendAlert(d.ctx(), press("fire", "i-3"), "committed")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StatePending, out.State)
	require.Equal(d.t, 2, out.Approvals.Needed)
	require.Equal(d.t, []wire.ApprovedBy{}, out.Approvals.Given)
	require.Equal(d.t, "its severity is Severe, and the policy asks for 2 approvals from severity Severe on", out.Approvals.Why.Sentence)
	d.everywhere(out.Alert, "pending", func(a wire.Alert) bool {
		return a.State == wire.StatePending && a.Replication == wire.ReplicationCommitted && a.Approvals.Why.Sentence == out.Approvals.Why.Sentence
	})
	fleet.settleAs(d.clientWith(0, people.feed)) // the observatory needs nobody; what came before had its effect
	require.Equal(d.t, []int{0, 0, 0}, fleet.starts(revisionOf(out)), "nobody was warned")
	read, err := second.ShowAlert(d.ctx(), out.Alert)
	require.NoError(d.t, err)
	require.True(d.t, read.Messages[0].Pending)
	texts := read.Messages[0].Texts
	require.Len(d.t, texts, 1, "who approves reads all of what devices will show")
	require.Equal(d.t, []string{"en", "Fire fire", "Fire at block 1", "Leave block 1 now.", "Estate"},
		[]string{texts[0].Language, texts[0].Event, texts[0].Headline, texts[0].Instruction, texts[0].Areas[0]})

	p := d.said(duty.ApproveAlert(d.ctx(), out.Alert, wire.Approve{}, ""))
	require.Equal(d.t, wire.KindForbidden, p.Kind)
	require.Contains(d.t, p.Sentence, "somebody else must approve")
	p = d.said(second.ApproveAlert(d.ctx(), out.Alert, wire.Approve{Digest: "another"}, ""))
	require.Equal(d.t, wire.KindConflict, p.Kind)
	half, err := second.ApproveAlert(d.ctx(), out.Alert, wire.Approve{Digest: d.show(1, out.Alert).Messages[0].Digest}, "committed")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StatePending, half.State)
	require.Equal(d.t, "second", half.Approvals.Given[0].Name)
	again, err := d.clientWith(2, people.second).ApproveAlert(d.ctx(), out.Alert, wire.Approve{}, "")
	require.NoError(d.t, err)
	require.Len(d.t, again.Approvals.Given, 1, "one person counts once")
	whole, err := d.clientWith(2, people.third).ApproveAlert(d.ctx(), out.Alert, wire.Approve{Reason: "heard it too"}, "committed")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateInForce, whole.State)
	fleet.proven(revisionOf(out), 2)
	d.audited("alert approved", "by third", "heard it too")
	d.audited("alert adopted", out.Alert, "needs 2 approvals", "policy")
	p = d.said(second.ApproveAlert(d.ctx(), out.Alert, wire.Approve{}, ""))
	require.Contains(d.t, p.Sentence, "waits for no approval")

	correctsWithoutApproval(d, duty, out, here)
	d.cancelled(out)

	withdrawn, err := duty.SendAlert(d.ctx(), press("fire", "i-4"), "committed")
	require.NoError(d.t, err)
	d.everywhere(withdrawn.Alert, "known", func(wire.Alert) bool { return true })
	d.cancelled(withdrawn)
	d.everywhere(withdrawn.Alert, "cancelled", func(a wire.Alert) bool { return a.State == wire.StateCancelled })
	p = d.said(second.ApproveAlert(d.ctx(), withdrawn.Alert, wire.Approve{}, ""))
	require.Contains(d.t, p.Sentence, "it is cancelled")
	d.lax()
}

// correctsWithoutApproval sends updates of what is in force: one that says no more needs
// nobody, others wait.
func correctsWithoutApproval(d *district, duty *client.Client, out wire.Outcome, here estate) {
	key := d.show(0, out.Alert).Key
	update := func(severity, selection string) wire.SendAlert {
		body := map[string]any{"msgType": "Update", "references": key, "info": []map[string]any{{
			"language": "en", "category": []string{"Fire"}, "event": "Fire", "urgency": "Immediate", "severity": severity, "certainty": "Observed",
			"headline": "it was the other block", "expires": capTime(time.Now().Add(time.Hour).In(hongKong)), "area": []map[string]any{{"areaDesc": "Estate"}},
		}}}
		raw, _ := json.Marshal(body)
		return wire.SendAlert{Alert: raw, Select: selection}
	}
	for _, more := range []wire.SendAlert{update("Extreme", "place under "+here.Path), update("Severe", "kind = screen")} {
		held, err := duty.PreviewAlert(d.ctx(), more)
		require.NoError(d.t, err)
		require.Equal(d.t, wire.StatePending, held.State)
	}
	correction, err := duty.SendAlert(d.ctx(), update("Severe", "place under "+here.Path), "committed")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateInForce, correction.State)
	require.Equal(d.t, out.Alert, correction.Alert)
}

// settleAs is settle by a caller of the policy's choice.
func (f *fleet) settleAs(c *client.Client) {
	f.d.t.Helper()
	in := byJSON("all devices listen", "all")
	out, err := c.SendAlert(f.d.ctx(), in, "")
	require.NoError(f.d.t, err)
	require.Equal(f.d.t, wire.StateInForce, out.State)
	f.proven(revisionOf(out), len(f.Devices()))
	f.d.cancelled(out)
}

func keepsToPlaces(d *district, here, there estate) {
	local := d.user(wire.AddUser{Name: "local", Roles: []string{authority.RoleComposer}, Places: []string{here.Path}})
	c := d.clientWith(0, local)
	p := d.said(c.SendAlert(d.ctx(), byJSON("everybody", "kind = screen"), ""))
	require.Equal(d.t, wire.KindForbidden, p.Kind)
	require.Contains(d.t, p.Sentence, "1 members outside "+here.Path)
	out, err := c.SendAlert(d.ctx(), byJSON("here", "place under "+here.Path), "committed")
	require.NoError(d.t, err)
	d.cancelled(out)
}

func warnsUnderLicence(d *district, people staff, fleet *fleet, here, there estate) {
	admin := d.client(0)
	require.NoError(d.t, admin.PutScenario(d.ctx(), prepared("flood", "kind = screen")))
	grant := func(operator, place string, hold time.Duration, scenarios ...string) wire.Licence {
		l, err := admin.GrantLicence(d.ctx(), wire.Licence{Operator: operator, Scenarios: scenarios, Place: place, Until: time.Now().Add(hold)})
		require.NoError(d.t, err)
		return l
	}
	good := grant("duty", here.Path, 80*24*time.Hour, "fire", "flood")
	_, err := admin.GrantLicence(d.ctx(), wire.Licence{Operator: "duty", Scenarios: []string{"*"}, Place: here.Path, Until: time.Now().Add(91 * 24 * time.Hour)})
	require.ErrorContains(d.t, err, "90 days")
	chief := d.user(wire.AddUser{Name: "chief", Roles: []string{authority.RoleComposer}})
	grant("chief", here.Path, 80*24*time.Hour, "*")
	gone := d.user(wire.AddUser{Name: "gone", Roles: []string{authority.RoleComposer}})
	require.NoError(d.t, admin.RevokeLicence(d.ctx(), grant("gone", here.Path, time.Hour, "fire").ID))
	past := d.user(wire.AddUser{Name: "past", Roles: []string{authority.RoleComposer}})
	ends := time.Now().Add(4 * time.Second)
	grant("past", here.Path, time.Until(ends), "fire")
	inForce, err := d.clientWith(0, people.duty).SendAlert(d.ctx(), press("fire", "i-5"), "committed")
	require.NoError(d.t, err)
	d.strictAbove()
	d.stop(1)
	d.kill(2)
	fleet.await("all roam", func(p device.Progress) bool { return p.Connected == 3 })
	d.awaitOn(0, func(s wire.Status) bool { return s.Alone && !s.AloneSince.IsZero() && s.PolicyAge >= 2 })
	d.saysAlone(0)

	as := func(token string) *client.Client { return d.clientWith(0, token) }
	refused := func(token string, in wire.SendAlert, words ...string) {
		d.t.Helper()
		p := d.said(as(token).SendAlert(d.ctx(), in, ""))
		require.Equal(d.t, wire.KindRefused, p.Kind, p.Sentence)
		for _, w := range append(words, "alone since", "cancels and corrections") {
			require.Contains(d.t, p.Sentence, w)
		}
	}
	free := byJSON("free text", "place under "+here.Path)
	free.Alert, free.Reason = bytes.ReplaceAll(free.Alert, []byte("Extreme"), []byte("Moderate")), "seen"
	refused(people.duty, free, "a licence for free texts", "you may send the scenarios fire, flood in "+here.Path)
	refused(d.token, press("fire", "i-6"), "you have no licence")
	refused(gone, press("fire", "i-6"), "you have no licence")
	refused(people.duty, press("flood", "i-6"), "1 of the members are outside "+here.Path)
	silent := press("fire", "i-6")
	silent.Reason = ""
	refused(people.duty, silent, "a reason is needed")

	fire, err := as(people.duty).SendAlert(d.ctx(), press("fire", "i-6"), "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateInForce, fire.State)
	require.Equal(d.t, good.ID, fire.Licence)
	fleet.proven(revisionOf(fire), 2)
	shown := d.show(0, fire.Alert)
	require.Equal(d.t, good.ID, shown.Licence)
	require.False(d.t, shown.Alone.IsZero())
	word, err := as(chief).SendAlert(d.ctx(), free, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateInForce, word.State)
	correctsWithoutApproval2(d, as(people.duty), fire, here)
	d.cancelled(word)
	d.cancelled(inForce)
	d.cancelled(fire)
	feed := d.feed
	d.feed = people.feed
	require.Equal(d.t, wire.StateInForce, d.post(0, warning("feed-alone", polygon(there.Area)), "", "").State)
	d.feed = feed
	approvesAlone(d, people, fleet, here)

	d.eventually("the licence has run out", func() bool { return time.Now().After(ends) })
	refused(past, press("fire", "i-7"), "you have no licence")

	d.stop(0)
	contact := fmt.Sprintf(`{"last_quorum":%d}`, time.Now().Add(-73*time.Hour).UnixMilli())
	require.NoError(d.t, os.WriteFile(filepath.Join(d.opts[0].Dir, "quorum.contact"), []byte(contact), 0o600))
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Alone && s.PolicyAge > 72*3600 })
	refused(chief, free, "older than 72 hours", "you have no licence")
	refused(people.duty, loud(here), "older than 72 hours")
	old, err := as(people.duty).SendAlert(d.ctx(), press("fire", "i-8"), "")
	require.NoError(d.t, err)
	require.Equal(d.t, good.ID, old.Licence, "named scenarios go on")
	d.cancelled(old)
	d.start(1)
	d.start(2)
	d.await(func(s wire.Status) bool { return s.Ready && !s.Alone && s.PendingFacts == 0 })
	d.audited("alert adopted", fire.Alert, "UNDER LICENCE "+good.ID, "ALONE since", "seen by the warden")
	d.lax()
}

// strictAbove asks for one approval of what is extreme.
func (d *district) strictAbove() {
	d.t.Helper()
	require.NoError(d.t, d.client(0).PutPolicy(d.ctx(), wire.Policy{Rules: []wire.PolicyRule{{Severity: "Extreme", Members: 1, Approvals: 1}}}))
}

// loud needs an approval by that policy.
func loud(here estate) wire.SendAlert {
	in := byJSON("loud", "place under "+here.Path)
	in.Reason = "seen"
	return in
}

// correctsWithoutApproval2 corrects alone, without a licence.
func correctsWithoutApproval2(d *district, duty *client.Client, out wire.Outcome, here estate) {
	raw := fmt.Sprintf(`{"msgType":"Update","references":%q,"info":[{"language":"en","category":["Fire"],"event":"Fire","urgency":"Expected",`+
		`"severity":"Minor","certainty":"Likely","headline":"under control","expires":%q,"area":[{"areaDesc":"Estate"}]}]}`,
		d.show(0, out.Alert).Key, capTime(time.Now().Add(time.Hour).In(hongKong)))
	correction, err := duty.SendAlert(d.ctx(), wire.SendAlert{Alert: []byte(raw), Select: "place under " + here.Path}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateInForce, correction.State)
	require.Empty(d.t, correction.Licence)
}

// approvesAlone collects an approval at the node that is alone.
func approvesAlone(d *district, people staff, fleet *fleet, here estate) {
	held, err := d.clientWith(0, people.duty).SendAlert(d.ctx(), loud(here), "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StatePending, held.State)
	out, err := d.clientWith(0, people.second).ApproveAlert(d.ctx(), held.Alert, wire.Approve{}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateInForce, out.State)
	require.Equal(d.t, wire.ReplicationLocal, out.Replication)
	fleet.proven(revisionOf(held), 2)
	d.cancelled(held)
}

func meetsAgain(d *district, people staff, fleet *fleet, here, there estate) {
	admin := d.client(0)
	for _, e := range []estate{here, there} {
		_, err := admin.GrantLicence(d.ctx(), wire.Licence{Operator: "duty", Scenarios: []string{"flood"}, Place: e.Path, Until: time.Now().Add(time.Hour)})
		require.NoError(d.t, err)
	}
	all, err := admin.ListLicences(d.ctx())
	require.NoError(d.t, err)
	for _, i := range d.live() {
		d.eventually("licences known", func() bool {
			known, err := d.client(i).ListLicences(d.ctx())
			return err == nil && len(known) == len(all)
		})
	}
	alone := func(i int, e estate) wire.Outcome {
		for j := range d.nodes {
			if d.nodes[j] != nil && j != i {
				d.stop(j)
			}
		}
		if d.nodes[i] == nil {
			d.start(i)
		}
		d.awaitOn(i, func(s wire.Status) bool { return s.Alone })
		in := press("flood", "i-9")
		in.Select = "place under " + e.Path
		out, err := d.clientWith(i, people.duty).SendAlert(d.ctx(), in, "")
		require.NoError(d.t, err)
		require.Equal(d.t, wire.StateInForce, out.State)
		return out
	}
	one := alone(0, here)
	fleet.proven(revisionOf(one), 2)
	two := alone(1, there)
	fleet.proven(revisionOf(two), 1)
	require.Equal(d.t, one.Alert, two.Alert, "the same alert before they meet")
	d.start(0)
	d.start(2)
	d.await(func(s wire.Status) bool { return s.Ready && s.PendingFacts == 0 })
	d.everywhere(one.Alert, "one alert of both", func(a wire.Alert) bool {
		return a.State == wire.StateInForce && len(a.Messages) == 2 && a.Addressed.Total == 3 && a.Revision == max(one.Revision, two.Revision)
	})
	fleet.proven(device.Revision{Alert: one.Alert, Revision: max(one.Revision, two.Revision)}, 3)
	d.cancelled(one)
	d.everywhere(one.Alert, "cancelled", func(a wire.Alert) bool { return a.State == wire.StateCancelled })
}
