package apply

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/factbody"
)

func TestAudit_LineOfAnOrdinaryAlertIsThatOfOlderSoftware(t *testing.T) {
	require.Empty(t, underWhat(factbody.Issue{Alone: 5, PolicyAge: 6, Policy: 7, Incident: "i"}))
	text := underWhat(factbody.Issue{Scenario: "flood", Incident: "i7", Licence: "l1", Within: "tm", Alone: 5, PolicyAge: 6, Policy: 7})
	require.Equal(t, `, scenario flood, incident "i7", UNDER LICENCE l1 in tm, ALONE since 5, policy 6 ms old, policy 7`, text)
}
