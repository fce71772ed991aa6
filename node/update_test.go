package node_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/looks"
)

// An update says what changes, and keeps the rest: words, loudness, whom it is for, when it ends.
// The policy is asked as of a new alert, and what stands is shown until that is done.
func TestUpdateAlert_KeepsWhatIsNotGiven(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	people := d.staff()
	here, there := d.estate("updated"), d.estate("beside")
	fleet := d.fleet(append(d.enrol("screen", here.Block, 2), d.enrol("screen", there.Block, 1)...)...)
	d.strict(1)
	duty, second := d.clientWith(0, people.duty), d.clientWith(0, people.second)
	quiet := byJSON("Rain", "place under "+here.Path)
	quiet.Alert = bytes.ReplaceAll(quiet.Alert, []byte("Extreme"), []byte("Minor"))
	sent, err := duty.SendAlert(d.ctx(), quiet, "committed")
	require.NoError(t, err)
	require.Equal(t, wire.EffectWarns, sent.Effect)
	fleet.proven(revisionOf(sent), 2)
	before := d.show(0, sent.Alert)

	changed := func(in wire.UpdateAlert) wire.Outcome {
		out, err := duty.UpdateAlert(d.ctx(), sent.Alert, in, "committed")
		require.NoError(t, err)
		return out
	}
	headline := "Rain, and more of it"
	words := changed(wire.UpdateAlert{Texts: []wire.CorrectText{{Headline: &headline}}})
	require.Equal(t, wire.EffectWarns, words.Effect, "a correction waits for nobody")
	fleet.proven(revisionOf(words), 2)

	loud := changed(wire.UpdateAlert{Severity: "Extreme", Reason: "it gets worse"})
	require.Equal(t, wire.EffectWaits, loud.Effect)
	require.Contains(t, loud.Approvals.Why.Sentence, "its severity is Extreme")
	require.Equal(t, headline, d.show(0, sent.Alert).Headline, "what stands is shown until then")
	_, err = second.ApproveAlert(d.ctx(), loud.Alert, wire.Approve{}, "committed")
	require.NoError(t, err)
	fleet.proven(device.Revision{Alert: sent.Alert, Revision: loud.Revision}, 2)
	now := d.show(0, sent.Alert)
	text := now.Messages[len(now.Messages)-1].Texts[0]
	require.Equal(t, []string{headline, "Extreme", "Immediate", "Observed", before.Select}, []string{text.Headline, text.Severity, text.Urgency, text.Certainty, now.Select})
	require.Equal(t, []string{"Met"}, text.Category)
	require.True(t, before.Expires.Equal(now.Expires))

	would := changed(wire.UpdateAlert{Select: "place under " + there.Path, DryRun: true})
	require.Equal(t, []any{true, wire.EffectWaits, uint64(1)}, []any{would.DryRun, would.Effect, would.Addressed.Total})
	require.Equal(t, []uint64{1, 2}, []uint64{would.Added.Total, would.Ended.Total}, "who hears of it for the first time, and for whom it is over")
	would.Look.Speech = nil // depends on the machine
	require.Equal(t, looks.Look{Tier: "emergency", Sound: "siren", Confirm: "person"}, *would.Look)
	wider := changed(wire.UpdateAlert{Select: "place under " + here.Path + " or place under " + there.Path, DryRun: true})
	require.Equal(t, []uint64{1, 0}, []uint64{wider.Added.Total, wider.Ended.Total})
	nobody := changed(wire.UpdateAlert{Select: "all", Areas: []wire.UpdateAreas{{Area: []wire.CAPArea{{AreaDesc: "the sea", Circle: []string{"0,0 1"}}}}}, DryRun: true})
	require.Equal(t, []uint64{0, 0, 2}, []uint64{nobody.Addressed.Total, nobody.Added.Total, nobody.Ended.Total})
	moved := changed(wire.UpdateAlert{Select: "place under " + there.Path, Areas: []wire.UpdateAreas{{Area: []wire.CAPArea{{AreaDesc: "Beside"}}}}})
	_, err = second.ApproveAlert(d.ctx(), moved.Alert, wire.Approve{}, "committed")
	require.NoError(t, err)
	now = d.show(0, sent.Alert)
	require.Equal(t, "place under "+there.Path, now.Select)
	require.Equal(t, []string{"Beside"}, now.Messages[len(now.Messages)-1].Texts[0].Areas)

	for _, c := range []struct {
		in   wire.UpdateAlert
		kind wire.Kind
		says string
	}{
		{wire.UpdateAlert{Reason: "nothing"}, wire.KindMalformed, "says nothing new"},
		{wire.UpdateAlert{Severity: "Dreadful"}, wire.KindRefused, "severity"},
		{wire.UpdateAlert{Select: "kind = siren"}, wire.KindRefused, "selects nobody"},
		{wire.UpdateAlert{Select: "kind ="}, wire.KindMalformed, "cannot be read"},
		{wire.UpdateAlert{Areas: []wire.UpdateAreas{{Language: "fr", Area: []wire.CAPArea{{AreaDesc: "x"}}}}}, wire.KindRefused, "give them for every language"},
		{wire.UpdateAlert{Areas: []wire.UpdateAreas{{Area: []wire.CAPArea{{AreaDesc: "x", Polygon: []string{"1,1 2,2"}}}}}}, wire.KindRefused, "polygon"},
	} {
		p := problemOf(d, nil, func() error { _, err := duty.UpdateAlert(d.ctx(), sent.Alert, c.in, ""); return err }())
		require.Equal(t, c.kind, p.Kind, p.Sentence)
		require.Contains(t, p.Sentence, c.says)
	}
	night := d.clientWith(0, d.user(wire.AddUser{Name: "night", Roles: []string{authority.RoleCorrector}}))
	_, err = night.UpdateAlert(d.ctx(), sent.Alert, wire.UpdateAlert{Severity: "Minor"}, "")
	require.Equal(t, wire.KindForbidden, problemOf(d, nil, err).Kind, "a corrector corrects")
}
