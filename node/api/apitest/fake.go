// Package apitest serves the API from memory, for tests of what talks to the API.
package apitest

import (
	"slices"
	"time"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/places"
	"almenara/node/wire/splits"
)

// Tokens name callers: the token is "token-" and the role, "token-none" has no role.
const tokenPrefix = "token-"

// Token is the bearer token of a caller with one role; "none" is a caller without.
func Token(role string) string { return tokenPrefix + role }

// Fake answers every method from its fields and notes what was asked. The zero
// value is not usable; New makes one. Fields are set before the first call.
type Fake struct {
	*asked
	alerts
	rules
	audience
	notes
	people
	nodes
	known
}

// New makes a fake with one alert, three devices and a ready node.
func New() *Fake {
	a := &asked{}
	return &Fake{
		asked: a,
		alerts: alerts{
			asked: a,
			Outcome: wire.Outcome{
				Alert: AlertID, Revision: 1_784_540_400_123, MsgType: "Alert", Replication: wire.ReplicationCommitted, State: wire.StateInForce, Effect: wire.EffectWarns, Connected: 208, Reachable: new(uint64(311)),
				Addressed: wire.Counts{Total: 1204, ByKind: []wire.Count{{Name: "phone", Count: 1200}, {Name: "screen", Count: 4}}},
			},
			Alerts:  []wire.Alert{ExampleAlert()},
			Message: []byte("<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"/>"),
			Rows:    []wire.ReceiptRow{{Member: "lift-0042", Kind: "screen", Place: "tuen-mun/on-ting", Rung: "presented", RungFrom: wire.SourceDistrict}},
			From:    wire.SourceDistrict,
			Report:  ExampleReport(),
			Feed:    make(chan wire.Event, 16),
			Told:    ExampleReports(),
		},
		rules: rules{asked: a, Addresses: 2},
		notes: notes{asked: a, Notices: ExampleNotices()},
		audience: audience{
			asked: a,
			Selected: wire.Selected{
				Expression: "kind = screen", Counts: wire.Counts{Total: 1, ByKind: []wire.Count{{Name: "screen", Count: 1}}},
				Members: []wire.Member{{ID: "lift-0042", Name: "安定邨安禮樓大堂", Kind: "screen", Place: "tuen-mun/on-ting"}},
			},
			Places:  []wire.Place{{Path: "tuen-mun", Names: map[string]string{"zh-Hant": "屯門"}}},
			Tree:    places.ShownPlace{Place: wire.Place{Path: "tuen-mun/on-ting", Names: map[string]string{"en": "On Ting"}}, Version: "0f3a", Members: 4, Devices: 2, Below: 1},
			Changed: places.ChangedPlace{Version: "4c2f", Members: 4, Devices: 2, Changes: []places.Difference{{What: places.ChangesName, Language: "en", Before: "On Ting", After: "On Ting Estate"}}},
			Devices: []wire.Device{{ID: "lift-0042", Member: "lift-0042", Kind: "screen", Place: "tuen-mun/on-ting", Connected: &connected, Node: "n1"}},
			Able: able.Ability{
				Made: time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC), Night: "2026-07-20", Devices: 2, Passed: 1, States: []able.Standing{{Name: able.DeviceDark, Count: 1}, {Name: able.DevicePassed, Count: 1}},
				Places: []able.AbilityPlace{{Place: "tuen-mun/on-ting", Devices: 2, Passed: 1, Dark: 1}}, Nights: []able.AbilityNight{{Night: "2026-07-20", Places: []able.AbilityPlace{{Place: "tuen-mun/on-ting", Devices: 2, Passed: 1}}}},
				Missing: []able.AbilityDevice{{Device: "lift-0043", Member: "lift-0043", Kind: "screen", Place: "tuen-mun/on-ting", Stands: able.DeviceDark}},
			},
		},
		people: people{
			asked: a,
			Users: []wire.User{{Name: "duty", Roles: []string{authority.RoleComposer}}},
			Audit: []string{`{"index":1}`, `{"index":2}`},
			Lines: wire.AuditPage{Lines: []wire.AuditLine{{N: 7, Actor: "chief", Action: "user put", About: wire.AboutPeople, Subject: "amy", Summary: "amy, composer"}}, Next: 7},
		},
		known: known{asked: a, Erasures: ExampleErasures(), Kept: ExampleKept()},
		nodes: nodes{
			asked:  a,
			Parted: []splits.Split{{Nodes: []splits.SplitNode{}, Halves: []splits.SplitHalf{}, Alerts: []splits.SplitAlert{}}},
			State:  wire.Status{Node: "n1", Name: "on-ting", District: "tuen-mun", Role: "leader", Quorum: true, Ready: true, Nodes: []wire.NodeInfo{}, MQTT: []string{}},
		},
	}
}

var connected = true

// AlertID is the id of the fake's alert.
const AlertID = "abcdefghijklmnopqrstuvwxyz"

// ExampleAlert is the fake's alert.
func ExampleAlert() wire.Alert {
	return wire.Alert{
		ID: AlertID, Revision: 1, Key: "hko@example.hk,1,2026-07-20T17:40:00+08:00", State: wire.StateInForce, Status: "Exercise",
		MsgType: "Alert", Headline: "演習：洪水警告 Flood warning", Replication: wire.ReplicationCommitted, CountsFrom: wire.SourceDistrict,
		Addressed: wire.Counts{Total: 4}, Rungs: wire.Rungs{Queued: 4, Sent: 4, Delivered: 3, Verified: 3, Presented: 2},
		ByGroup: []wire.GroupRow{{Place: "tuen-mun/on-ting", Kind: "screen", Rungs: wire.Rungs{Queued: 4, Presented: 2}}},
	}
}

// ExampleReport is the fake's report of its alert.
func ExampleReport() wire.Report {
	at := func(seconds int) time.Time { return time.Date(2026, 7, 20, 9, 40, seconds, 0, time.UTC) }
	all := wire.Spread{Of: 4, Count: 2, First: at(1), Half: at(3), Last: at(3)}
	return wire.Report{
		Alert: ExampleAlert(), Made: at(59), Begun: at(0),
		Events: []wire.ReportEvent{
			{At: at(0), What: wire.HappenedTaken, MsgType: "Alert", Revision: 1, By: "ben", Headline: "Flood", Reached: &all},
			{At: at(1), What: wire.HappenedFirst}, {At: at(3), What: wire.HappenedHalf}, {At: at(3), What: wire.HappenedLast},
		},
		Reached: all, Curve: []wire.CurvePoint{{At: at(1), Count: 1}, {At: at(3), Count: 2}},
		Kinds:   []wire.ReportKind{{Kind: "screen", Reached: all, Curve: []wire.CurvePoint{{At: at(1), Count: 1}, {At: at(3), Count: 2}}}},
		Groups:  []wire.ReportGroup{{Place: "tuen-mun/on-ting", Kind: "screen", Reached: all}},
		Estates: []able.Score{{Place: "tuen-mun/on-ting", Of: 4, TenSeconds: 2, Minute: 2}},
		Slowest: []wire.ReportRow{{Member: "lift-0042", Kind: "screen", Place: "tuen-mun/on-ting", At: at(3)}},
		Dark:    []wire.ReportRow{{Member: "lift-0043", Kind: "screen", Place: "tuen-mun/on-ting"}}, DarkTotal: 1,
		Answers: []wire.Count{{Name: "safe", Count: 1}},
	}
}

func cut(token string) (string, bool) {
	if len(token) <= len(tokenPrefix) || token[:len(tokenPrefix)] != tokenPrefix {
		return "", false
	}
	role := token[len(tokenPrefix):]
	return role, role == "none" || slices.Contains(authority.Roles(), role)
}

// All is everything that the API serves, as one type; *Fake is one.
type All interface {
	service.Identifier
	service.Alerts
	service.Approvals
	service.SpokenCodes
	service.FollowUps
	service.Reported
	service.Notices
	service.Residents
	service.CheckIns
	service.Scenarios
	service.Licences
	service.Policy
	service.Reader
	service.Reports
	service.Imports
	service.Selections
	service.Places
	service.PlaceTree
	service.Devices
	service.Connected
	service.Ability
	service.Personal
	service.Users
	service.Passwords
	service.Status
	service.Nodes
	service.Backups
	service.Splits
	service.Agreed
	service.Audit
	service.Events
}

// Services has the API served by one type.
func Services(all All) service.All {
	return service.All{
		Identifier: all, Alerts: all, Approvals: all, Spoken: all, FollowUps: all, Reported: all, Notices: all, Residents: all, CheckIns: all, Scenarios: all, Licences: all, Policy: all, Reader: all, Reports: all, Imports: all,
		Selections: all, Places: all, PlaceTree: all, Devices: all, Connected: all, Ability: all, Personal: all, Users: all, Passwords: all, Status: all, Nodes: all, Backups: all,
		Splits: all, Agreed: all, Audit: all, Events: all,
	}
}
