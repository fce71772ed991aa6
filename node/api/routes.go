package api

import (
	"encoding/json"
	"net/http"
	"slices"

	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// The roles that a token may have, by the names that authority gives them.
const (
	RoleViewer          = authority.RoleViewer
	RoleComposer        = authority.RoleComposer
	RoleApprover        = authority.RoleApprover
	RoleAudienceManager = authority.RoleAudienceManager
	RoleCorrector       = authority.RoleCorrector
	RoleDeviceManager   = authority.RoleDeviceManager
	RoleAuditor         = authority.RoleAuditor
	RoleAdministrator   = authority.RoleAdministrator
)

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

// maxEnrol is the most devices that one request may enrol: as many as one entry of the
// log holds, so that all are enrolled or none, and no secret is lost with a later one.
const maxEnrol = 500

// Route is one line of the API: the only place that says what exists. Who may is in
// authority's table, under the route's action.
type Route struct {
	Method  string
	Path    string           // a pattern of http.ServeMux
	Action  authority.Action // says who may; empty where the route is open
	Roles   []string         // that may, as authority's table has it: Routes fills it in
	Open    bool             // needs no token
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
	raw   []byte // the body, where it is not read as it comes
	work  *inflight.Working
}

// handler answers one call. A returned error is answered by the one function that
// knows how; then nothing may have been written.
type handler func(h *Handler, c call) error

var (
	paramWait = Param{
		Name: "wait", Type: "string", Enum: []string{string(wire.WaitLocal), string(wire.WaitHeld), string(wire.WaitCommitted)},
		Summary: "how far the fact must get before the answer, 3 seconds at most, and 0.2 on a node that is alone; local when absent",
	}
	paramDryRun = Param{
		Name: "dry_run", Type: "boolean",
		Summary: "verify everything and say whom it would address, record and send nothing; the answer is JSON, with \"dry_run\": true; who asks for more than some seconds of work is answered 429",
	}
	paramPage       = Param{Name: "after", Type: "string", Summary: "where the page begins: the header Almenara-Next of the page before"}
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
		if line := authority.LineOf(route.Action); !route.Open {
			all[i].Roles = line.Roles
			if len(line.Roles) == 0 {
				all[i].Roles = []string{authority.RoleAdministrator}
			}
		}
		if route.Agreed {
			all[i].Params = append(slices.Clone(route.Params), paramConsistent)
		}
	}
	return all
}

func alertRoutes() []Route {
	return []Route{
		{
			Method: "POST", Path: "/api/v1/cap", Action: authority.Send, MaxBody: alert.MaxMessageBytes,
			Summary: "Take a CAP 1.2 message. What has run out is put on record, and effect says that nobody is warned; 409 where an Update would lose against another one only because both are of one second. With Accept: application/cap+xml the answer is a CAP Ack or Error.",
			Params: []Param{
				{Name: "select", Type: "string", Summary: "a selection that narrows the message's own areas"}, paramWait, paramDryRun,
			},
			Accepts: mediaCAP, Answer: wire.Outcome{}, handle: (*Handler).takeCAP,
		},
		{
			Method: "POST", Path: "/api/v1/alerts", Action: authority.Send, MaxBody: bodyAlert,
			Summary: "Send an alert written in JSON with CAP's field names. One that has run out is refused, and so are texts of which devices would show nothing; what the node writes stands above what it knows of the alert, also within a second.",
			Params:  []Param{paramWait, paramDryRun}, Request: wire.SendAlert{}, Answer: wire.Outcome{}, handle: (*Handler).sendAlert,
		},
		{
			Method: "GET", Path: "/api/v1/alerts", Action: authority.ReadAlerts,
			Summary: "List alerts, newest first. A page that is not the last one has a Link to the next (rel=next).",
			Params:  []Param{paramPage, paramLimit}, Answer: []wire.Alert{}, handle: (*Handler).listAlerts,
		},
		{
			Method: "GET", Path: "/api/v1/alerts/{id}", Action: authority.ReadAlerts, Summary: "Show one alert and whom it reached.",
			Answer: wire.Alert{}, handle: (*Handler).showAlert,
		},
		{
			Method: "POST", Path: "/api/v1/alerts/{id}/correct", Action: authority.Correct, MaxBody: bodyJSON,
			Summary: "Say other words to the same people, by an Update of the alert in force. Its areas, its selection and how loud it is stay as " +
				"they are, so that whoever sent it needs no approval.",
			Params: []Param{paramWait, paramDryRun}, Request: wire.CorrectAlert{}, Answer: wire.Outcome{}, handle: (*Handler).correctAlert,
		},
		{
			Method: "POST", Path: "/api/v1/alerts/{id}/cancel", Action: authority.Cancel, MaxBody: bodyJSON,
			Summary: "Cancel an alert. It is terminal and needs no approval.",
			Params:  []Param{paramWait}, Request: wire.CancelAlert{}, Answer: wire.Outcome{}, handle: (*Handler).cancelAlert,
		},
		{
			Method: "GET", Path: "/api/v1/alerts/{id}/receipts", Action: authority.ReadAlerts,
			Summary: "List the addressed members and those who joined that are at a rung or above, or still below it and why, for which every node is asked. A page that is not the last one has a Link to the next (rel=next). With Accept: text/csv the answer is CSV. 403 where the alert was addressed by tags, languages or addresses and the caller is neither composer nor audience manager. The header Almenara-Counts-From says whose knowledge it is: district or this_node.",
			Params: []Param{
				{Name: "rung", Type: "string", Summary: "presented when absent", Enum: rungs},
				{Name: "missing", Type: "boolean", Summary: "those below the rung instead"}, paramPage, paramLimit,
			},
			Answer: []wire.ReceiptRow{}, handle: (*Handler).alertReceipts,
		},
		{
			Method: "GET", Path: "/api/v1/alerts/{id}/cap", Action: authority.ReadAlerts,
			Summary: "The original bytes of the alert's current CAP message; 403 where it has addresses and the caller may not read persons, 503 while no node that can be reached has those of a large one, 404 where they were not kept.",
			Returns: mediaCAP, handle: (*Handler).alertMessage,
		},
		{
			Method: "GET", Path: "/api/v1/events", Action: authority.ReadAlerts,
			Summary: "Server-sent events as they happen; each has an id, and a comment comes every 15 seconds.",
			Params:  []Param{{Name: "alert", Type: "string", Summary: "only events of this alert: its id, or the beginning of it"}},
			Returns: mediaEvents, Answer: wire.Event{}, handle: (*Handler).events,
		},
	}
}

func audienceRoutes() []Route {
	return []Route{
		{
			Method: "POST", Path: "/api/v1/audience/import", Action: authority.ChangeAudience, MaxBody: bodyImport,
			Summary: "Import members from CSV: all rows or none. With Accept: application/x-ndjson the answer is a line for each " +
				"step, every 250 ms at most and every 15 seconds at least, and at last one with the report or the problem.",
			Params: []Param{
				{Name: "dry_run", Type: "boolean", Summary: "say what would change, change nothing"},
				{Name: "replace", Type: "boolean", Summary: "remove the members that the file does not hold; 409 where devices are enrolled for some of them"},
				{Name: "yes", Type: "boolean", Summary: "with replace: remove also members that devices are enrolled for; no alert reaches those then"},
			},
			Accepts: "text/csv", Answer: wire.Imported{}, Lines: wire.Progress{}, handle: (*Handler).importAudience,
		},
		{
			Method: "GET", Path: "/api/v1/audience/select", Action: authority.ReadAudience, Agreed: true,
			Summary: "Count a selection by kind and place, and list its first members: ids, kinds and places; everything that is known of them to audience managers. Of a selection by tags or languages everybody else gets counts in fives (`rounded_to`), over kinds and whole blocks that are joined by `and`, and 403 where it is anything else, fewer than five members or names them.",
			Params: []Param{
				{Name: "expr", Type: "string", Summary: "place under tuen-mun and not kind = speaker"}, paramAfter, paramLimit,
			},
			Answer: wire.Selected{}, handle: (*Handler).selectAudience,
		},
		{
			Method: "GET", Path: "/api/v1/places", Action: authority.ReadAudience, Agreed: true, Summary: "List the place tree.",
			Answer: []wire.Place{}, handle: (*Handler).listPlaces,
		},
		{
			Method: "PUT", Path: "/api/v1/places", Action: authority.ChangeAudience, MaxBody: bodyPlaces,
			Summary: "Add or change places.", Request: []wire.Place{}, handle: (*Handler).putPlaces,
		},
		{
			Method: "GET", Path: "/api/v1/devices", Action: authority.ReadDevices, Agreed: true, Summary: "List devices in the order of their ids, 1,000 at most. Every node is asked which are connected to it; of a device that no node has while some do not answer within a second, connected is absent and unanswered names them. A page that is not the last one has a Link to the next (rel=next).",
			Params: []Param{paramPage, paramLimit}, Answer: []wire.Device{}, handle: (*Handler).listDevices,
		},
		{
			Method: "POST", Path: "/api/v1/devices", Action: authority.ChangeDevices, MaxBody: bodyJSON,
			Summary: "Enrol one device, or up to 500 as an array, all or none. The answer has the same shape and holds the secrets. " +
				"409 where one is enrolled already: rotate gives it a new secret.",
			Request: oneOrMore{wire.Enrol{}}, Answer: oneOrMore{wire.Enrolled{}}, handle: (*Handler).enrolDevices,
		},
		{
			Method: "DELETE", Path: "/api/v1/devices/{id}", Action: authority.ChangeDevices,
			Summary: "Revoke a device and end its connection.", handle: (*Handler).revokeDevice,
		},
	}
}

func peopleRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/api/v1/users", Action: authority.ReadUsers, Agreed: true, Summary: "List users and tokens, without secrets.",
			Answer: []wire.User{}, handle: (*Handler).listUsers,
		},
		{
			Method: "POST", Path: "/api/v1/users", Action: authority.ChangeUsers, MaxBody: bodyJSON,
			Summary: "Add a user. The answer holds the token, shown only once.",
			Request: wire.AddUser{}, Answer: wire.User{}, handle: (*Handler).addUser,
		},
		{
			Method: "PUT", Path: "/api/v1/users/{name}", Action: authority.ChangeUsers, MaxBody: bodyJSON,
			Summary: "Say of a user whether it is a person or a central system. Token, roles, senders and places stay.",
			Request: wire.SetUser{}, handle: (*Handler).setUser,
		},
		{
			Method: "DELETE", Path: "/api/v1/users/{name}", Action: authority.ChangeUsers,
			Summary: "Revoke a user and the token, at once.", handle: (*Handler).revokeUser,
		},
		{
			Method: "GET", Path: "/api/v1/audit", Action: authority.ReadAudit,
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
	return []Route{
		{
			Method: "GET", Path: "/api/v1/status", Action: authority.ReadDistrict, Summary: "What this node knows of itself and its district.",
			Params: []Param{{Name: "hash", Type: "boolean", Summary: "also hash the agreed state, which takes a while"}},
			Answer: wire.Status{}, handle: (*Handler).status,
		},
		{
			Method: "GET", Path: "/api/v1/splits", Action: authority.ReadAlerts,
			Summary: "What was done while nodes were without a majority, the newest split first: who was warned, where, when, " +
				"by whom, under which policy, what was double or came late. Every node says the same.",
			Params: []Param{paramLimit}, Answer: []wire.Split{}, handle: (*Handler).splits,
		},
		{
			Method: "POST", Path: "/api/v1/nodes/invite", Action: authority.ChangeNodes, MaxBody: bodyJSON,
			Summary: "Make a one-time token with which a new node joins.",
			Request: wire.Invite{}, Answer: wire.Invited{}, handle: (*Handler).invite,
		},
		{
			Method: "DELETE", Path: "/api/v1/nodes/{id}", Action: authority.ChangeNodes,
			Summary: "Remove a node from the district for good: by its id, the beginning of it, or its name; 409 where several nodes are meant. When this is agreed and cannot be finished yet (503, busy), the district finishes it by itself.", handle: (*Handler).removeNode,
		},
		{
			Method: "GET", Path: "/api/v1/backup", Action: authority.Backup,
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
