package view_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
)

// titled is a district with one scenario.
type titled struct{}

func (titled) ListScenarios(context.Context) ([]wire.Scenario, error) {
	return []wire.Scenario{{ID: "fire", Title: "Fire in a block"}}, nil
}

// A person knows a scenario by its title. It may be gone by now.
func TestDemandOf_IsInThePersonsLanguage(t *testing.T) {
	severe := wire.PolicyRule{Severity: "Severe", Share: 50, Approvals: 2}
	for _, c := range []struct {
		d      *wire.Demand
		en, zh string
	}{
		{nil, "", ""},
		{&wire.Demand{Sentence: "s", Scenario: "fire", Rule: wire.PolicyRule{Approvals: 1}}, "The scenario Fire in a block asks for it.", "預設警報 Fire in a block 規定須批准。"},
		{&wire.Demand{Scenario: "removed", Rule: wire.PolicyRule{Approvals: 1}}, "The scenario removed asks for it.", "預設警報 removed 規定須批准。"},
		{&wire.Demand{Rule: wire.PolicyRule{Approvals: 1}}, "The policy asks of every alert.", "按政策，所有警報均須批准。"},
		{
			&wire.Demand{Rule: severe, Severity: "Extreme", Members: 1200, Share: 62, Recent: 1},
			"62 % of the district, and 1 of these was warned by the same person", "嚴重程度：大量傷亡風險；對象佔本區 62%；其中 1 個成員在過去 10 分鐘內",
		},
		{&wire.Demand{Rule: wire.PolicyRule{Members: 1000, Urgency: "Immediate"}, Urgency: "Immediate", Members: 1200}, "it is for 1,200 members", "何時須行動：立即；對象有 1,200 個成員"},
		{&wire.Demand{Rule: wire.PolicyRule{Scenario: "fire"}}, "from the scenario Fire in a block", "由預設警報 Fire in a block 發出"},
	} {
		for i, want := range []string{c.en, c.zh} {
			said := view.DemandOf(&frame.Request{R: httptest.NewRequest("GET", "/", nil), Lang: words.All()[i]}, titled{}, c.d)
			require.Contains(t, said, want)
			require.NotContains(t, said, "⟦")
			require.Equal(t, c.d == nil, said == "")
		}
	}
}
