package command

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/rights"
)

// Software of version 4 stops at a field that it does not know, so a scenario that has none of the
// new ones goes out as it always did, and one that has waits until every node is upgraded.
func TestVersionOf_AScenarioIsThatOfWhatItSays(t *testing.T) {
	plain := rights.Scenario{ID: "flood", Title: "Flood", Alert: []byte("{}"), Lifetime: 5}
	require.EqualValues(t, 2, VersionOf(&PutScenario{Scenario: plain}))
	for _, d := range []rights.Details{{Blanks: []rights.Blank{{Name: "where"}}}, {Checklist: []string{"look"}}, {Sensitive: []string{"panic"}}, {Choose: true}} {
		s := plain
		s.Details = d
		require.EqualValues(t, 5, VersionOf(&PutScenario{Scenario: s}), "%+v", d)
	}
	for _, d := range []rights.Details{{Remind: 5}, {Choose: true, Answers: 2, Minutes: 10, Groups: []string{"all"}}} {
		s := plain
		s.Details = d
		require.EqualValues(t, 9, VersionOf(&PutScenario{Scenario: s}), "%+v", d)
	}
}
