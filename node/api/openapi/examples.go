package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/acts"
	"almenara/node/wire/caution"
	"almenara/node/wire/devicehealth"
	"almenara/node/wire/headline"
	"almenara/node/wire/notices"
	"almenara/node/wire/personal"
	"almenara/node/wire/places"
	"almenara/node/wire/reported"
	"almenara/node/wire/splits"
	"almenara/node/wire/visits"
	"almenara/node/wire/why"
)

// What the examples have in common.
var (
	exampleTime   = time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)
	exampleEnd    = exampleTime.Add(time.Hour)
	exampleForm   = json.RawMessage(`{"info":[{"language":"en","category":["Met"],"event":"Flood","urgency":"Immediate","severity":"Severe","certainty":"Observed","headline":"Go to the second floor of {{where}}","area":[{"areaDesc":"On Ting"}]}]}`)
	exampleCount  = wire.Counts{Total: 12, ByKind: []wire.Count{{Name: "screen", Count: 12}}, ByPlace: []wire.Count{{Name: examplePlace, Count: 12}}}
	exampleSpread = wire.Spread{Of: 12, Count: 10, First: exampleTime.Add(time.Second), Half: exampleTime.Add(2 * time.Second), Last: exampleTime.Add(9 * time.Second)}
	exampleRungs  = wire.Rungs{Queued: 12, Sent: 11, Delivered: 11, Verified: 11, Presented: 10}
)

// exampleReported is a report of a person who needs help.
var exampleReported = reported.PersonReport{
	ID: "zyxwvutsrqponmlkjihgfedcba", Kind: reported.NeedHelp, Handling: reported.New, Alert: exampleID, Member: "r-0001", Place: examplePlace, Device: "phone-0001", At: exampleTime, Taken: exampleTime.Add(time.Second),
	Text: "The stairs are full of smoke", Where: "12/F", Position: &reported.Spot{Lat: 22.391, Lon: 113.977, AccuracyMeters: 15}, Photo: &reported.Picture{Bytes: 38211, Width: 1200, Height: 900},
}

// exampleNotice is a planned notice that waits at the second of its levels.
var exampleNotice = notices.Notice{
	ID: "3f9a0c5512ab", Title: "No water in On Lai House on Tuesday", Scenario: "planned-outage", Author: "warden", Standing: notices.Waiting, Version: 1, Level: 2, Since: exampleTime, At: exampleTime.Add(24 * time.Hour),
	MayPass: []string{"chief"}, Missing: 1, Due: exampleTime.Add(4 * time.Hour), Next: "chief", NextUntil: exampleTime.Add(4 * time.Hour),
	Levels: []notices.NoticeLevelStands{
		{Level: notices.NoticeLevel{Title: "Estate office", Role: "composer", Count: 1, Checklist: []string{"The dates agree with the work order"}}, Passed: []string{"office"}},
		{Level: notices.NoticeLevel{Title: "District office", Role: "approver", Count: 1, Hours: 4}, Passed: []string{}},
	},
	Acts: []notices.NoticeAct{
		{Do: notices.ActWrote, By: "warden", At: exampleTime.Add(-time.Hour), Version: 1},
		{Do: notices.DoPass, By: "office", At: exampleTime, Version: 1, Level: 1, Ticked: []string{"The dates agree with the work order"}},
	},
	Versions: []notices.NoticeVersion{{N: 1, By: "warden", At: exampleTime.Add(-time.Hour), Alert: json.RawMessage(`{"info":[{"language":"en","headline":"No water in On Lai House on Tuesday"}]}`), Texts: []notices.NoticeText{{Language: "en", Headline: "No water in On Lai House on Tuesday"}}}},
	Found:    []notices.NoticeFound{{Word: "contaminated", Language: "en", Why: "only the Water Supplies Department may say so", Tick: true}},
}

// exampleResidents is what residents of one block answered.
var exampleResidents = reported.Residents{
	Recalls: []reported.Recalled{{Place: examplePlace, From: exampleTime.Add(-4 * time.Hour), To: exampleTime}},
	Seen:    41, Help: 1, Blocks: []reported.ResidentsBlock{{Place: examplePlace, Seen: 41, Help: 1}},
	Answers: []reported.ResidentsAnswer{{ID: "zyxwvutsrqponmlkjihgfedcba", Kind: reported.ResidentHelp, Handling: reported.New, Place: examplePlace, Taken: exampleTime, Where: "12/F, B", Text: "The stairs are full of smoke", By: "amy", Moderated: exampleTime.Add(time.Minute), Note: "warden goes"}},
}

// What is said of persons who were erased.
var (
	exampleErasure   = personal.Erasure{Pseudonym: "erased-abcdefghijklmnop", Kind: "person", At: exampleTime, By: "chief", Word: "letter of 3 May", Devices: 1, Records: 3, Lines: 2, Agreed: true, Files: true}
	exampleRetention = personal.Retention{PositionDays: 30, ReportMonths: 13, NoteMonths: 13, ResidentMonths: 13, NoticeMonths: 13}
)

const (
	exampleID    = "abcdefghijklmnopqrstuvwxyz"
	exampleKey   = "almenara.tuen-mun,8f3c,2026-07-20T17:40:00+08:00"
	examplePlace = "tuen-mun/on-ting/on-lai"
	exampleNode  = "b0d5c3a1"
	exampleRev   = 1_784_540_400_000
)

// examples are bodies as they may look, by their type: one of every type that a route takes
// or answers.
var examples = byType(
	visits.PlaceCodes{Codes: []visits.PlaceCode{{Place: examplePlace, Names: map[string]string{"en": "On Lai House", "zh-Hant": "安麗樓"}, Link: "HTTPS://ON-TING.EXAMPLE:8480/R/AT/AFZWG2DF", Until: exampleTime.Add(396 * 24 * time.Hour), Modules: 57, Picture: "/9Pz"}}},
	visits.CheckIns{From: exampleTime.Add(-4 * time.Hour), To: exampleTime, Total: 132, Places: []visits.PlaceCheckIns{{Place: examplePlace, Count: 132}}, Unanswered: []string{exampleNode}, Visited: "2026-07-20T13:40:00+08:00/2026-07-20T17:40:00+08:00 " + examplePlace},
	wire.SendAlert{Scenario: "flood", Blanks: map[string]string{"where": "Block 2"}, Incident: "i-7", Reason: "seen by the warden",
		Select: "wave = a", Escalate: &acts.Escalate{Answers: 2, Minutes: 10, Groups: []string{"wave = b"}}, RemindMinutes: 5},
	wire.CorrectAlert{Texts: []wire.CorrectText{{Language: "en", Headline: new("Go to the third floor")}}, Reason: "the water rises"},
	wire.UpdateAlert{Severity: "Extreme", Select: "place under tuen-mun", Areas: []wire.UpdateAreas{{Area: []wire.CAPArea{{AreaDesc: "Tuen Mun"}}}}, Reason: "the water rises"},
	wire.CancelAlert{Reason: "the water has gone"},
	acts.MarkTold{Place: "tuen-mun/on-ting/on-lai", Note: "every door of the third floor"},
	acts.Told{Alert: exampleID, Marked: 14, TakenBack: 0},
	acts.Remind{EveryMinutes: 5},
	acts.Reminded{Alert: exampleID, Unread: 2, EveryMinutes: 5},
	acts.AskCode{Alert: exampleID, Digest: "5f1c09"},
	acts.SpokenCode{Code: "482913", For: "chief", Alert: exampleID, Number: "90134475", Until: exampleTime.Add(8 * time.Minute)},
	acts.TypeApproval{For: "chief", Code: "482 913", Digest: "5f1c09", Reason: "read out over the radio"},
	reported.PersonReports{New: 1, NeedHelp: 1, Reports: []reported.PersonReport{exampleReported}, Responders: []reported.Responder{{Member: "w-0007", Alert: exampleID, At: exampleTime, Position: *exampleReported.Position}}},
	exampleReported,
	reported.Moderate{Handling: reported.Forwarded, Note: "to the fire brigade"},
	exampleResidents, exampleResidents.Answers[0],
	personal.Person{Member: "r-0001", Name: "Chan Tai Man", Kind: "person", Place: examplePlace, Devices: []string{"phone-0001"}, Reports: 2, Notes: 1},
	personal.Erase{Member: "r-0001", Word: "letter of 3 May"},
	exampleErasure,
	personal.Erasures{Erasures: []personal.Erasure{exampleErasure}},
	exampleRetention,
	personal.Kept{Retention: exampleRetention, By: "chief", At: exampleTime, Next: []personal.Removal{{What: personal.Positions, On: exampleTime.Add(14 * time.Hour), Before: exampleTime.AddDate(0, 0, -30), Due: 12, Removed: 40}}},
	wire.Approve{Digest: "5f1c09", Reason: "seen on the camera"},
	wire.Outcome{
		Alert: exampleID, Revision: exampleRev, Key: exampleKey, MsgType: "Alert", State: wire.StateInForce, Effect: wire.EffectWarns,
		Replication: wire.ReplicationHeld, HeldBy: 2, HeldOf: 3, Addressed: exampleCount, Connected: 11, Reachable: new(uint64(12)),
	},
	wire.Alert{
		ID: exampleID, Revision: exampleRev, Key: exampleKey, State: wire.StateInForce, Status: "Actual", MsgType: "Alert",
		Headline: "Go to the second floor", Headlines: headline.Lines{{Language: "en", Text: "Go to the second floor"}, {Language: "zh-Hant", Text: "請到二樓"}},
		Sent: exampleTime, Expires: exampleEnd, Author: "warden", Scenario: "flood", Incident: "i-7",
		Replication: wire.ReplicationCommitted, CountsFrom: wire.SourceDistrict, Rungs: exampleRungs, Addressed: exampleCount,
		Approvals: &wire.Approvals{Needed: 1, Given: []wire.ApprovedBy{{Name: "chief", At: exampleTime}}, Why: &wire.Demand{
			Sentence: "its severity is Extreme, and the policy asks for 1 approval from severity Extreme on", Rule: wire.PolicyRule{Severity: "Extreme", Approvals: 1}, Severity: "Extreme",
		}},
		Reminders: &acts.Reminders{Last: exampleTime.Add(5 * time.Minute), Next: exampleTime.Add(10 * time.Minute), EveryMinutes: 5},
		Escalation: &acts.Escalation{Answers: 2, Answered: 1, Minutes: 10, Next: exampleTime.Add(20 * time.Minute), Groups: []acts.EscalationGroup{
			{Select: "wave = a", Members: 6, Called: exampleTime}, {Select: "wave = b", Members: 9, Called: exampleTime.Add(10 * time.Minute), Because: new(uint64(1))}, {Select: "kind phone", Members: 214},
		}},
	},
	wire.ReceiptRow{Member: "lift-0042", Kind: "screen", Place: examplePlace, Rung: "presented", RungFrom: wire.SourceDistrict, At: exampleTime.Add(2 * time.Second)},
	wire.Report{
		Alert: wire.Alert{
			ID: exampleID, Revision: exampleRev, Key: exampleKey, State: wire.StateInForce, Status: "Actual", MsgType: "Alert", Headline: "Go to the second floor",
			Sent: exampleTime, Expires: exampleEnd, Author: "warden", Replication: wire.ReplicationCommitted, CountsFrom: wire.SourceDistrict, Rungs: exampleRungs, Addressed: exampleCount,
		},
		Made: exampleEnd, Begun: exampleTime,
		Events: []wire.ReportEvent{
			{At: exampleTime, What: wire.HappenedTaken, MsgType: "Alert", Revision: exampleRev, By: "warden", Headline: "Go to the second floor", Reached: &exampleSpread},
			{At: exampleSpread.First, What: wire.HappenedFirst},
		},
		Reached: exampleSpread, Curve: []wire.CurvePoint{{At: exampleSpread.First, Count: 1}, {At: exampleSpread.Last, Count: 10}},
		Kinds:   []wire.ReportKind{{Kind: "screen", Reached: exampleSpread, Curve: []wire.CurvePoint{{At: exampleSpread.Last, Count: 10}}}},
		Groups:  []wire.ReportGroup{{Place: examplePlace, Kind: "screen", Reached: exampleSpread}},
		Estates: []able.Score{{Place: "tuen-mun/on-ting", Of: 12, TenSeconds: 10, Minute: 10}},
		Slowest: []wire.ReportRow{{Member: "lift-0042", Kind: "screen", Place: examplePlace, At: exampleSpread.Last}},
		Dark:    []wire.ReportRow{{Member: "lift-0043", Kind: "screen", Place: examplePlace}}, DarkTotal: 1, Answers: []wire.Count{},
	},
	wire.Event{Type: "receipts", At: exampleTime.Add(2 * time.Second), Alert: exampleID, Revision: exampleRev, State: wire.StateInForce, CountsFrom: wire.SourceDistrict, Rungs: &exampleRungs},
	wire.Scenario{ID: "flood", Title: "Flood", Alert: exampleForm, Blanks: []string{"where"}, Select: "place under tuen-mun/on-ting", Approvals: 1, Minutes: 60,
		BlankRules: []wire.BlankRule{{Name: "where", For: "the block that is flooded", MaxLength: 40}}, Checklist: []string{"Ask the warden which blocks."}, Sensitive: []string{"panic"},
		Tier: "emergency", Sound: "siren", Confirm: "person", Revision: "0f3a9c1e7b2d48560f3a9c1e7b2d4856",
	},
	wire.PutScenario{ID: "flood", Addressed: 12, Revision: "4c2f9a0b7b2d48560f3a9c1e7b2d4856"},
	wire.Licence{
		ID: "4c2f9a", Operator: "warden", Scenarios: []string{"flood"}, Place: "tuen-mun/on-ting", Until: exampleTime.AddDate(0, 1, 0),
		GrantedBy: "chief", GrantedAt: exampleTime,
	},
	wire.Policy{Version: 41, Rules: []wire.PolicyRule{{Severity: "Extreme", Approvals: 1}, {Share: 50, Approvals: 2}}},
	wire.Imported{Applied: true, Rows: 120, Encoding: "UTF-8", Format: "members", Added: 4, Changed: 2, Unchanged: 114, Diff: why.Sentences{why.Sayf("+ r-0121")}},
	wire.RemovedMember{Member: "lift-0042", Orphaned: 1, OrphanedFirst: []string{"lift-0042"}},
	wire.Progress{Phase: wire.PhaseStaging, Done: 60, Total: 120},
	wire.Selected{Expression: "kind = screen", Counts: exampleCount, Members: []wire.Member{{ID: "lift-0042", Kind: "screen", Place: examplePlace}}, Next: "lift-0042"},
	wire.Place{Path: examplePlace, Names: map[string]string{"en": "On Lai House", "zh-HK": "安麗樓"}, Lat: new(22.39), Lon: new(113.97)},
	places.ShownPlace{
		Place: wire.Place{Path: examplePlace, Names: map[string]string{"en": "On Lai House", "zh-HK": "安麗樓"}}, Version: "0f3a9c1e7b2d48560f3a9c1e7b2d4856", Members: 12, Devices: 2, Below: 3,
		NamedBy: []places.Naming{{Kind: places.ByScenario, ID: "flood"}, {Kind: places.ByAlert, ID: "01J9Z3NDEKTSV4RRFFQ69G5FAV", Code: "HK-DC = L"}},
	},
	places.ChangePlace{Path: examplePlace, Version: "0f3a9c1e7b2d48560f3a9c1e7b2d4856", Place: &wire.Place{Path: examplePlace, Names: map[string]string{"en": "On Lai House", "zh-HK": "安麗樓"}}},
	places.ChangedPlace{Path: examplePlace, Version: "4c2f9a0b7b2d48560f3a9c1e7b2d4856", Members: 12, Devices: 2, Below: 3, Changes: []places.Difference{{What: places.ChangesName, Language: "en", Before: "On Lai", After: "On Lai House"}}},
	wire.Enrol{ID: "lift-0042", Kind: "screen", Place: examplePlace},
	wire.Enrolled{
		ID: "lift-0042", Kind: "screen", Place: examplePlace, Secret: "bm90IGEgc2VjcmV0LCBidXQgYXMgbG9uZyBhcyBvbmU", Servers: []string{"ssl://10.0.0.1:8883"},
		RootKey: "bm90IGEga2V5LCBidXQgYXMgbG9uZyBhcyBvbmUuLi4", CA: "-----BEGIN CERTIFICATE-----\n…",
	},
	wire.Device{ID: "lift-0042", Member: "lift-0042", Kind: "screen", Place: examplePlace, Connected: new(true), Node: exampleNode, Since: exampleTime, Condition: "ready", Health: &devicehealth.DeviceHealth{
		At: exampleTime, Version: "0f3a9c1e7b2d4856", Level: "A", Engine: "Chromium 140", Sound: "armed", Display: "nothing in force", Store: "indexeddb", Keys: exampleTime, Faults: []string{devicehealth.FaultReload},
	}},
	caution.Contradictions{Contradictions: []caution.Contradiction{{Why: "response", Says: []caution.ContrarySaying{
		{Alert: exampleID, Headline: "Leave Block 2", Sender: "almenara.tuen-mun", Author: "warden", Sent: exampleTime, Response: []string{"Evacuate"}, Severity: "Severe", Urgency: "Immediate"},
		{Alert: exampleID, Headline: "Stay indoors", Sender: "fire@example.hk", From: "Fire Services", Author: "fire-services", Sent: exampleTime, Response: []string{"Shelter"}, Severity: "Severe", Urgency: "Immediate"},
	}}}},
	able.Ability{
		Made: exampleEnd, Night: "2026-07-20", Devices: 12, Passed: 11, States: []able.Standing{{Name: able.DeviceDark, Count: 1}, {Name: able.DevicePassed, Count: 11}},
		Places:  []able.AbilityPlace{{Place: examplePlace, Devices: 12, Passed: 11, Dark: 1}},
		Missing: []able.AbilityDevice{{Device: "lift-0043", Member: "lift-0043", Kind: "screen", Place: examplePlace, Stands: able.DeviceDark, Tested: exampleTime, Passed: exampleTime}},
		Nights:  []able.AbilityNight{{Night: "2026-07-20", Places: []able.AbilityPlace{{Place: "tuen-mun/on-ting", Devices: 12, Passed: 12}}}},
	},
	able.TestDevices{Places: []string{"tuen-mun/on-ting"}},
	able.TestBegun{Devices: 12, Nodes: []string{exampleNode}},
	able.DeviceTest{Device: "lift-0042", Node: exampleNode, Stands: able.DevicePassed, Exercised: []string{"display", "sound"}, At: exampleTime},
	notices.DraftNotice{Scenario: "planned-outage", Blanks: map[string]string{"where": "On Lai House"}, At: exampleTime.Add(24 * time.Hour), Reason: "pipe work"},
	notices.ActOnNotice{Do: notices.DoPass, Version: 1, Level: 1, Ticked: []string{"The dates agree with the work order"}},
	exampleNotice,
	wire.SetPassword{Password: "several words are good"},
	wire.AddUser{Name: "warden", Roles: []string{"composer"}, Places: []string{"tuen-mun/on-ting"}},
	wire.SetUser{Roles: []string{"composer", "viewer"}, Places: &[]string{"tuen-mun/on-ting"}},
	wire.User{Name: "warden", Roles: []string{"composer"}, Places: []string{"tuen-mun/on-ting"}},
	wire.Status{
		Node: exampleNode, Name: "n1", Version: "1.2.0", District: "tuen-mun", Role: "leader", Leader: exampleNode, Term: 3, Quorum: true, PolicyVersion: 41,
		Applied: 5120, Committed: 5120, Incarnation: 1, Ready: true, Members: 1204, Devices: 311, InForce: 1,
		Nodes: []wire.NodeInfo{{ID: exampleNode, Name: "n1", Internode: "10.0.0.1:8470", API: "https://10.0.0.1:8480", Voter: true, Reachable: true, Leader: true}},
		API:   "https://10.0.0.1:8480", MQTT: []string{"ssl://10.0.0.1:8883"}, Internode: "10.0.0.1:8470", DataDirectory: "/var/lib/almenara",
		Disk: wire.Disk{Level: "ample", Free: 48 << 30, Total: 64 << 30}, Clock: wire.Clock{Source: "own"}, Spool: wire.Spool{Total: 64 << 20},
	},
	splits.Split{
		From: exampleTime, To: exampleEnd, Nodes: []splits.SplitNode{{Node: exampleNode, Name: "n1", From: exampleTime, To: exampleEnd, Why: "lost", Policy: 41}},
		Halves: []splits.SplitHalf{{Nodes: []string{"n1"}}, {Nodes: []string{"n2", "n3"}, Majority: true}}, Alerts: []splits.SplitAlert{},
	},
	wire.Invite{Minutes: 30},
	wire.Invited{Token: "almenara-join-1.pGhkaXN0cmljdGh0dWVu…", Expires: exampleEnd},
	wire.Health{Ready: true},
	json.RawMessage(`{"openapi":"3.1.0"}`),
)

func byType(all ...any) map[reflect.Type]any {
	out := map[reflect.Type]any{}
	for _, v := range all {
		out[reflect.TypeOf(v)] = v
	}
	return out
}

// exampleOf is an example of an answer of the type of v.
func exampleOf(v any) any {
	if either, ok := v.(OneOrMore); ok {
		return exampleOf(either.Of)
	}
	t := reflect.TypeOf(v)
	if one, ok := examples[t]; ok {
		return one
	}
	if t.Kind() == reflect.Slice {
		if one, ok := examples[t.Elem()]; ok {
			return []any{one}
		}
	}
	panic(fmt.Sprintf("describing the API: there is no example of %v", t))
}

// dryRunOf is an example of what answers a dry run.
func dryRunOf(v any) any {
	switch out := exampleOf(v).(type) {
	case wire.Outcome:
		out.DryRun, out.Replication, out.HeldBy, out.HeldOf = true, "", 0, 0
		out.Texts = []wire.MessageText{{Language: "en", Event: "Fire", Headline: "Fire in Block 2", Instruction: "Leave by the stairs. Do not use the lifts.", SenderName: "Tuen Mun District",
			Areas: []string{"Block 2"}, Urgency: "Immediate", Severity: "Severe", Certainty: "Observed", Expires: time.Date(2026, 7, 20, 18, 40, 0, 0, time.FixedZone("", 8*3600))}}
		return out
	default:
		return out
	}
}

// requestOf is an example of a request of the type of v: without what the node sets.
func requestOf(v any) any {
	one := exampleOf(v)
	typ := reflect.TypeOf(one)
	if typ.Kind() != reflect.Struct {
		return one
	}
	fields := object{}
	raw, err := json.Marshal(one)
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	if err != nil {
		panic(fmt.Sprintf("describing the API: the example of %v is no JSON object: %v", typ, err))
	}
	for _, name := range leftOut(typ) {
		delete(fields, name)
	}
	return fields
}

// capMessage is a message as a central system sends it.
const capMessage = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>8f3c</identifier><sender>observatory@example.org</sender>` +
	`<sent>2026-07-20T17:40:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>` +
	`<info><language>en</language><category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity>` +
	`<certainty>Observed</certainty><expires>2026-07-20T18:40:00+08:00</expires><headline>Go to the second floor</headline>` +
	`<area><areaDesc>On Ting</areaDesc><circle>22.39,113.97 0.5</circle></area></info></alert>`

// capReply is what CAP answers to it: an Ack or an Error with a note.
func capReply(kind, note string) string {
	return `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>reply-1</identifier><sender>almenara.tuen-mun</sender>` +
		`<sent>2026-07-20T17:40:01+08:00</sent><status>Actual</status><msgType>` + kind + `</msgType><scope>Private</scope>` +
		`<addresses>observatory@example.org</addresses><note>` + note + `</note>` +
		`<references>observatory@example.org,8f3c,2026-07-20T17:40:00+08:00</references></alert>`
}

var capError = capReply("Error", "refused: nothing was sent: the area names no place of this district")

// texts are bodies that are not JSON, by their media type.
var texts = map[string]string{
	MediaCSV:   "id,name,kind,place,languages,risk\nr-0001,Chan Tai Man,resident,tuen-mun/on-ting/on-lai,zh-HK,high\n",
	MediaCAP:   capMessage,
	MediaJPEG:  "\u00ff\u00d8\u00ff…",
	MediaBytes: "ALMBACK\u0001…",
	MediaAny:   "header { padding: 1rem }",
	MediaLines: `{"from":1,"prev":"3e08"}` + "\n" +
		`{"n":1,"index":7,"at":1784540400000,"actor":"chief","action":"put-policy","summary":"2 rules","hash":"9c1d","outcome":1}` + "\n" +
		`{"head":1,"hash":"9c1d"}` + "\n",
	"text/html":  "<!doctype html><html lang=\"en\"><h1>In agreement with the district</h1></html>",
	"text/plain": "# TYPE almenara_node_alone gauge\nalmenara_node_alone 0\n",
}

// inKind are answers beside JSON, by their media type.
var inKind = map[string]string{
	MediaCAP: capReply("Ack", "held, in-force: 12 members addressed; alert "+exampleID),
	MediaCSV: "member,name,kind,place,rung,at,reason,since,unanswered,rung_from\r\n" +
		"lift-0042,,screen,tuen-mun/on-ting/on-lai,presented,2026-07-20T09:40:02Z,,,,district\r\n",
}

// textOf is an example of an answer that is not JSON.
func textOf(route Route) string {
	if route.Returns == MediaEvents {
		return "id: n1-7\nevent: receipts\ndata: " + strings.TrimSpace(linesOf(exampleOf(route.Answer))) + "\n\n"
	}
	return texts[route.Returns]
}

// linesOf writes values as JSON, one a line.
func linesOf(all ...any) string {
	var out strings.Builder
	for _, v := range all {
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			panic(fmt.Sprintf("describing the API: writing an example: %v", err))
		}
	}
	return out.String()
}

// problems are what errors may say, by their kind.
var problems = map[wire.Kind]string{
	wire.KindMalformed:       "the selection cannot be read: it ends after \"and\"",
	wire.KindUnauthenticated: "this needs a token in the header Authorization: Bearer",
	wire.KindForbidden:       "nothing was sent: it addresses 40 members outside tuen-mun/on-ting, where warden may warn",
	wire.KindNotFound:        "no alert " + exampleID + " is known here",
	wire.KindConflict:        "the message is known with another content; this one was refused, the first one stands",
	wire.KindTooLarge:        "the body is larger than 1048576 bytes, the most that is taken here",
	wire.KindRefused:         "nothing was sent: the selection kind = siren selects nobody",
	wire.KindInternal:        "the node met a fault of its own; its log says more",
	wire.KindOverBudget:      "nothing was sent: duty has 40 alerts in force or to come in tuen-mun/on-ting/on-lai, the most that one sender may; cancel one or wait until 14:05 UTC on 20 July",
	wire.KindBusy:            "the district is busy; nothing happened, try again",
	wire.KindNoQuorum:        "this needs a majority of the district's nodes, and none can be reached from here",
	wire.KindNotReady:        "the node is stopping; nothing happened",
	wire.KindUnknownOutcome:  "it is not known whether this happened; look before you repeat it",
}

// problemList are examples of all kinds of errors.
func problemList() object {
	out := object{}
	for kind, sentence := range problems {
		out[kind] = object{"value": wire.Problem{Kind: kind, Sentence: sentence}}
	}
	return out
}
