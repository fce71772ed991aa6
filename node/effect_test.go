package node_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
)

// TestEffect_SaysWhetherAnybodyIsWarned holds every answer to a message to what it does to
// people: typed words that are over when they come are refused, and what a central system
// brings too late is on record and says that nobody is warned.
func TestEffect_SaysWhetherAnybodyIsWarned(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	people := d.staff()
	here := d.estate("effects")
	d.enrol("screen", here.Block, 1)
	admin, duty, feed := d.client(0), d.clientWith(0, people.duty), d.clientWith(0, people.feed)
	typed := func(expires time.Time) wire.SendAlert {
		in := byJSON("typed", "place under "+here.Path)
		var form struct {
			Info []map[string]any `json:"info"`
		}
		require.NoError(t, json.Unmarshal(in.Alert, &form))
		form.Info[0]["expires"] = capTime(expires.In(hongKong))
		in.Alert = with(in.Alert, map[string]any{"info": form.Info})
		return in
	}
	effect := func(out wire.Outcome, err error) wire.Effect {
		t.Helper()
		require.NoError(t, err)
		return out.Effect
	}
	posted := func(b bulletin) wire.Effect { t.Helper(); return effect(feed.TakeCAP(d.ctx(), b.xml(), "", "local")) }

	now := time.Now()
	for _, over := range []time.Time{now.Add(-5 * time.Minute), now, now.Add(-40 * 24 * time.Hour)} {
		for _, c := range []func() (wire.Outcome, error){
			func() (wire.Outcome, error) { return duty.SendAlert(d.ctx(), typed(over), "local") },
			func() (wire.Outcome, error) { return duty.PreviewAlert(d.ctx(), typed(over)) },
		} {
			p := d.said(c())
			require.Equal(t, wire.KindRefused, p.Kind)
			require.Regexp(t, `^nothing was sent: expired: its end, .*, has passed, so it would warn nobody$`, p.Sentence)
		}
	}
	fixed := prepared("fixed", "place under "+here.Path) // its end is written into it
	var form struct {
		Info []map[string]any `json:"info"`
	}
	require.NoError(t, json.Unmarshal(fixed.Alert, &form))
	form.Info[0]["expires"] = capTime(now.Add(-time.Hour).In(hongKong))
	fixed.Alert = with(fixed.Alert, map[string]any{"info": form.Info})
	require.Contains(t, problemOf(d, nil, admin.PutScenario(d.ctx(), fixed)).Sentence, "the scenario cannot be sent as it is: expired: its end, ")

	sent, err := duty.SendAlert(d.ctx(), typed(now.Add(time.Hour)), "local")
	require.Equal(t, wire.EffectWarns, effect(sent, err))
	over := warning("over", polygon(here.Area))
	over.Sent, over.Expires = now.Add(-2*time.Hour), now.Add(-time.Hour)
	require.Equal(t, wire.EffectNone, posted(over))
	require.Equal(t, wire.EffectNone, posted(over), "a repeat says the same")
	require.Equal(t, wire.EffectNone, effect(feed.PreviewCAP(d.ctx(), over.xml(), "")))
	later := warning("later", polygon(here.Area))
	later.Effective = now.Add(time.Minute).Truncate(time.Second)
	require.Equal(t, wire.EffectLater, posted(later))
	for _, status := range []string{"Draft", "System"} {
		kept := warning("kept-"+status, polygon(here.Area))
		kept.Status = status
		require.Equal(t, wire.EffectKept, posted(kept))
	}
	drill := warning("drill", polygon(here.Area))
	drill.Status = "Exercise"
	require.Equal(t, wire.EffectWarns, posted(drill))

	rain := warning("rain", polygon(here.Area))
	rain.Sent = rain.Sent.Add(-10 * time.Minute)
	require.Equal(t, wire.EffectWarns, posted(rain))
	next := rain.update("next")
	next.Sent = next.Sent.Add(time.Minute)
	require.Equal(t, wire.EffectWarns, posted(next))
	late := rain.update("late")
	late.Identifier = "late"
	require.Equal(t, wire.EffectNone, posted(late), "a newer one stands")
	wrong := rain.cancel()
	wrong.Identifier, wrong.Status = "wrong", "Exercise"
	require.Equal(t, wire.EffectNone, posted(wrong), "a drill ends nothing real")
	require.Equal(t, wire.EffectEnds, posted(rain.cancel()))
	require.Equal(t, wire.EffectEnds, effect(duty.CancelAlert(d.ctx(), sent.Alert, wire.CancelAlert{}, "local")))
	after := rain.update("after")
	after.Identifier, after.Sent = "after", after.Sent.Add(2*time.Minute)
	require.Equal(t, wire.EffectNone, posted(after), "cancelled is for ever")

	require.NoError(t, admin.PutPolicy(d.ctx(), wire.Policy{Rules: []wire.PolicyRule{{Severity: "Severe", Approvals: 1}}}))
	waits, err := duty.SendAlert(d.ctx(), typed(now.Add(time.Hour)), "local")
	require.Equal(t, wire.EffectWaits, effect(waits, err))
	person := d.clientWith(0, d.user(wire.AddUser{Name: "clerk", Roles: []string{authority.RoleComposer}}))
	over.Sender, over.Identifier = "clerk@example.hk", "over-by-hand"
	lapsed, err := person.TakeCAP(d.ctx(), over.xml(), "", "local")
	require.Equal(t, wire.EffectNone, effect(lapsed, err))
	require.Nil(t, lapsed.Approvals, "nobody can approve what is over")
	approved, err := d.clientWith(0, people.second).ApproveAlert(d.ctx(), waits.Alert, wire.Approve{}, "local")
	require.Equal(t, wire.EffectWarns, effect(approved, err))
}

// TestCorrectAlert_TakesNoWordsAway refuses a text that is empty, as a variable is that
// somebody forgot to set: nobody takes the headline off every screen by that.
func TestCorrectAlert_TakesNoWordsAway(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("words")
	d.enrol("screen", here.Block, 1)
	c := d.client(0)
	sent, err := c.SendAlert(d.ctx(), byJSON("Go upstairs", "place under "+here.Path), "local")
	require.NoError(t, err)
	for _, text := range []string{"", " \t", "\n", "\u200b", "　"} {
		for what, words := range map[string]wire.CorrectText{
			"headline": {Headline: &text}, "description": {Description: &text}, "instruction": {Instruction: &text},
		} {
			p := d.said(c.CorrectAlert(d.ctx(), sent.Alert, wire.CorrectAlert{Texts: []wire.CorrectText{words}}, "local"))
			require.Equal(t, wire.KindRefused, p.Kind)
			require.Contains(t, p.Sentence, "nothing was sent: the "+what+" is empty")
		}
	}
	bad := "Up\x01stairs"
	p := d.said(c.CorrectAlert(d.ctx(), sent.Alert, wire.CorrectAlert{Texts: []wire.CorrectText{{Headline: &bad}}}, "local"))
	require.Contains(t, []string{wire.KindRefused, wire.KindMalformed}, p.Kind)
	require.Equal(t, "Go upstairs", d.show(0, sent.Alert).Headline)

	// What devices leave out of a text is said, as it is when a new alert is sent.
	marked := "Go <b>upstairs</b>\u202e now"
	in := byJSON(marked, "place under "+here.Path)
	out, err := c.SendAlert(d.ctx(), in, "local")
	require.NoError(t, err)
	mended, err := c.CorrectAlert(d.ctx(), sent.Alert, wire.CorrectAlert{Texts: []wire.CorrectText{{Headline: &marked}}}, "local")
	require.NoError(t, err)
	require.NotEmpty(t, out.Warnings)
	for _, warning := range out.Warnings {
		require.Contains(t, mended.Warnings, warning)
	}

	// Words that nobody can see are a slip in a new alert and in a scenario, too.
	for _, text := range []string{"  ", "\u200b", "<b> </b>"} {
		p := d.said(c.SendAlert(d.ctx(), byJSON(text, "place under "+here.Path), "local"))
		require.Equal(t, wire.KindRefused, p.Kind)
		require.Contains(t, p.Sentence, "nothing was sent: text-empty: info 1: the headline is empty")
		s := prepared("empty", "place under "+here.Path)
		s.Alert = []byte(strings.Replace(string(s.Alert), "Fire at {{where}}", strings.ReplaceAll(text, `"`, `\"`), 1))
		require.Contains(t, problemOf(d, nil, c.PutScenario(d.ctx(), s)).Sentence, "the headline is empty")
		s = prepared("blank", "place under "+here.Path)
		require.NoError(t, c.PutScenario(d.ctx(), s))
		in := press("blank", "")
		in.Blanks["where"] = text
		require.Contains(t, d.said(c.SendAlert(d.ctx(), in, "local")).Sentence, `the text for the blank "where" is empty`)
	}
}
