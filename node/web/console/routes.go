package console

import (
	"almenara/node/authority"
	"almenara/node/web/console/frame"
)

// Routes is the table: the only place that says which pages there are. A GET changes nothing. Nothing
// handles these.
func Routes() []frame.Route {
	all := routes(pages{})
	for i := range all {
		all[i].Handle = nil
	}
	return all
}

// routes is the table with the functions of these pages.
func routes(p pages) []frame.Route {
	return []frame.Route{
		{Method: "GET", Path: Below + "{$}", Handle: p.signIn.start},
		{Method: "GET", Path: Below + "sign-in", Open: true, Handle: p.signIn.signInPage},
		{Method: "POST", Path: Below + "sign-in", Open: true, Handle: p.signIn.signIn},
		{Method: "GET", Path: Below + "first", Open: true, Handle: p.signIn.firstPage},
		{Method: "POST", Path: Below + "first", Open: true, Handle: p.signIn.first},
		{Method: "POST", Path: Below + "sign-out", Handle: p.signIn.signOut},
		{Method: "POST", Path: Below + "sign-out-everywhere", Handle: p.signIn.signOutEverywhere},
		{Method: "GET", Path: Below + "account", Handle: p.signIn.accountPage},
		{Method: "POST", Path: Below + "account/password", Handle: p.signIn.changePassword},
		{Method: "POST", Path: Below + "account/second-factor", Handle: p.signIn.setSecondFactor},

		{Method: "GET", Path: Below + "wall", Action: authority.ReadAlerts, Handle: p.scenarios.wall},
		{Method: "GET", Path: Below + "fire/{scenario}", Action: authority.Send, Handle: p.scenarios.firePage},
		{Method: "POST", Path: Below + "fire/{scenario}", Action: authority.Send, Sends: true, Handle: p.scenarios.fire},
		{Method: "GET", Path: Below + "scenarios", Action: authority.ReadAlerts, Handle: p.scenarios.scenarioList},
		{Method: "POST", Path: Below + "scenarios", Action: authority.ChangeScenarios, Handle: p.scenarios.addScenarios},
		{Method: "GET", Path: Below + "scenarios/{scenario}/remove", Action: authority.ChangeScenarios, Handle: p.scenarios.removePage},
		{Method: "POST", Path: Below + "scenarios/{scenario}/remove", Action: authority.ChangeScenarios, Handle: p.scenarios.removeScenario},

		{Method: "GET", Path: Below + "now", Action: authority.ReadAlerts, Handle: p.alerts.now},
		{Method: "GET", Path: Below + "events", Action: authority.ReadAlerts, Stream: true, Handle: p.live.events},
		{Method: "GET", Path: Below + "alerts/{id}", Action: authority.ReadAlerts, Handle: p.alerts.alert},
		{Method: "GET", Path: Below + "alerts/{id}/unreached", Action: authority.ReadAlerts, Handle: p.alerts.unreached},
		{Method: "GET", Path: Below + "alerts/{id}/end", Action: authority.Cancel, Handle: p.alerts.endPage},
		{Method: "POST", Path: Below + "alerts/{id}/end", Action: authority.Cancel, Sends: true, Handle: p.alerts.end},
		{Method: "GET", Path: Below + "alerts/{id}/correct", Action: authority.Correct, Handle: p.alerts.correctPage},
		{Method: "POST", Path: Below + "alerts/{id}/correct", Action: authority.Correct, Sends: true, Handle: p.alerts.correct},

		{Method: "GET", Path: Below + "approvals", Action: authority.ReadAlerts, Handle: p.approvals.approvals},
		{Method: "GET", Path: Below + "alerts/{id}/approve", Action: authority.Approve, Handle: p.approvals.approvePage},
		{Method: "POST", Path: Below + "alerts/{id}/approve", Action: authority.Approve, Sends: true, Handle: p.approvals.approve},
	}
}
