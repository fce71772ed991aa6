package cli

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/command"
	"almenara/node/wire"
)

// waiting is an outcome that waits, and why.
func waiting() wire.Outcome {
	out := apitest.New().Outcome
	out.State, out.Effect = wire.StatePending, wire.EffectWaits
	out.Approvals = &wire.Approvals{Needed: 2, Given: []wire.ApprovedBy{{Name: "amy"}}, Why: &wire.Demand{
		Sentence: "it addresses 83 % of the district's members (1204 members), and the policy asks for 2 approvals from 80 % of the district on",
	}}
	return out
}

// What an alert does to people comes first, and who has to wait learns which rule asks for that.
func TestAlert_SaysWhichRuleMakesItWait(t *testing.T) {
	w := newWorld(t)
	w.Outcome = waiting()
	const why = "Approvals: 1 of 2: amy.\nWhy: it addresses 83 % of the district's members (1204 members), and the policy\n     asks for 2 approvals from 80 % of the district on.\n"
	args := []string{"alert", "send", "--headline", "x", "--event", "y", "--select", "all"}
	require.Equal(t, command.ExitDone, w.run(args...), w.err.String())
	require.Equal(t, "Nobody is warned yet. Alert "+apitest.AlertID+" waits for 1 approval (committed).\n"+
		"It addresses 1,204 members, 311 with a device connected now.\nAddressed: 1,200 phone, 4 screen.\n"+why, w.out.String())
	require.Equal(t, command.ExitDone, w.run(append(args, "--dry-run")...), w.err.String())
	require.Contains(t, w.out.String(), "Nothing was sent. It would wait for 1 approval; nobody is warned before.\n")
	require.Contains(t, w.out.String(), why)
	w.Alerts[0].State, w.Alerts[0].Approvals = wire.StatePending, w.Outcome.Approvals
	require.Equal(t, command.ExitDone, w.run("alert", "show", apitest.AlertID), w.err.String())
	require.Contains(t, w.out.String(), "1 of 2: amy\n")
	require.Contains(t, w.out.String(), "it addresses 83 % of the district's members")
}

// A policy that asks for less than before is meant, or nothing changes.
func TestPolicySet_SaysWhatIsDroppedAndAsks(t *testing.T) {
	w := newWorld(t)
	put := func(policy string, args ...string) int {
		file := write(t, t.TempDir(), "policy.json", policy)
		return w.run(append([]string{"policy", "set", file}, args...)...)
	}
	for name, c := range map[string]struct {
		policy, in string
		asks       bool
		code       int
	}{
		"nothing":                    {policy: `{}`, asks: true, code: command.ExitFailed},
		"nothing, and not confirmed": {policy: `{"rules":[]}`, in: "y\n", asks: true, code: command.ExitFailed},
		"nothing, confirmed":         {policy: `{}`, in: "yes\n", asks: true},
		"another threshold":          {policy: `{"rules":[{"severity":"Severe","approvals":1}]}`, in: "yes\n", asks: true},
		"the same":                   {policy: `{"rules":[{"severity":"Extreme","approvals":1}]}`},
		"stricter, and one more":     {policy: `{"rules":[{"share":50,"approvals":1},{"severity":"Extreme","approvals":2}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			w.in = c.in
			before := len(w.Calls())
			require.Equal(t, c.code, put(c.policy), w.err.String())
			if c.asks {
				require.Contains(t, w.err.String(), "Dropped: 1 approval from severity Extreme on\n")
			} else {
				require.Empty(t, w.err.String())
			}
			puts := 0
			for _, call := range w.Calls()[before:] {
				if call != "ShowPolicy" {
					puts++
				}
			}
			require.Equal(t, map[bool]int{true: 1}[c.code == command.ExitDone], puts)
		})
	}
	w.in = ""
	require.Equal(t, command.ExitDone, put(`{}`, "--yes"), w.err.String())
	require.Empty(t, w.err.String())
}

// The JSON of an outcome has the rule and what it was held against.
func TestAlertSend_JSONNamesTheRule(t *testing.T) {
	w := newWorld(t)
	w.Outcome = waiting()
	w.Outcome.Approvals.Why.Rule, w.Outcome.Approvals.Why.Share = wire.PolicyRule{Share: 80, Approvals: 2}, 83
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--headline", "x", "--event", "y", "--select", "all", "--json"), w.err.String())
	var out wire.Outcome
	require.NoError(t, json.Unmarshal(w.out.Bytes(), &out), fmt.Sprint(w.out.String()))
	require.Equal(t, w.Outcome.Approvals.Why, out.Approvals.Why)
}

// Who looks at the list at night must see that a change of what is in force waits, also where
// headlines are cut, and can list what waits alone.
func TestAlertList_MarksChangesThatWait(t *testing.T) {
	w := newWorld(t)
	w.Alerts[0].Status, w.Alerts[0].Waiting, w.Alerts[0].PendingUpdates = "Actual", 1, []string{"zzzzefghijklmnopqrstuvwxyz"}
	update := apitest.ExampleAlert()
	update.ID, update.State, update.MsgType, update.Status = "zzzzefghijklmnopqrstuvwxyz", wire.StatePending, "Update", "Actual"
	update.Waiting, update.Changes = 1, []string{apitest.AlertID}
	w.Alerts = append(w.Alerts, update)
	require.Equal(t, command.ExitDone, w.run("alert", "list", "--waiting"), w.err.String())
	require.Contains(t, w.Calls()[0], " waiting")
	require.Contains(t, w.out.String(), "  (a change waits) ")
	require.Contains(t, w.out.String(), "  (a change) ")
	require.Contains(t, w.out.String(), "A change of what is in force waits for approval")
	require.Equal(t, command.ExitDone, w.run("alert", "show", apitest.AlertID), w.err.String())
	require.Contains(t, w.out.String(), "A change waits  zzzzefghijklmnopqrstuvwxyz\n")
}
