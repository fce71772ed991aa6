package node_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
)

// TestNewest_StandsHoweverSoonItComes sends one thing after another within a second, which
// CAP's times cannot tell apart: what was sent last is what screens show.
func TestNewest_StandsHoweverSoonItComes(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("quick")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	require.NoError(t, d.client(0).PutScenario(d.ctx(), prepared("fire", "place under "+here.Path)))
	feed := d.clientWith(0, d.user(wire.AddUser{Name: "feed", Roles: []string{authority.RoleComposer}, Senders: []string{observatory}, System: true}))
	says := func(where string) wire.SendAlert {
		in := press("fire", "i-1")
		in.Blanks = map[string]string{"where": where}
		return in
	}

	t.Run("a scenario pressed for one incident", func(t *testing.T) {
		d := d.in(t)
		var last wire.Outcome
		for i := range 12 {
			out, err := d.client(0).SendAlert(d.ctx(), says(fmt.Sprint("block ", i)), "local")
			require.NoError(t, err)
			require.Equal(t, wire.StateInForce, out.State, "press %d", i)
			require.Equal(t, fmt.Sprint("Fire at block ", i), d.show(0, out.Alert).Headline)
			last = out
		}
		fleet.d = d
		fleet.proven(revisionOf(last), 1)

		// Words that others have replaced are said again, words that stand are not.
		back, err := d.client(0).SendAlert(d.ctx(), says("block 0"), "local")
		require.NoError(t, err)
		require.False(t, back.Duplicate)
		require.Equal(t, wire.StateInForce, back.State)
		again, err := d.client(0).SendAlert(d.ctx(), says("block 0"), "local")
		require.NoError(t, err)
		require.True(t, again.Duplicate)
		require.Equal(t, back.Revision, again.Revision)
	})
	t.Run("several who press at the same moment", func(t *testing.T) {
		d := d.in(t)
		outs := make([]wire.Outcome, 6)
		var pressed sync.WaitGroup
		for i := range outs {
			in := says(fmt.Sprint("tower ", i))
			in.Incident = "i-2"
			pressed.Go(func() { outs[i], _ = d.client(0).SendAlert(d.t.Context(), in, "local") })
		}
		pressed.Wait()
		revisions := map[uint64]bool{}
		for _, out := range outs { // each stood when it was answered, or stands behind one that came after
			if out.Alert != "" {
				require.Contains(t, []wire.State{wire.StateInForce, wire.StateSuperseded}, out.State)
				require.False(t, revisions[out.Revision/1000], "two of one second")
				revisions[out.Revision/1000] = true
			}
		}
		require.NotEmpty(t, revisions)
	})
	t.Run("more often than times can say", func(t *testing.T) {
		d := d.in(t)
		var err error
		for i := 0; err == nil && i < 1000; i++ {
			in := says(fmt.Sprint("floor ", i))
			in.Incident = "i-3"
			var out wire.Outcome
			if out, err = d.client(0).SendAlert(d.ctx(), in, "local"); err == nil {
				require.Equal(t, wire.StateInForce, out.State, "press %d", i)
			}
		}
		p := problemOf(d, nil, err)
		require.Equal(t, wire.KindBusy, p.Kind)
		require.Contains(t, p.Sentence, "ahead of this node's clock")
		require.NotZero(t, p.RetryAfter)
	})
	t.Run("an Update in the JSON form", func(t *testing.T) {
		d := d.in(t)
		first, err := d.client(0).SendAlert(d.ctx(), byJSON("one", "place under "+here.Path), "local")
		require.NoError(t, err)
		for i := range 12 {
			in := byJSON(fmt.Sprint("update ", i), "place under "+here.Path)
			in.Alert = with(in.Alert, map[string]any{"msgType": "Update", "references": first.Key})
			out, err := d.client(0).SendAlert(d.ctx(), in, "local")
			require.NoError(t, err)
			require.Equal(t, []any{first.Alert, wire.StateInForce}, []any{out.Alert, out.State}, "update %d", i)
			require.Equal(t, fmt.Sprint("update ", i), d.show(0, out.Alert).Headline)
		}
	})
	t.Run("two Updates of a central system in one second", func(t *testing.T) {
		d := d.in(t)
		stood, refused := 0, 0
		for i := range 8 {
			first := warning(fmt.Sprint("rain-", i), polygon(here.Area))
			out, err := feed.TakeCAP(d.ctx(), first.xml(), "", "local")
			require.NoError(t, err)
			one, two := first.update("one"), first.update("two")
			two.Identifier += "-2"
			_, err = feed.TakeCAP(d.ctx(), one.xml(), "", "local")
			require.NoError(t, err)
			got, err := feed.TakeCAP(d.ctx(), two.xml(), "", "local")
			if err == nil {
				stood++
				require.Equal(t, wire.StateInForce, got.State)
				require.Contains(t, d.show(0, out.Alert).Headline, "two")
				continue
			}
			refused++
			p := d.said(got, err)
			require.Equal(t, []string{wire.KindConflict, out.Alert}, []string{p.Kind, p.Alert})
			require.Contains(t, p.Sentence, "of the same second")
			two.Identifier, two.Sent = two.Identifier+"-later", two.Sent.Add(time.Second)
			got, err = feed.TakeCAP(d.ctx(), two.xml(), "", "local")
			require.NoError(t, err)
			require.Equal(t, wire.StateInForce, got.State)
			d.cancelled(out)
		}
		require.NotZero(t, stood, "of sixteen names some come after the others")
		require.NotZero(t, refused)
	})
	t.Run("what a central system sent earlier and comes later is on record", func(t *testing.T) {
		d := d.in(t)
		first := warning("order", polygon(here.Area))
		_, err := feed.TakeCAP(d.ctx(), first.xml(), "", "local")
		require.NoError(t, err)
		late, next := first.update("late"), first.update("next")
		next.Identifier, next.Sent = "next", next.Sent.Add(5*time.Second)
		_, err = feed.TakeCAP(d.ctx(), next.xml(), "", "local")
		require.NoError(t, err)
		out, err := feed.TakeCAP(d.ctx(), late.xml(), "", "local")
		require.NoError(t, err)
		require.Equal(t, wire.StateSuperseded, out.State)
	})
}

// with sets fields of an alert in the JSON form.
func with(raw json.RawMessage, fields map[string]any) json.RawMessage {
	form := map[string]any{}
	_ = json.Unmarshal(raw, &form) // these tests wrote it
	for name, value := range fields {
		form[name] = value
	}
	out, _ := json.Marshal(form)
	return out
}
