package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/pages"
	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/web"
	"almenara/node/wire"
)

// happy is one good request for each route: body, query, status and what the
// service must have been asked.
var happy = map[string]struct {
	query, body string
	status      int
	asked       string
	answer      string // a part of the answer
}{
	"POST /api/v1/cap": {
		query: "?select=kind+%3D+screen&wait=held", body: "<alert/>", status: 202,
		asked: `TakeCAP <alert/> "kind = screen" held`, answer: `"replication":"committed"`,
	},
	"POST /api/v1/alerts": {
		body: `{"alert":{"status":"Exercise"},"select":"all"}`, status: 202,
		asked: `SendAlert {"status":"Exercise"} "all" local`, answer: `"reachable":311`,
	},
	"GET /api/v1/alerts": {query: "?limit=7&after=l.3.0", status: 200, asked: `ListAlerts "l.3.0" 7`, answer: `"state":"in-force"`},
	"GET /api/v1/alerts/{id}": {
		status: 200, asked: "ShowAlert " + apitest.AlertID, answer: `"by_group"`,
	},
	"POST /api/v1/alerts/{id}/correct": {
		query: "?wait=committed", body: `{"texts":[{"language":"en","headline":"Block 2"}],"reason":"wrong block"}`, status: 202,
		asked: "UpdateAlert " + apitest.AlertID + ` 1 map[] "" "" "wrong block" false committed`, answer: `"alert"`,
	},
	"POST /api/v1/alerts/{id}/update": {
		query: "?wait=committed", body: `{"severity":"Extreme","select":"all","reason":"worse"}`, status: 202,
		asked: "UpdateAlert " + apitest.AlertID + ` 0 map[] "Extreme" "all" "worse" false committed`, answer: `"alert"`,
	},
	"POST /api/v1/alerts/{id}/cancel": {
		query: "?wait=committed", body: `{"reason":"wrong estate"}`, status: 202,
		asked: "CancelAlert " + apitest.AlertID + ` "wrong estate" committed`, answer: `"alert"`,
	},
	"POST /api/v1/alerts/{id}/approve": {
		query: "?wait=local", body: `{"digest":"d1","reason":"seen"}`, status: 202,
		asked: "ApproveAlert " + apitest.AlertID + ` "d1" "seen" local`, answer: `"alert"`,
	},
	"POST /api/v1/spoken-codes": {
		body: `{"alert":"` + apitest.AlertID + `","digest":"d1"}`, status: 201, asked: `SpokenCode "` + apitest.AlertID + `" "d1" ""`, answer: `"code":"123456"`,
	},
	"POST /api/v1/alerts/{id}/spoken-approval": {
		query: "?wait=local", body: `{"for":"bob","code":"123 456","digest":"d1","reason":"by radio"}`, status: 202,
		asked: "ApproveSpoken " + apitest.AlertID + ` "bob" "123 456" "d1" "by radio" local`, answer: `"alert"`,
	},
	"POST /api/v1/alerts/{id}/told": {
		query: "?wait=local", body: `{"members":["flat-3a"],"note":"at the door"}`, status: 201,
		asked: "MarkTold " + apitest.AlertID + ` [flat-3a] "" "at the door" local`, answer: `"marked":1`,
	},
	"POST /api/v1/alerts/{id}/remind": {
		query: "?wait=local", body: `{"every_minutes":5}`, status: 201, asked: "Remind " + apitest.AlertID + ` 5 local`, answer: `"unread":1`,
	},
	"GET /api/v1/reports": {
		query: "?place=d&handling=new&kind=need_help&limit=7", status: 200, asked: `ListReports "" "d" "new" "need_help" "" 7`, answer: `"need_help":1`,
	},
	"GET /api/v1/reports/{id}":       {status: 200, asked: "ShowReport " + apitest.AlertID, answer: `"kind":"need_help"`},
	"GET /api/v1/reports/{id}/photo": {status: 200, asked: "ReportPhoto " + apitest.AlertID, answer: "\xff\xd8\xff"},
	"POST /api/v1/reports/{id}/handling": {
		query: "?wait=local", body: `{"handling":"forwarded","note":"to the wardens"}`, status: 201, asked: "ModerateReport " + apitest.AlertID + ` forwarded "to the wardens" local`, answer: `"handling":"forwarded"`,
	},
	"GET /api/v1/places/codes":          {query: "?places=tm/market,tm/mall", status: 200, asked: "PlaceCodes [tm/market tm/mall]", answer: `"modules":21`},
	"GET /api/v1/checkins":              {query: "?place=tm/market&since=2026-07-20T09:00:00Z&until=2026-07-20T10:00:00Z", status: 200, asked: "CheckIns tm/market 2026-07-20T09:00:00Z 2026-07-20T10:00:00Z", answer: `"total":132`},
	"GET /api/v1/alerts/{id}/residents": {status: 200, asked: "AlertResidents " + apitest.AlertID, answer: `"seen":41`},
	"GET /api/v1/residents/{id}/photo":  {status: 200, asked: "ResidentPhoto " + apitest.AlertID, answer: "\xff\xd8\xff"},
	"POST /api/v1/residents/{id}/handling": {
		query: "?wait=local", body: `{"handling":"seen","note":"warden goes"}`, status: 201, asked: "HandleResident " + apitest.AlertID + ` seen "warden goes" local`, answer: `"handling":"seen"`,
	},
	"GET /api/v1/scenarios":         {status: 200, asked: "ListScenarios", answer: `"blanks":["where"]`},
	"GET /api/v1/scenarios/{id}":    {status: 200, asked: "ListScenarios", answer: `"title":"Flood"`},
	"PUT /api/v1/scenarios/{id}":    {body: `{"title":"Fire","alert":{},"minutes":5}`, status: 200, answer: `"dry_run":false`, asked: "PutScenario " + apitest.AlertID + " Fire"},
	"DELETE /api/v1/scenarios/{id}": {status: 204, asked: "RemoveScenario " + apitest.AlertID},
	"GET /api/v1/licences":          {status: 200, asked: "ListLicences", answer: `"operator":"duty"`},
	"POST /api/v1/licences": {
		body: `{"operator":"duty","scenarios":["*"],"place":"tm","until":"2026-07-20T17:40:00Z"}`, status: 201,
		asked: "GrantLicence duty [*] tm", answer: `"id":"l1"`,
	},
	"DELETE /api/v1/licences/{id}": {status: 204, asked: "RevokeLicence " + apitest.AlertID},
	"GET /api/v1/policy":           {status: 200, asked: "ShowPolicy", answer: `"version":7`},
	"PUT /api/v1/policy":           {body: `{"rules":[{"approvals":1}]}`, status: 204, asked: "PutPolicy 1"},
	"GET /api/v1/alerts/{id}/receipts": {
		query: "?rung=acknowledged&place=tuen-mun/on-ting&missing=true&limit=3&after=lift-1", status: 200,
		asked: "AlertReceipts " + apitest.AlertID + ` acknowledged "tuen-mun/on-ting" true "lift-1" 3`, answer: `"member":"lift-0042"`,
	},
	"GET /api/v1/alerts/{id}/report":       {status: 200, asked: "AlertReport " + apitest.AlertID, answer: `"dark_total":1`},
	"GET /api/v1/alerts/{id}/cap":          {status: 200, asked: "AlertMessage " + apitest.AlertID, answer: "<alert xmlns"},
	"POST /api/v1/audience/import":         {query: "?dry_run=true", body: "id,kind\n", status: 200, asked: "Import 8 true false", answer: `"rows"`},
	"GET /api/v1/audience/select":          {query: "?expr=all&after=a&limit=2", status: 200, asked: `Select "all" "a" 2`, answer: `"expression"`},
	"GET /api/v1/places":                   {status: 200, asked: "ListPlaces", answer: "屯門"},
	"PUT /api/v1/places":                   {query: "?shared_codes=true", body: `[{"path":"tuen-mun"}]`, status: 204, asked: "PutPlaces 1 true"},
	"GET /api/v1/places/one":               {query: "?path=tuen-mun/on-ting", status: 200, asked: "ShowPlace tuen-mun/on-ting", answer: `"version":"0f3a"`},
	"POST /api/v1/places/changes":          {body: `{"path":"a","version":"v","remove":true,"dry_run":true}`, status: 201, asked: `ChangePlace a "v" true true`, answer: `"changes":[{`},
	"GET /api/v1/notices":                  {query: "?over=true", status: 200, asked: "ListNotices true", answer: `"standing":"waiting"`},
	"POST /api/v1/notices":                 {body: `{"scenario":"outage"}`, status: 201, asked: "DraftNotice outage", answer: `"author":"duty"`},
	"GET /api/v1/notices/{id}":             {status: 200, asked: "ShowNotice " + apitest.AlertID, answer: `"found":[{"word":"contaminated"`},
	"POST /api/v1/notices/{id}/versions":   {body: `{"version":2}`, status: 201, asked: "ReviseNotice " + apitest.AlertID + " 2", answer: `"versions"`},
	"POST /api/v1/notices/{id}/acts":       {body: `{"do":"pass","version":2,"level":1,"ticked":["a"]}`, status: 201, asked: "ActOnNotice " + apitest.AlertID + ` pass 2 ["a"]`, answer: `"acts"`},
	"GET /api/v1/contradictions":           {status: 200, asked: "Contradictions", answer: `[]`},
	"GET /api/v1/ability":                  {query: "?place=tuen-mun", status: 200, asked: `Ability "tuen-mun"`, answer: `"passed":1`},
	"GET /api/v1/persons/{id}":             {status: 200, asked: "ShowPerson " + apitest.AlertID, answer: `"reports":2`},
	"POST /api/v1/persons/{id}/erase":      {body: `{"member":"r-0001","word":"letter of 3 May"}`, status: 201, asked: "ErasePerson " + apitest.AlertID + ` r-0001 "letter of 3 May"`, answer: `"pseudonym"`},
	"GET /api/v1/erasures":                 {status: 200, asked: "ListErasures", answer: `"erased-abcdefghijklmnop"`},
	"GET /api/v1/retention":                {status: 200, asked: "ShowRetention", answer: `"report_months":13`},
	"PUT /api/v1/retention":                {body: `{"position_days":7,"report_months":12,"note_months":14}`, status: 200, asked: "PutRetention 7 12 14", answer: `"next"`},
	"POST /api/v1/ability/test":            {body: `{"places":["tuen-mun"]}`, status: 201, asked: `TestDevices ["tuen-mun"]`, answer: `"devices":3`},
	"POST /api/v1/devices/{id}/test":       {status: 201, asked: "TestDevice " + apitest.AlertID, answer: `"exercised":["display"]`},
	"POST /api/v1/devices/{id}/identify":   {status: 201, asked: "IdentifyDevice " + apitest.AlertID, answer: `"stands":"passed"`},
	"GET /api/v1/devices":                  {query: "?limit=5", status: 200, asked: `ListDevices "" 5`, answer: `"lift-0042"`},
	"POST /api/v1/devices":                 {body: `{"id":"d1"}`, status: 201, asked: "EnrolDevices 1", answer: `{"id":"d1","secret":"secret-of-d1"`},
	"DELETE /api/v1/devices/{id}":          {status: 204, asked: "RevokeDevice " + apitest.AlertID},
	"DELETE /api/v1/audience/members/{id}": {query: "?yes=true", status: 200, asked: "RemoveMember " + apitest.AlertID + " true", answer: `"orphaned_devices":1`},
	"GET /api/v1/users":                    {status: 200, asked: "ListUsers", answer: `"duty"`},
	"POST /api/v1/users":                   {body: `{"name":"x","roles":["viewer"]}`, status: 201, asked: "AddUser x", answer: `"token":"new-token"`},
	"PUT /api/v1/users/{name}":             {body: `{"system":true}`, status: 204, asked: "SetUser " + apitest.AlertID + " true"},
	"PUT /api/v1/users/{name}/password":    {body: `{"password":"several words"}`, status: 204, asked: "SetPassword " + apitest.AlertID + " false"},
	"DELETE /api/v1/users/{name}":          {status: 204, asked: "RevokeUser " + apitest.AlertID},
	"GET /api/v1/audit":                    {query: "?from=1&to=2", status: 200, asked: "ExportAudit 1 2", answer: "{\"index\":1}\n{\"index\":2}\n"},
	"GET /api/v1/splits":                   {query: "?limit=5", status: 200, asked: "Splits 5", answer: `"late_receipts":0`},
	"GET /api/v1/status":                   {query: "?hash=true", status: 200, asked: "Status true", answer: `"quorum":true`},
	"POST /api/v1/nodes/invite":            {body: `{"minutes":5}`, status: 201, asked: "Invite 5", answer: `"join-token"`},
	"DELETE /api/v1/nodes/{id}":            {status: 204, asked: "RemoveNode " + apitest.AlertID},
	"GET /api/v1/backup":                   {status: 200, asked: "Backup", answer: "backup"},
	"GET /api/v1/openapi.json":             {status: 200, answer: `"openapi": "3.1.0"`},
	"GET /healthz":                         {status: 200, answer: `{"ready":true}`},
	"GET /readyz":                          {status: 200, asked: "Status false", answer: `{"ready":true}`},
	"GET /{$}":                             {status: 200, answer: "<h1>"},
	"GET /static/{file}":                   {status: 200, answer: "header"},
	"GET /screen/{$}":                      {status: 200, answer: `id="cards"`},
	"GET /screen/{version}/{file...}":      {status: 200, answer: "arrange"},
	"GET /phone/{$}":                       {status: 200, answer: `id="join"`},
	"GET /phone/{file}":                    {status: 200, answer: "standalone"},
	"GET /speaker/{file}":                  {status: 200, answer: "const page = '/speaker/'"},
	"GET /screen/{file}":                   {status: 200, answer: "const page = '/screen/'"},
	"GET /speaker/{$}":                     {status: 200, answer: `id="settings"`},
	"GET /speaker/sound/{name}":            {status: 404, answer: "nobody here can speak"},
	"GET /metrics":                         {status: 200, answer: "almenara_api_request_seconds_bucket"},
}

func name(route routing.Route) string { return route.Method + " " + route.Path }

// streams are tested apart: their answer does not end.
func isStream(route routing.Route) bool { return route.Path == "/api/v1/events" }

// screenFile is the address of a file of the page of screens, as the page itself names it.
func screenFile() string {
	p, err := pages.New(nil)
	if err != nil {
		panic(err)
	}
	return p.Version() + "/arrange.js"
}

// boardFile is the address of a file that the board loads, as the board itself names it.
func boardFile() string {
	w := httptest.NewRecorder()
	web.Board(func(context.Context) (wire.Status, error) { return wire.Status{}, nil }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return regexp.MustCompile(web.FilesPath + `[^"]+`).FindString(w.Body.String())
}

func address(route routing.Route, query string) string {
	return strings.NewReplacer("{$}", "", "/speaker/sound/{name}", "/speaker/sound/"+strings.Repeat("0a", 32)+".wav", "{id}", apitest.AlertID, "{name}", apitest.AlertID, "/static/{file}", boardFile(), "{version}/{file...}", screenFile(), "/phone/{file}", "/phone/manifest.webmanifest", "/speaker/{file}", "/speaker/worker.js", "/screen/{file}", "/screen/worker.js").Replace(route.Path) + query
}

// allowed is the first role of a route.
func allowed(route routing.Route) string {
	if route.Open {
		return ""
	}
	return apitest.Token(route.Roles[0])
}

func TestRoutes_AnswerWhatTheServiceSays(t *testing.T) {
	for _, route := range api.Routes() {
		if isStream(route) {
			continue
		}
		t.Run(name(route), func(t *testing.T) {
			want, ok := happy[name(route)]
			require.True(t, ok, "a route without a good request in this test")
			fake := apitest.New()
			got := ask(t, api.New(apitest.Services(fake), api.Options{}), route.Method, address(route, want.query), allowed(route), want.body)
			require.Equal(t, want.status, got.Code, got.Body.String())
			require.Contains(t, got.Body.String(), want.answer)
			if want.asked != "" {
				require.Equal(t, []string{want.asked}, fake.Calls())
			}
		})
	}
}

func TestRoutes_RefuseWithoutToken(t *testing.T) {
	for _, route := range api.Routes() {
		if route.Open {
			continue
		}
		for _, token := range []string{"", "unknown"} {
			fake := apitest.New()
			got := ask(t, api.New(apitest.Services(fake), api.Options{}), route.Method, address(route, ""), token, "{}")
			require.Equal(t, 401, got.Code, name(route))
			require.Equal(t, `Bearer realm="almenara"`, got.Header().Get("WWW-Authenticate"))
			require.Equal(t, wire.KindUnauthenticated, problem(t, got).Kind)
			require.Empty(t, fake.Calls(), name(route))
		}
	}
}

func TestRoutes_RefuseOtherRoles(t *testing.T) {
	for _, route := range api.Routes() {
		if route.Open {
			continue
		}
		for _, role := range append(authority.Roles(), "none") {
			if slices.Contains(route.Roles, role) || role == authority.RoleAdministrator {
				continue
			}
			fake := apitest.New()
			got := ask(t, api.New(apitest.Services(fake), api.Options{}), route.Method, address(route, ""), apitest.Token(role), "{}")
			require.Equal(t, 403, got.Code, "%s as %s", name(route), role)
			require.Empty(t, fake.Calls())
			if len(route.Roles) < len(authority.Roles()) {
				require.Contains(t, problem(t, got).Sentence, route.Roles[0])
			}
		}
	}
}

func TestRoutes_AdministratorMayEverything(t *testing.T) {
	for _, route := range api.Routes() {
		if isStream(route) {
			continue
		}
		want := happy[name(route)]
		got := ask(t, api.New(apitest.Services(apitest.New()), api.Options{}), route.Method, address(route, want.query), apitest.Token(authority.RoleAdministrator), want.body)
		require.Equal(t, want.status, got.Code, name(route))
	}
}

// The table of who may change what, said a second time and independently.
func TestRoutes_WhoMayChange(t *testing.T) {
	want := map[string][]string{
		"POST /api/v1/cap": {"composer"}, "POST /api/v1/alerts": {"composer"},
		"POST /api/v1/alerts/{id}/cancel": {"composer", "approver"}, "POST /api/v1/alerts/{id}/correct": {"composer", "corrector"},
		"POST /api/v1/alerts/{id}/update": {"composer"},
		"POST /api/v1/audience/import":    {"audience-manager"}, "PUT /api/v1/places": {"audience-manager"}, "POST /api/v1/places/changes": {"audience-manager"},
		"DELETE /api/v1/audience/members/{id}": {"audience-manager"},
		"POST /api/v1/devices":                 {"device-manager"}, "DELETE /api/v1/devices/{id}": {"device-manager"},
		"POST /api/v1/ability/test": {"composer", "approver", "device-manager"}, "POST /api/v1/devices/{id}/test": {"composer", "approver", "device-manager"},
		"POST /api/v1/devices/{id}/identify": {"composer", "approver", "device-manager"},
		"POST /api/v1/alerts/{id}/approve":   {"approver", "composer"},
		"POST /api/v1/alerts/{id}/told":      {"composer", "approver"}, "POST /api/v1/alerts/{id}/remind": {"composer", "approver"},
		"POST /api/v1/reports/{id}/handling": {"composer", "approver"},
		"POST /api/v1/notices":               {"composer"}, "POST /api/v1/notices/{id}/versions": {"composer"}, "POST /api/v1/notices/{id}/acts": {"composer", "approver"},
		"POST /api/v1/residents/{id}/handling": {"composer", "approver"},
		"POST /api/v1/spoken-codes":            {"approver", "composer"}, "POST /api/v1/alerts/{id}/spoken-approval": {"composer", "approver"},
		"PUT /api/v1/scenarios/{id}": {"administrator"}, "DELETE /api/v1/scenarios/{id}": {"administrator"},
		"POST /api/v1/licences": {"administrator"}, "DELETE /api/v1/licences/{id}": {"administrator"},
		"PUT /api/v1/policy": {"administrator"}, "POST /api/v1/persons/{id}/erase": {"administrator"}, "PUT /api/v1/retention": {"administrator"},
		"POST /api/v1/users": {"administrator"}, "PUT /api/v1/users/{name}": {"administrator"}, "PUT /api/v1/users/{name}/password": {"administrator"}, "DELETE /api/v1/users/{name}": {"administrator"},
		"POST /api/v1/nodes/invite": {"administrator"}, "DELETE /api/v1/nodes/{id}": {"administrator"},
	}
	open := []string{"GET /api/v1/openapi.json", "GET /healthz", "GET /readyz", "GET /metrics", "GET /{$}", "GET /static/{file}", "GET /screen/{$}", "GET /screen/{file}", "GET /screen/{version}/{file...}", "GET /phone/{$}", "GET /phone/{file}", "GET /speaker/{$}", "GET /speaker/{file}", "GET /speaker/sound/{name}"}
	for _, route := range api.Routes() {
		require.Equal(t, slices.Contains(open, name(route)), route.Open, name(route))
		if route.Method != http.MethodGet {
			require.Equal(t, want[name(route)], route.Roles, name(route))
		}
	}
}

// Browsers send cookies with whatever a page of another site makes them send: a session of the
// console opens no route for programs.
func TestRoutes_TakeNoSessionForAToken(t *testing.T) {
	for _, route := range api.Routes() {
		if route.Open {
			continue
		}
		fake := apitest.New()
		r := request(route.Method, address(route, ""), "", "{}")
		r.AddCookie(&http.Cookie{Name: "almenara", Value: allowed(route)})
		require.Equal(t, 401, serve(t, api.New(apitest.Services(fake), api.Options{}), r).Code, name(route))
		require.Empty(t, fake.Calls(), name(route))
	}
}

func TestRoutes_RefuseOversizeBodies(t *testing.T) {
	for _, route := range api.Routes() {
		if route.MaxBody == 0 {
			continue
		}
		t.Run(name(route), func(t *testing.T) {
			body := `[` + strings.Repeat(" ", 2000) + `]`
			for _, known := range []bool{true, false} { // with and without Content-Length
				fake := apitest.New()
				r := request(route.Method, address(route, ""), allowed(route), body)
				if !known {
					r.ContentLength = -1
				}
				got := serve(t, api.New(apitest.Services(fake), api.Options{MaxBody: 1000}), r)
				require.Equal(t, 413, got.Code, got.Body.String())
				require.Equal(t, wire.KindTooLarge, problem(t, got).Kind)
				require.Empty(t, fake.Calls())
			}
		})
	}
}

func TestRoutes_RefuseMalformedJSON(t *testing.T) {
	bodies := map[string]string{
		"":                          "empty",
		"{":                         "ends in the middle",
		"<alert/>":                  "not JSON",
		`{"wrong-field":1}`:         `unknown field "wrong-field"`,
		`[{"wrong-field":1}]`:       "",
		`{} {}`:                     "",
		`"text"`:                    "cannot hold",
		strings.Repeat("[", 20_000): "",
	}
	for _, route := range api.Routes() {
		if route.Request == nil {
			continue
		}
		for body, says := range bodies {
			fake := apitest.New()
			got := ask(t, api.New(apitest.Services(fake), api.Options{}), route.Method, address(route, ""), allowed(route), body)
			require.Equal(t, 400, got.Code, "%s %s: %s", name(route), body, got.Body)
			require.Empty(t, fake.Calls(), "%s %s", name(route), body)
			if _, list := route.Request.([]wire.Place); !list {
				require.Contains(t, problem(t, got).Sentence, says)
			}
		}
	}
}

// A body that breaks off is no fault of the node and must not be called one.
func TestRoutes_BodyThatBreaksOffIsMalformed(t *testing.T) {
	for _, path := range []string{"/api/v1/cap", "/api/v1/alerts", "/api/v1/audience/import", "/api/v1/devices"} {
		fake := apitest.New()
		server := httptest.NewServer(document.Handler(t, api.New(apitest.Services(fake), api.Options{})))
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
			path, apitest.Token(authority.RoleAdministrator))
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, 400, answer.StatusCode, path)
		require.NoError(t, conn.Close())
		server.Close()
	}
}

// Of two selections the reader would silently take the second one.
func TestRoutes_RefuseAFieldThatIsGivenTwice(t *testing.T) {
	for _, body := range []string{
		`{"select":"place under a","alert":{"x":1},"select":"place under b"}`,
		`{"select":"place under a","alert":{"x":1},"SELECT":"place under b"}`,
	} {
		fake := apitest.New()
		got := ask(t, api.New(apitest.Services(fake), api.Options{}), "POST", "/api/v1/alerts", apitest.Token(authority.RoleComposer), body)
		require.Equal(t, 400, got.Code, got.Body)
		require.Contains(t, problem(t, got).Sentence, `"select" twice`)
		require.Empty(t, fake.Calls())
	}
}

func TestRoutes_RefuseUnknownAndWrongParameters(t *testing.T) {
	cases := []struct{ path, says string }{
		{"/api/v1/alerts?limt=3", `"limt" is not known`},
		{"/api/v1/alerts?limit=0", "from 1 to 1000"},
		{"/api/v1/alerts?limit=x", "whole number"},
		{"/api/v1/alerts?limit=1&limit=2", "given twice"},
		{"/api/v1/alerts?%zz", "cannot be read"},
		{"/api/v1/alerts/a/receipts?rung=seen", "is one of queued, sent"},
		{"/api/v1/alerts/a/receipts?missing=", "true or false"},
		{"/api/v1/audit?from=5&to=4", "before"},
		{"/api/v1/status?hash=maybe", "true or false"},
	}
	for _, c := range cases {
		fake := apitest.New()
		got := ask(t, api.New(apitest.Services(fake), api.Options{}), "GET", c.path, apitest.Token(authority.RoleAdministrator), "")
		require.Equal(t, 400, got.Code, c.path)
		require.Contains(t, problem(t, got).Sentence, c.says)
		require.Empty(t, fake.Calls())
	}
	// A slip in the name of the safe flag must not turn a dry run into the real thing.
	fake := apitest.New()
	got := ask(t, api.New(apitest.Services(fake), api.Options{}), "POST", "/api/v1/audience/import?dry-run=true", apitest.Token(authority.RoleAudienceManager), "id\n")
	require.Equal(t, 400, got.Code)
	require.Empty(t, fake.Calls())
}

func TestOpenAPI_HasEveryRouteAndField(t *testing.T) {
	got := ask(t, api.New(apitest.Services(apitest.New()), api.Options{Version: "1.2.3"}), "GET", "/api/v1/openapi.json", "", "")
	var doc struct {
		OpenAPI    string
		Info       struct{ Version string }
		Paths      map[string]map[string]map[string]any
		Components struct {
			Schemas map[string]struct {
				Description string
				Properties  map[string]any
			}
		}
	}
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &doc))
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.Equal(t, "1.2.3", doc.Info.Version)
	ids, operations := map[any]bool{}, 0
	for _, route := range api.Routes() {
		path := strings.ReplaceAll(strings.TrimSuffix(route.Path, "/{$}"), "...}", "}")
		if path == "" {
			path = "/"
		}
		operation := doc.Paths[path][strings.ToLower(route.Method)]
		require.NotNil(t, operation, name(route))
		require.Equal(t, route.Summary, operation["description"])
		require.True(t, strings.HasPrefix(route.Summary, operation["summary"].(string)), name(route))
		require.False(t, ids[operation["operationId"]], "two operations of one id")
		ids[operation["operationId"]] = true
		if !isStream(route) {
			require.Contains(t, operation["responses"], statusText(happy[name(route)].status), name(route))
		}
	}
	for _, methods := range doc.Paths {
		operations += len(methods)
	}
	require.Equal(t, len(api.Routes()), operations)
	for _, v := range wireTypes {
		typ := reflect.TypeOf(v)
		schema, ok := doc.Components.Schemas[typ.Name()]
		require.True(t, ok, typ.Name())
		for field := range typ.Fields() {
			tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			require.NotEmpty(t, tag, "%s.%s has no JSON name", typ.Name(), field.Name)
			require.Equal(t, tag != "-", schema.Properties[tag] != nil, "%s.%s", typ.Name(), field.Name)
		}
	}
	for name, schema := range doc.Components.Schemas {
		require.NotEmpty(t, schema.Description, name)
		for member, property := range schema.Properties {
			require.NotEmpty(t, property.(map[string]any)["description"], "%s.%s", name, member)
		}
	}
	for _, ref := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(got.Body.String(), -1) {
		require.Contains(t, doc.Components.Schemas, ref[1])
	}
}

var wireTypes = []any{
	wire.Outcome{}, wire.Counts{}, wire.Count{}, wire.SendAlert{}, wire.CorrectAlert{}, wire.CorrectText{}, wire.CancelAlert{}, wire.Rungs{}, wire.Alert{}, wire.Message{},
	wire.GroupRow{}, wire.Member{}, wire.ReceiptRow{}, wire.Selected{}, wire.Imported{}, wire.Progress{}, wire.Place{}, wire.Geocode{}, wire.Enrol{},
	wire.Enrolled{}, wire.Device{}, wire.AddUser{}, wire.SetUser{}, wire.SetPassword{}, wire.User{}, wire.Status{}, wire.NodeInfo{}, wire.Invite{}, wire.Invited{},
	wire.Event{}, wire.Problem{}, wire.Health{}, wire.CAPAlert{}, wire.CAPInfo{}, wire.CAPResource{}, wire.CAPArea{},
}

// On the route for corrections nothing but words and the end is taken: what makes an alert louder or
// wider must not slip in with them.
func TestCorrect_TakesNoOtherChange(t *testing.T) {
	fake := apitest.New()
	h := api.New(apitest.Services(fake), api.Options{})
	for _, body := range []string{`{"severity":"Extreme"}`, `{"texts":[{"headline":"x"}],"select":"all"}`} {
		require.Equal(t, 400, ask(t, h, "POST", "/api/v1/alerts/"+apitest.AlertID+"/correct", admin, body).Code, body)
		require.Empty(t, fake.Calls())
	}
	require.Equal(t, 202, ask(t, h, "POST", "/api/v1/alerts/"+apitest.AlertID+"/update", admin, `{"texts":[{"headline":"x"}],"select":"all"}`).Code)
	require.Equal(t, 400, ask(t, h, "POST", "/api/v1/alerts/"+apitest.AlertID+"/update", admin, `{"reason":"none"}`).Code)
	require.Len(t, fake.Calls(), 1)
}
