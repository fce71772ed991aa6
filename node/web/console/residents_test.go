package console

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/web/console/frame"
)

// What residents answered is where an operator looks: at the alert, at the answers and in the report; and nowhere
// for whoever may not read reports.
func TestResidents_AreCountedWhereOneLooks(t *testing.T) {
	r := newRig(t)
	for _, page := range []string{"alerts/{id}", "alerts/{id}/answers", "alerts/{id}/report"} {
		route := frame.Route{Method: http.MethodGet, Path: Below + page}
		got := r.ask(route, authority.RoleApprover)
		require.Equal(t, http.StatusOK, got.Code, page)
		require.Contains(t, got.Body.String(), "41", page)
		require.NotContains(t, r.ask(route, authority.RoleViewer).Body.String(), ">41<", page)
		require.NotContains(t, r.ask(route, authority.RoleViewer).Body.String(), "Residents by the code", page)
	}
	got := r.get("alerts/" + apitest.AlertID + "/residents").Body.String()
	require.Contains(t, got, "NEEDS HELP")
	require.Contains(t, got, "12/F, B")
}
