package authority_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/rights"
)

// A sentence names the rule, where it begins, and what was measured.
func TestDemand_SaysWhatTheRuleWasHeldAgainst(t *testing.T) {
	for says, d := range map[string]rights.Demand{
		"its severity is Extreme, and the policy asks for 1 approval from severity Severe on": {
			Rule: rights.PolicyRule{Severity: "Severe", Approvals: 1}, Severity: "Extreme",
		},
		"its severity is Unknown, which counts above Extreme, and the policy asks for 2 approvals from severity Extreme on": {
			Rule: rights.PolicyRule{Severity: "Extreme", Approvals: 2}, Severity: "Unknown",
		},
		"its urgency is Unknown, which counts above Immediate, and the policy asks for 1 approval from urgency Expected on": {
			Rule: rights.PolicyRule{Urgency: "Expected", Approvals: 1}, Urgency: "Unknown",
		},
		"it addresses 83 % of the district's members (1204 members), and the policy asks for 1 approval from 80 % of the district on": {
			Rule: rights.PolicyRule{District: true, Approvals: 1}, Members: 1204, Share: 83,
		},
		"it addresses 60 % of the district's blocks (9 members, of whom 4 by what its author sent in the 10 minutes before, which is added), and the policy asks for 1 approval from 50 % of the district on": {
			Rule: rights.PolicyRule{Share: 50, Approvals: 1}, Members: 9, Share: 60, Blocks: true, Recent: 4,
		},
		"it addresses 1204 members, and the policy asks for 1 approval for more than 1000 members": {
			Rule: rights.PolicyRule{Members: 1000, Approvals: 1}, Members: 1204, Share: 83,
		},
		"its severity is Extreme and it is made from that scenario, and the policy asks for 3 approvals from severity Extreme on and for the scenario flood": {
			Rule: rights.PolicyRule{Severity: "Extreme", Scenario: "flood", Approvals: 3}, Severity: "Extreme",
		},
		"the policy asks for 1 approval of every alert":          {Rule: rights.PolicyRule{Approvals: 1}},
		"the scenario that it is made from asks for 2 approvals": {Rule: rights.PolicyRule{Approvals: 2}, Scenario: "flood"},
	} {
		require.Equal(t, says, authority.DemandOut(&d).Sentence)
	}
	require.Nil(t, authority.DemandOut(nil))
}

// Who sees rounded counts only is not told them by the rule either.
func TestDemand_TellsNoCountsToWhoMayNotSeeThem(t *testing.T) {
	why := authority.DemandOut(&rights.Demand{Rule: rights.PolicyRule{Share: 1, Approvals: 1}, Members: 3, Share: 7, Recent: 1, Blocks: true})
	a := wire.Alert{Personal: true, Approvals: &wire.Approvals{Needed: 1, Why: why}}
	seen := a
	authority.MinimalAlert(authority.Caller{Roles: []string{authority.RoleApprover}}, &seen)
	require.Equal(t, why, seen.Approvals.Why, "who approves sees them")
	authority.MinimalAlert(authority.Caller{Roles: []string{authority.RoleViewer}}, &a)
	require.Equal(t, &wire.Demand{Rule: why.Rule, Sentence: "a rule of the policy that counts members asks for 1 approval"}, a.Approvals.Why)
	require.EqualValues(t, 3, why.Members, "what others are shown stays as it is")
}
