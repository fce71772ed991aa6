package intake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/rights"
)

// What a scenario asks for is not got around by changing what waits for it: neither with its blanks nor with other words.
func TestUpdate_OfWhatWaitsForWhatItsScenarioAsksFor(t *testing.T) {
	t.Parallel()
	by := authority.Caller{Name: "amy", Roles: composer}
	for name, policy := range map[string]rights.Policy{
		"the scenario asks": {},
		"the policy asks":   {Rules: []rights.PolicyRule{{Scenario: "rain", Approvals: 2}}},
	} {
		s := rights.Scenario{ID: "rain", Select: `place under "d/here"`, Lifetime: time.Hour.Milliseconds(), Alert: []byte(`{"info":[{"language":"en","category":["Met"],"event":"Rain","urgency":"Immediate","severity":"Severe","certainty":"Observed","headline":"Rain {{where}}"}]}`)}
		if len(policy.Rules) == 0 {
			s.Approvals = 2
		}
		now := noon
		c := courtAt(t, func() time.Time { return now }, policy)
		require.NoError(t, c.Intake.store.Update(func(txn *storage.Txn) error { return rights.Scenarios.Put(txn, s) }))
		sent, err := c.SendAlert(t.Context(), by, wire.SendAlert{Scenario: "rain", Blanks: map[string]string{"where": "here"}}, wire.WaitLocal)
		require.NoError(t, err, name)
		require.Equal(t, wire.StatePending, sent.State, name)
		for what, change := range map[string]wire.UpdateAlert{
			"words":  {Texts: []wire.CorrectText{{Language: "en", Headline: new("Leave now")}}},
			"end":    {Expires: noon.Add(2 * time.Hour)},
			"fewer":  {Select: "id = d-here1"},
			"blanks": {Blanks: map[string]string{"where": "there"}},
		} {
			change.DryRun = true
			out, err := c.UpdateAlert(t.Context(), by, sent.Alert, change, wire.WaitLocal)
			require.NoError(t, err, "%s: %s", name, what)
			require.Equal(t, wire.StatePending, out.State, "%s: %s", name, what)
			require.Equal(t, 2, out.Approvals.Needed, "%s: %s", name, what)
		}
		again, err := c.UpdateAlert(t.Context(), by, sent.Alert, wire.UpdateAlert{Texts: []wire.CorrectText{{Language: "en", Headline: new("Leave now")}}}, wire.WaitLocal)
		require.NoError(t, err)
		require.Equal(t, wire.StatePending, again.State)
		require.Empty(t, c.book.At(noon).InForce)

		waits := c.stories.OnBook(alert.ID(again.Alert)).Latest().Entry
		for _, who := range []string{"bob", "cleo"} {
			c.book.Approve(board.Approval{Fact: waits.Fact, Digest: waits.Digest, By: who, At: noon, Expires: noon.Add(time.Hour)})
		}
		now = now.Add(time.Minute)
		require.Len(t, c.book.At(now).InForce, 1, "%s: two persons stand by the change", name)
		out, err := c.UpdateAlert(t.Context(), by, sent.Alert, wire.UpdateAlert{DryRun: true, Texts: []wire.CorrectText{{Language: "en", Headline: new("Leave by the stairs")}}}, wire.WaitLocal)
		require.NoError(t, err)
		require.Equal(t, wire.StateInForce, out.State, "%s: a correction of what is in force needs nobody", name)
		out, err = c.UpdateAlert(t.Context(), by, sent.Alert, wire.UpdateAlert{DryRun: true, Select: "all"}, wire.WaitLocal)
		require.NoError(t, err)
		require.Equal(t, 2, out.Approvals.Needed, "%s: to more people it does", name)
	}
}
