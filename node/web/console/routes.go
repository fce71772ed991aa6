package console

import (
	"almenara/node/authority"
	"almenara/node/web/console/ability"
	"almenara/node/web/console/account"
	"almenara/node/web/console/answers"
	"almenara/node/web/console/audience"
	"almenara/node/web/console/audit"
	"almenara/node/web/console/checkins"
	"almenara/node/web/console/compose"
	"almenara/node/web/console/contents"
	"almenara/node/web/console/enrol"
	"almenara/node/web/console/fleet"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/handbook"
	"almenara/node/web/console/notices"
	"almenara/node/web/console/people"
	"almenara/node/web/console/personal"
	"almenara/node/web/console/places"
	"almenara/node/web/console/report"
	"almenara/node/web/console/reports"
	"almenara/node/web/console/residents"
	"almenara/node/web/console/scenarios"
	"almenara/node/web/console/watch"
)

// rooms are all pages that there are, in the rooms that they belong to: this table is the only place
// that says so.
func rooms(s Services, p pages) []frame.Room {
	return []frame.Room{
		account.Room(s.SignIn),
		audience.Room(audience.Services{Imports: s.Imports, Selections: s.Selections, Places: s.Places}),
		places.Room(s.PlaceTree, s.Places, s.Status),
		enrol.Room(s.Enrolment, s.Places),
		fleet.Room(fleet.Services{Devices: s.Devices, Connected: s.Connected, Tests: s.Ability, Places: s.Places, Status: s.Status}),
		people.Room(people.Services{Users: s.Users, Passwords: s.Passwords, Licences: s.Licences, Scenarios: s.Scenarios, Places: s.Places, Status: s.Status}),
		personal.Room(personal.Services{Personal: s.Personal, Places: s.Places}),
		answers.Room(s.Reader, s.Residents, s.Places),
		residents.Room(s.Residents, s.Reader, s.Places),
		checkins.Room(checkins.Services{CheckIns: s.CheckIns, Places: s.Places, Scenarios: s.Scenarios}),
		report.Room(s.Reports, s.Residents, s.Places),
		reports.Room(s.Reported, s.Places),
		notices.Room(s.Notices, s.Scenarios, s.Policy, s.Places),
		scenarios.Room(s.Scenarios, s.Places, p.compose.Screen),
		watch.Room(s.Reader),
		contents.Room(),
		audit.Room(s.Audit),
		handbook.Room(),
		ability.Room(ability.Services{Devices: s.Connected, Tests: s.Ability, Status: s.Status, Reader: s.Reader, Reports: s.Reports, Places: s.Places}),
		compose.Room(p.compose),
		{Pages: files, Routes: routes(p)},
	}
}

// nav are the pages that every page links, eight at most: in a hurry nobody reads more. The others are on the
// page of all pages, and linked from where they are needed.
func nav() []frame.Nav {
	return []frame.Nav{
		{Name: "wall", Action: authority.Send}, {Name: "compose", Action: authority.Send}, {Name: "now", Action: authority.ReadAlerts}, {Name: "approvals", Action: authority.ReadAlerts},
		{Name: "audience", Action: authority.ReadAudience}, {Name: "devices", Action: authority.ReadDevices}, {Name: "people", Action: authority.ReadUsers}, {Name: "contents"},
	}
}

// routes are the pages about alerts. A GET changes nothing.
func routes(p pages) []frame.Route {
	return []frame.Route{
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
		{Method: "POST", Path: Below + "alerts/{id}/told", Action: authority.FollowUp, Handle: p.alerts.told},
		{Method: "POST", Path: Below + "alerts/{id}/remind", Action: authority.FollowUp, Sends: true, Handle: p.alerts.remind},
		{Method: "GET", Path: Below + "alerts/{id}/end", Action: authority.Cancel, Handle: p.alerts.endPage},
		{Method: "POST", Path: Below + "alerts/{id}/end", Action: authority.Cancel, Sends: true, Handle: p.alerts.end},
		{Method: "GET", Path: Below + "alerts/{id}/correct", Action: authority.Correct, Handle: p.alerts.correctPage},
		{Method: "POST", Path: Below + "alerts/{id}/correct", Action: authority.Correct, Sends: true, Handle: p.alerts.correct},

		{Method: "GET", Path: Below + "approvals", Action: authority.ReadAlerts, Handle: p.approvals.approvals},
		{Method: "GET", Path: Below + "alerts/{id}/approve", Action: authority.Approve, Handle: p.approvals.approvePage},
		{Method: "POST", Path: Below + "alerts/{id}/approve", Action: authority.Approve, Sends: true, Handle: p.approvals.approve},
		{Method: "POST", Path: Below + "alerts/{id}/code", Action: authority.Approve, Sends: true, Handle: p.approvals.code},
		{Method: "GET", Path: Below + "approvals/number", Action: authority.Approve, Handle: p.approvals.numberPage},
		{Method: "POST", Path: Below + "approvals/number", Action: authority.Approve, Sends: true, Handle: p.approvals.codeOfNumber},
		{Method: "POST", Path: Below + "alerts/{id}/spoken", Action: authority.TypeApproval, Sends: true, Handle: p.approvals.approveSpoken},
	}
}
