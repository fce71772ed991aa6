package api

import (
	"encoding/json"
	"net/http"
	"slices"

	"almenara/node/wire"
	"almenara/storage/alert"
)

// The roles that a token may have. An administrator may do everything.
const (
	RoleViewer          = "viewer"
	RoleComposer        = "composer"
	RoleApprover        = "approver"
	RoleAudienceManager = "audience-manager"
	RoleDeviceManager   = "device-manager"
	RoleAuditor         = "auditor"
	RoleAdministrator   = "administrator"
)

// Roles lists every role that a user may be given.
func Roles() []string {
	return []string{
		RoleViewer, RoleComposer, RoleApprover, RoleAudienceManager, RoleDeviceManager, RoleAuditor, RoleAdministrator,
	}
}

// Largest request bodies, in bytes: a CAP message is alert.MaxMessageBytes at most. An import carries 1,000,000 members at about
// 160 bytes a row, with a little slack.
const (
	bodyJSON   = 1 << 20
	bodyAlert  = alert.MaxMessageBytes + 64<<10 // what stands around the message in JSON
	bodyPlaces = 16 << 20
	bodyImport = 161 << 20
)

// onlyHere ends a pattern of http.ServeMux that matches this path and none below it.
const onlyHere = "{$}"

// maxEnrol is the most devices that one request may enrol.
const maxEnrol = 2000

// Route is one line of the API: the only place that says what exists and who may.
type Route struct {
	Method  string
	Path    string // a pattern of http.ServeMux
	Roles   []string
	Open    bool // needs no token; Roles is empty
	MaxBody int64
	Summary string
	Params  []Param // of the query; every other parameter is refused
	Request any     // a value of the type that the JSON body holds; nil is no JSON body
	Accepts string  // media type of a body that is not JSON
	Answer  any     // a value of the type that the answer holds; nil is no body
	Returns string  // media type of an answer that is not JSON
	Lines   any     // a value of the type of the lines before Answer, where the caller wants mediaLines; nil is no such answer
	Agreed  bool    // it reads the agreed part, of this node's copy or, with consistent=true, of the district's
	Unready any     // a value of the type that a 503 holds, where it is no Problem

	handle handler
}

// Param is one parameter of the query.
type Param struct {
	Name    string
	Type    string // string, integer or boolean
	Summary string
	Enum    []string
}

// call is one request of a caller who may make it.
type call struct {
	route Route
	w     http.ResponseWriter
	r     *http.Request
	by    Caller // the zero value where the route is open
	query *query
}

// handler answers one call. A returned error is answered by the one function that
// knows how; then nothing may have been written.
type handler func(h *Handler, c call) error

var anyRole = Roles()

var (
	paramWait = Param{
		Name: "wait", Type: "string", Enum: []string{string(WaitLocal), string(WaitReached), string(WaitCommitted)},
		Summary: "how far the fact must get before the answer, 3 seconds at most; local when absent",
	}
	paramDryRun = Param{
		Name: "dry_run", Type: "boolean",
		Summary: "verify everything and say whom it would address, record and send nothing; the answer is JSON, with the state \"dry run\"",
	}
	paramLimit      = Param{Name: "limit", Type: "integer", Summary: "the most rows to answer"}
	paramConsistent = Param{
		Name: "consistent", Type: "boolean",
		Summary: "answer only when this node's copy holds everything that was answered anywhere before; needs a majority",
	}
	paramAfter = Param{Name: "after", Type: "string", Summary: "the id after which the page starts"}
)

// Routes is the route table, in the order of the documents.
func Routes() []Route {
	all := alertRoutes()
	all = append(all, authorityRoutes()...)
	all = append(all, audienceRoutes()...)
	all = append(all, peopleRoutes()...)
	all = append(all, nodeRoutes()...)
	for i, route := range all {
		if route.Agreed {
			all[i].Params = append(slices.Clone(route.Params), paramConsistent)
		}
	}
	return all
}

func alertRoutes() []Route {
	return []Route{
		{
			Method: "POST", Path: "/api/v1/cap", Roles: []string{RoleComposer}, MaxBody: alert.MaxMessageBytes,
			Summary: "Take a CAP 1.2 message. With Accept: application/cap+xml the answer is a CAP Ack or Error.",
			Params: []Param{
				{Name: "select", Type: "string", Summary: "a selection that narrows the message's own areas"}, paramWait, paramDryRun,
			},
			Accepts: mediaCAP, Answer: wire.Outcome{}, handle: (*Handler).takeCAP,
		},
		{
			Method: "POST", Path: "/api/v1/alerts", Roles: []string{RoleComposer}, MaxBody: bodyAlert,
			Summary: "Send an alert written in JSON with CAP's field names.",
			Params:  []Param{paramWait, paramDryRun}, Request: wire.SendAlert{}, Answer: wire.Outcome{}, handle: (*Handler).sendAlert,
		},
		{
			Method: "GET", Path: "/api/v1/alerts", Roles: anyRole, Summary: "List alerts, newest first.",
			Params: []Param{paramLimit}, Answer: []wire.Alert{}, handle: (*Handler).listAlerts,
		},
		{
			Method: "GET", Path: "/api/v1/alerts/{id}", Roles: anyRole, Summary: "Show one alert and whom it reached.",
			Answer: wire.Alert{}, handle: (*Handler).showAlert,
		},
		{
			Method: "POST", Path: "/api/v1/alerts/{id}/cancel", Roles: []string{RoleComposer, RoleApprover}, MaxBody: bodyJSON,
			Summary: "Cancel an alert. It is terminal and needs no approval.",
			Params:  []Param{paramWait}, Request: wire.CancelAlert{}, Answer: wire.Outcome{}, handle: (*Handler).cancelAlert,
		},
		{
			Method: "GET", Path: "/api/v1/alerts/{id}/receipts", Roles: anyRole,
			Summary: "List the addressed members at a rung or above, or those still below it.",
			Params: []Param{
				{Name: "rung", Type: "string", Summary: "presented when absent", Enum: rungs},
				{Name: "missing", Type: "boolean", Summary: "those below the rung instead"}, paramLimit,
			},
			Answer: []wire.ReceiptRow{}, handle: (*Handler).alertReceipts,
		},
		{
			Method: "GET", Path: "/api/v1/alerts/{id}/cap", Roles: anyRole,
			Summary: "The original bytes of the alert's current CAP message.",
			Returns: mediaCAP, handle: (*Handler).alertMessage,
		},
		{
			Method: "GET", Path: "/api/v1/events", Roles: anyRole,
			Summary: "Server-sent events as they happen; each has an id, and a comment comes every 15 seconds.",
			Params:  []Param{{Name: "alert", Type: "string", Summary: "only events of this alert"}},
			Returns: mediaEvents, Answer: wire.Event{}, handle: (*Handler).events,
		},
	}
}

func audienceRoutes() []Route {
	return []Route{
		{
			Method: "POST", Path: "/api/v1/audience/import", Roles: []string{RoleAudienceManager}, MaxBody: bodyImport,
			Summary: "Import members from CSV: all rows or none. With Accept: application/x-ndjson the answer is a line for each " +
				"step, every 250 ms at most and every 15 seconds at least, and at last one with the report or the problem.",
			Params: []Param{
				{Name: "dry_run", Type: "boolean", Summary: "say what would change, change nothing"},
				{Name: "replace", Type: "boolean", Summary: "remove the members that the file does not hold"},
			},
			Accepts: "text/csv", Answer: wire.Imported{}, Lines: wire.Progress{}, handle: (*Handler).importAudience,
		},
		{
			Method: "GET", Path: "/api/v1/audience/select", Roles: anyRole, Agreed: true,
			Summary: "Count a selection by kind and place, and list its first members.",
			Params: []Param{
				{Name: "expr", Type: "string", Summary: "place under tuen-mun and not kind = speaker"}, paramAfter, paramLimit,
			},
			Answer: wire.Selected{}, handle: (*Handler).selectAudience,
		},
		{
			Method: "GET", Path: "/api/v1/places", Roles: anyRole, Agreed: true, Summary: "List the place tree.",
			Answer: []wire.Place{}, handle: (*Handler).listPlaces,
		},
		{
			Method: "PUT", Path: "/api/v1/places", Roles: []string{RoleAudienceManager}, MaxBody: bodyPlaces,
			Summary: "Add or change places.", Request: []wire.Place{}, handle: (*Handler).putPlaces,
		},
		{
			Method: "GET", Path: "/api/v1/devices", Roles: anyRole, Agreed: true, Summary: "List devices in the order of their ids.",
			Params: []Param{paramAfter, paramLimit}, Answer: []wire.Device{}, handle: (*Handler).listDevices,
		},
		{
			Method: "POST", Path: "/api/v1/devices", Roles: []string{RoleDeviceManager}, MaxBody: bodyJSON,
			Summary: "Enrol one device, or up to 2,000 as an array. The answer has the same shape and holds the secrets.",
			Request: oneOrMore{wire.Enrol{}}, Answer: oneOrMore{wire.Enrolled{}}, handle: (*Handler).enrolDevices,
		},
		{
			Method: "DELETE", Path: "/api/v1/devices/{id}", Roles: []string{RoleDeviceManager},
			Summary: "Revoke a device and end its connection.", handle: (*Handler).revokeDevice,
		},
	}
}

func peopleRoutes() []Route {
	admin := []string{RoleAdministrator}
	return []Route{
		{
			Method: "GET", Path: "/api/v1/users", Roles: admin, Agreed: true, Summary: "List users and tokens, without secrets.",
			Answer: []wire.User{}, handle: (*Handler).listUsers,
		},
		{
			Method: "POST", Path: "/api/v1/users", Roles: admin, MaxBody: bodyJSON,
			Summary: "Add a user. The answer holds the token, shown only once.",
			Request: wire.AddUser{}, Answer: wire.User{}, handle: (*Handler).addUser,
		},
		{
			Method: "DELETE", Path: "/api/v1/users/{name}", Roles: admin,
			Summary: "Revoke a user and the token, at once.", handle: (*Handler).revokeUser,
		},
		{
			Method: "GET", Path: "/api/v1/audit", Roles: []string{RoleAuditor},
			Summary: "Export the audit chain, one JSON object a line, oldest first.",
			Params: []Param{
				{Name: "from", Type: "integer", Summary: "first index; 0 is the first there is"},
				{Name: "to", Type: "integer", Summary: "last index; 0 is the newest"},
			},
			Returns: mediaLines, handle: (*Handler).exportAudit,
		},
	}
}

func nodeRoutes() []Route {
	admin := []string{RoleAdministrator}
	return []Route{
		{
			Method: "GET", Path: "/api/v1/status", Roles: anyRole, Summary: "What this node knows of itself and its district.",
			Params: []Param{{Name: "hash", Type: "boolean", Summary: "also hash the agreed state, which takes a while"}},
			Answer: wire.Status{}, handle: (*Handler).status,
		},
		{
			Method: "GET", Path: "/api/v1/splits", Roles: anyRole,
			Summary: "What was done while nodes were without a majority, the newest split first: who was warned, where, when, " +
				"by whom, under which policy, what was double or came late. Every node says the same.",
			Params: []Param{paramLimit}, Answer: []wire.Split{}, handle: (*Handler).splits,
		},
		{
			Method: "POST", Path: "/api/v1/nodes/invite", Roles: admin, MaxBody: bodyJSON,
			Summary: "Make a one-time token with which a new node joins.",
			Request: wire.Invite{}, Answer: wire.Invited{}, handle: (*Handler).invite,
		},
		{
			Method: "DELETE", Path: "/api/v1/nodes/{id}", Roles: admin,
			Summary: "Remove a node from the district for good. When this is agreed and cannot be finished yet (503, busy), the district finishes it by itself.", handle: (*Handler).removeNode,
		},
		{
			Method: "GET", Path: "/api/v1/backup", Roles: admin,
			Summary: "A backup of the district in one file. It holds the district's private keys and is not encrypted.",
			Returns: mediaBytes, handle: (*Handler).backup,
		},
		{
			Method: "GET", Path: "/api/v1/openapi.json", Open: true, Summary: "This description.",
			Answer: json.RawMessage{}, handle: (*Handler).serveOpenAPI,
		},
		{
			Method: "GET", Path: "/" + onlyHere, Open: true,
			Summary: "The board: a page that says whether this node agrees with its district or is alone, and what works. It loads itself again every 5 s.",
			Params:  []Param{{Name: "lang", Type: "string", Summary: "language; else that of Accept-Language", Enum: []string{"en", "zh-Hant"}}},
			Returns: "text/html", handle: (*Handler).board,
		},
		{
			Method: "GET", Path: "/healthz", Open: true, Summary: "Answers while the process serves requests.",
			Answer: wire.Health{}, handle: (*Handler).healthz,
		},
		{
			Method: "GET", Path: "/readyz", Open: true, Summary: "200 when the node can do its work, else 503 and why not.",
			Answer: wire.Health{}, Unready: wire.Health{}, handle: (*Handler).readyz,
		},
		{
			Method: "GET", Path: "/metrics", Open: true, Summary: "Metrics in Prometheus text format: numbers only.",
			Returns: "text/plain", handle: (*Handler).metrics,
		},
	}
}
