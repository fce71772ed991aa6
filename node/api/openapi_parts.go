package api

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"almenara/node/wire"
)

// tags are the parts of the API, by the first word of a path below /api/v1.
var tags = []struct{ name, description string }{
	{"alerts", "Alerts and CAP messages: send, approve, change, end, and see whom they reached."},
	{"audience", "Members, places and devices: who can be warned."},
	{"rules", "Scenarios, policy and licences: who may warn, and what waits for whom."},
	{"users", "Users, their tokens, and the audit."},
	{"nodes", "The boxes of the district."},
}

func tagList() []any {
	var all []any
	for _, t := range tags {
		all = append(all, object{"name": t.name, "description": t.description})
	}
	return all
}

var tagOfWord = map[string]string{
	"cap": "alerts", "alerts": "alerts", "events": "alerts",
	"audience": "audience", "places": "audience", "devices": "audience",
	"scenarios": "rules", "policy": "rules", "licences": "rules",
	"users": "users", "audit": "users",
}

// tagOf is the part that a route belongs to.
func tagOf(route Route) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/api/v1/"), "/")
	if tag := tagOfWord[word]; tag != "" {
		return tag
	}
	return "nodes"
}

// pathNames says what the names in a path stand for.
var pathNames = map[string]string{
	"id":   "the id of what is meant, as lists and answers show it; of alerts and licences the beginning of it will do, 4 characters at least, where it is clear what is meant; of nodes the name, too",
	"name": "the name of the user",
}

// errorsOf lists the errors that a route may answer, by what it takes.
func errorsOf(route Route) object {
	codes := []int{http.StatusTooManyRequests, http.StatusInternalServerError}
	if !route.Open {
		codes = append(codes, http.StatusUnauthorized, http.StatusForbidden)
	}
	takesBody := route.Request != nil || route.Accepts != ""
	if takesBody || len(route.Params) > 0 {
		codes = append(codes, http.StatusBadRequest)
	}
	if takesBody {
		codes = append(codes, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity)
	}
	if strings.Contains(route.Path, "{id}") || strings.Contains(route.Path, "{name}") {
		codes = append(codes, http.StatusNotFound)
	}
	if strings.Contains(route.Path, "/alerts/{id}") || strings.Contains(route.Path, "/nodes/{id}") {
		codes = append(codes, http.StatusConflict) // the beginning of more than one id
	}
	if route.Method != http.MethodGet {
		codes = append(codes, http.StatusConflict, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
	} else if route.Agreed {
		codes = append(codes, http.StatusServiceUnavailable)
	}
	answered := map[int]bool{}
	for _, code := range statuses {
		answered[code] = true
	}
	out := object{}
	for _, code := range codes {
		if !answered[code] {
			continue
		}
		out[strconv.Itoa(code)] = object{"$ref": "#/components/responses/" + responseName(code)}
	}
	return out
}

// responseName names the response of an error: TooManyRequests.
func responseName(code int) string { return strings.ReplaceAll(http.StatusText(code), " ", "") }

// errorResponses are the answers of all kinds of errors, by their HTTP status.
func errorResponses() object {
	kinds := map[int][]wire.Kind{}
	for _, kind := range wire.Kinds() {
		kinds[statuses[kind]] = append(kinds[statuses[kind]], kind)
	}
	out := object{}
	delete(kinds, http.StatusMethodNotAllowed) // of no route
	for code, names := range kinds {
		slices.Sort(names)
		out[responseName(code)] = object{
			"description": "One sentence that says what is wrong. Kind: " + strings.Join(names, ", ") + ".",
			"content": object{"application/json": object{
				"schema": ref("Problem"), "example": wire.Problem{Kind: names[0], Sentence: errorExamples[names[0]]},
			}},
		}
	}
	return out
}

var errorExamples = map[wire.Kind]string{
	wire.KindMalformed:       "the selection cannot be read: it ends after \"and\"",
	wire.KindUnauthenticated: "this needs a bearer token",
	wire.KindForbidden:       "nothing was sent: it addresses 40 members outside tuen-mun/on-ting, where warden may warn",
	wire.KindNotFound:        "no alert abcdefghijklmnopqrstuvwxyz is known here",
	wire.KindNotAllowed:      "this path takes GET",
	wire.KindConflict:        "the message is known with another content; this one was refused, the first one stands",
	wire.KindTooLarge:        "the body is larger than 1048576 bytes, the most that is taken here",
	wire.KindRefused:         "nothing was sent: the selection kind = siren selects nobody",
	wire.KindInternal:        "the node met a fault of its own; its log says more",
	wire.KindOverBudget:      "nothing was sent: duty has 40 alerts in force or to come in tuen-mun/on-ting/on-lai, the most that one sender may; cancel one or wait until 14:05 UTC on 20 July",
	wire.KindBusy:            "too many alerts wait for a majority of the district's nodes; nothing was sent, try again",
	wire.KindUnknownOutcome:  "it is not known whether this happened; look before you repeat it",
}

// exampleTime is the time in examples.
var exampleTime = time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)

const exampleID = "abcdefghijklmnopqrstuvwxyz"

// examples are bodies as they may look, by their type.
var examples = map[reflect.Type]any{}

func example(v any) { examples[reflect.TypeOf(v)] = v }

func init() {
	counts := wire.Counts{Total: 12, ByKind: []wire.Count{{Name: "screen", Count: 12}}, ByPlace: []wire.Count{{Name: "tuen-mun/on-ting/on-lai", Count: 12}}}
	example(wire.SendAlert{Scenario: "flood", Blanks: map[string]string{"where": "Block 2"}, Incident: "i-7", Reason: "seen by the warden"})
	example(wire.CancelAlert{Reason: "the water has gone"})
	example(wire.Outcome{Alert: exampleID, Revision: 1_784_540_400_000, Key: "almenara.tuen-mun,8f3c,2026-07-20T17:40:00+08:00", MsgType: "Alert", State: wire.StateInForce, Replication: wire.ReplicationHeld, HeldBy: 2, HeldOf: 3, Addressed: counts, Connected: 11})
	example(wire.Alert{
		ID: exampleID, Revision: 1_784_540_400_000, Key: "almenara.tuen-mun,8f3c,2026-07-20T17:40:00+08:00", State: wire.StateInForce, Replication: wire.ReplicationCommitted, Status: "Actual",
		MsgType: "Alert", Headline: "Go to the second floor", Sent: exampleTime, Expires: exampleTime.Add(time.Hour), Addressed: counts,
		Rungs: wire.Rungs{Queued: 12, Sent: 11, Delivered: 11, Verified: 11, Presented: 10},
	})
	example(wire.ReceiptRow{Member: "lift-0042", Kind: "screen", Place: "tuen-mun/on-ting/on-lai", Rung: "delivered"})
	example(wire.Enrol{ID: "lift-0042", Kind: "screen", Place: "tuen-mun/on-ting/on-lai"})
	example(wire.AddUser{Name: "warden", Roles: []string{RoleComposer}, Places: []string{"tuen-mun/on-ting"}})
	example(wire.Invite{Minutes: 30})
	example(wire.Place{Path: "tuen-mun/on-ting/on-lai", Names: map[string]string{"en": "On Lai House", "zh-HK": "安麗樓"}})
	example(wire.Selected{Expression: "kind = screen", Counts: counts})
	example(wire.Health{Ready: true})
}

// bodyExamples are bodies that are not JSON, by their media type.
var bodyExamples = map[string]any{
	"text/csv": "id,name,kind,place,languages,risk\nr-0001,Chan Tai Man,resident,tuen-mun/on-ting/on-lai,zh-HK,high\n",
	mediaCAP: "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>8f3c</identifier><sender>observatory@example.org</sender>" +
		"<sent>2026-07-20T17:40:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope></alert>",
}

// exampleOf is an example of the type of v; nil where there is none.
func exampleOf(v any) any {
	if either, ok := v.(oneOrMore); ok {
		return exampleOf(either.of)
	}
	t := reflect.TypeOf(v)
	if t == nil {
		return nil
	}
	if t.Kind() == reflect.Slice {
		if one, ok := examples[t.Elem()]; ok {
			return []any{one}
		}
		return nil
	}
	one, ok := examples[t]
	if !ok {
		return nil
	}
	return one
}
