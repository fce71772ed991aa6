package node_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
)

// TestCorrectAlert tells how wrong words are put right: in one request, for the same
// people, and without a second person.
func TestCorrectAlert(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	people := d.staff()
	here, there := d.estate("corrected"), d.estate("left-alone")
	fleet := d.fleet(append(d.enrol("screen", here.Block, 2), d.enrol("screen", there.Block, 1)...)...)
	admin, duty, second := d.client(0), d.clientWith(0, people.duty), d.clientWith(0, people.second)
	require.NoError(t, admin.PutScenario(d.ctx(), prepared("fire", "place under "+here.Path)))
	d.strict(1)
	words := func(s string) wire.CorrectAlert {
		return wire.CorrectAlert{Texts: []wire.CorrectText{{Headline: &s}}, Reason: "wrong block"}
	}

	sent, err := duty.SendAlert(d.ctx(), press("fire", "i-1"), "")
	require.NoError(t, err)
	require.Equal(t, wire.StatePending, sent.State)
	_, err = second.ApproveAlert(d.ctx(), sent.Alert, wire.Approve{}, "")
	require.NoError(t, err)
	fleet.proven(revisionOf(sent), 2)

	// A dry run says whom it would reach, and changes nothing.
	try := wire.CorrectAlert{Blanks: map[string]string{"where": "block 2"}, DryRun: true}
	would, err := duty.CorrectAlert(d.ctx(), sent.Alert, try, "")
	require.NoError(t, err)
	require.True(t, would.DryRun)
	require.Equal(t, "Fire at block 1", d.show(0, sent.Alert).Headline)

	// Another text in the scenario's blank.
	try.DryRun = false
	out, err := duty.CorrectAlert(d.ctx(), sent.Alert, try, "committed")
	require.NoError(t, err)
	require.Equal(t, []any{wire.StateInForce, sent.Alert, uint64(2)}, []any{out.State, out.Alert, out.Addressed.Total}, "it waits for nobody")
	require.Greater(t, out.Revision, sent.Revision)
	fleet.proven(revisionOf(out), 2)
	shown := d.show(0, sent.Alert)
	require.Equal(t, "Fire at block 2", shown.Headline)
	require.WithinDuration(t, d.show(0, sent.Alert).Expires, time.Now().Add(30*time.Minute), time.Minute)

	// Other words, after that.
	again, err := duty.CorrectAlert(d.ctx(), sent.Alert, words("Fire at blocks 2 and 3"), "committed")
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, again.State)
	fleet.proven(revisionOf(again), 2)
	require.Equal(t, "Fire at blocks 2 and 3", d.show(0, sent.Alert).Headline)
	for range 5 { // however quickly one follows the other
		quick, err := duty.CorrectAlert(d.ctx(), sent.Alert, words("Fire at blocks 2 and 3"), "")
		require.NoError(t, err)
		require.Equal(t, wire.StateInForce, quick.State)
		require.Greater(t, quick.Revision, again.Revision)
		again = quick
	}

	own, err := duty.SendAlert(d.ctx(), press("fire", "i-own"), "")
	require.NoError(t, err)
	_, err = second.ApproveAlert(d.ctx(), own.Alert, wire.Approve{}, "")
	require.NoError(t, err)

	// Who has not written it needs what a new alert needs.
	other := d.clientWith(0, d.user(wire.AddUser{Name: "other", Roles: []string{authority.RoleComposer}}))
	foreign, err := other.CorrectAlert(d.ctx(), sent.Alert, words("Stay where you are"), "")
	require.NoError(t, err)
	require.Equal(t, wire.StatePending, foreign.State)
	require.Equal(t, "Fire at blocks 2 and 3", d.show(0, sent.Alert).Headline)

	// Whom the district has named for it puts it right at once, and can do nothing else.
	night := d.clientWith(0, d.user(wire.AddUser{Name: "night", Roles: []string{authority.RoleCorrector}}))
	mended, err := night.CorrectAlert(d.ctx(), sent.Alert, words("Fire at blocks 2 to 4"), "committed")
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, mended.State)
	require.Equal(t, "Fire at blocks 2 to 4", d.show(0, sent.Alert).Headline)
	for _, end := range []time.Duration{time.Minute, 4 * time.Hour} { // but ends and prolongs nothing
		other := words("Fire at blocks 2 to 5")
		other.Expires = time.Now().Add(end)
		p := d.said(night.CorrectAlert(d.ctx(), sent.Alert, other, ""))
		require.Equal(t, wire.KindForbidden, p.Kind)
		require.Contains(t, p.Sentence, "until the same end")
	}
	elsewhere := d.clientWith(0, d.user(wire.AddUser{Name: "elsewhere", Roles: []string{authority.RoleCorrector}, Places: []string{there.Path}}))
	require.Contains(t, d.said(elsewhere.CorrectAlert(d.ctx(), sent.Alert, words("x"), "")).Sentence, "2 members outside")
	require.Equal(t, wire.KindForbidden, d.said(night.SendAlert(d.ctx(), press("fire", "i-2"), "")).Kind)

	// The author of what stands moves its end.
	ends := wire.CorrectAlert{Expires: time.Now().Add(20 * time.Minute).Truncate(time.Second)}
	require.Equal(t, wire.KindForbidden, d.said(night.CorrectAlert(d.ctx(), own.Alert, ends, "")).Kind)
	moved, err := duty.CorrectAlert(d.ctx(), own.Alert, ends, "")
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, moved.State)
	require.True(t, d.show(0, own.Alert).Expires.Equal(ends.Expires))
	d.cancelled(own)

	// What is over is corrected no more, and what is not there is said.
	d.cancelled(sent)
	require.Contains(t, d.said(duty.CorrectAlert(d.ctx(), sent.Alert, words("x"), "")).Sentence, "the alert is cancelled, so no device shows it")
	p := d.said(duty.CorrectAlert(d.ctx(), "abcdefghijklmnopqrstuvwxyz", words("x"), ""))
	require.Equal(t, wire.KindNotFound, p.Kind)
	require.Equal(t, 0, fleet.starts(revisionOf(again))[2], "nobody else was warned")
	require.Contains(t, d.said(duty.CorrectAlert(d.ctx(), sent.Alert, wire.CorrectAlert{}, "")).Sentence, "says nothing new")
}
