package client_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/api/openapi"
	"almenara/node/api/openapi/openapitest"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/acts"
	"almenara/node/wire/notices"
	"almenara/node/wire/personal"
	"almenara/node/wire/places"
	"almenara/node/wire/reported"
	"almenara/node/wire/visits"
)

// rig is a served API that notes which routes were asked.
type rig struct {
	*apitest.Fake
	*client.Client
	server *httptest.Server

	mu    sync.Mutex // guards asked
	asked []*http.Request
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Fake: apitest.New()}
	handler := api.New(apitest.Services(r.Fake), api.Options{})
	described, err := openapitest.Read(api.OpenAPI(""))
	require.NoError(t, err)
	checked := described.Handler(t, handler)
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		r.mu.Lock()
		r.asked = append(r.asked, in.Clone(context.WithoutCancel(in.Context())))
		r.mu.Unlock()
		checked.ServeHTTP(w, in)
	}))
	t.Cleanup(r.server.Close)
	t.Cleanup(handler.EndStreams)
	r.Client = newClient(t, client.Config{URL: r.server.URL + "/", Token: apitest.Token(authority.RoleAdministrator)})
	return r
}

func newClient(t *testing.T, config client.Config) *client.Client {
	t.Helper()
	c, err := client.New(config)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// calls is one call of each method.
func calls(ctx context.Context, c *client.Client) map[string]func() error {
	drop := func(_ any, err error) error { return err }
	return map[string]func() error{
		"POST /api/v1/cap":    func() error { return drop(c.TakeCAP(ctx, []byte("<alert/>"), "all", client.WaitHeld)) },
		"POST /api/v1/alerts": func() error { return drop(c.SendAlert(ctx, wire.SendAlert{Alert: []byte(`{}`)}, "")) },
		"GET /api/v1/alerts":  func() error { return second(c.ListAlerts(ctx, wire.AlertQuery{After: "x", Limit: 3})) },
		"GET /api/v1/alerts/{id}": func() error {
			return drop(c.ShowAlert(ctx, apitest.AlertID))
		},
		"POST /api/v1/alerts/{id}/update": func() error {
			return drop(c.UpdateAlert(ctx, apitest.AlertID, wire.UpdateAlert{Severity: "Extreme"}, client.WaitHeld))
		},
		"POST /api/v1/alerts/{id}/correct": func() error {
			return drop(c.CorrectAlert(ctx, apitest.AlertID, wire.CorrectAlert{Blanks: map[string]string{"where": "x"}}, client.WaitHeld))
		},
		"POST /api/v1/alerts/{id}/cancel": func() error {
			return drop(c.CancelAlert(ctx, apitest.AlertID, wire.CancelAlert{Reason: "r"}, client.WaitCommitted))
		},
		"POST /api/v1/alerts/{id}/approve": func() error {
			return drop(c.ApproveAlert(ctx, apitest.AlertID, wire.Approve{Digest: "d"}, client.WaitCommitted))
		},
		"POST /api/v1/alerts/{id}/told": func() error {
			return drop(c.MarkTold(ctx, apitest.AlertID, acts.MarkTold{Place: "a/b"}, client.WaitCommitted))
		},
		"GET /api/v1/reports": func() error {
			return drop(c.ListReports(ctx, reported.Query{Alert: apitest.AlertID, Handling: reported.New, Limit: 7}))
		},
		"GET /api/v1/reports/{id}":       func() error { return drop(c.ShowReport(ctx, apitest.ReportID)) },
		"GET /api/v1/reports/{id}/photo": func() error { return drop(c.ReportPhoto(ctx, apitest.ReportID)) },
		"POST /api/v1/reports/{id}/handling": func() error {
			return drop(c.ModerateReport(ctx, apitest.ReportID, reported.Moderate{Handling: reported.Seen}, client.WaitCommitted))
		},
		"GET /api/v1/alerts/{id}/residents": func() error { return drop(c.AlertResidents(ctx, apitest.AlertID)) },
		"GET /api/v1/residents/{id}/photo":  func() error { return drop(c.ResidentPhoto(ctx, apitest.ReportID)) },
		"POST /api/v1/residents/{id}/handling": func() error {
			return drop(c.HandleResident(ctx, apitest.ReportID, reported.Moderate{Handling: reported.Seen}, client.WaitCommitted))
		},
		"POST /api/v1/alerts/{id}/remind": func() error {
			return drop(c.Remind(ctx, apitest.AlertID, acts.Remind{EveryMinutes: 5}, client.WaitCommitted))
		},
		"POST /api/v1/spoken-codes": func() error { return drop(c.SpokenCode(ctx, acts.AskCode{Number: "12345678"})) },
		"POST /api/v1/alerts/{id}/spoken-approval": func() error {
			return drop(c.ApproveSpoken(ctx, apitest.AlertID, acts.TypeApproval{For: "bob", Code: "123456"}, client.WaitCommitted))
		},
		"GET /api/v1/scenarios":         func() error { return drop(c.ListScenarios(ctx)) },
		"GET /api/v1/scenarios/{id}":    func() error { return drop(c.ShowScenario(ctx, apitest.AlertID)) },
		"PUT /api/v1/scenarios/{id}":    func() error { return c.PutScenario(ctx, wire.Scenario{ID: "a/b", Alert: []byte(`{}`)}) },
		"DELETE /api/v1/scenarios/{id}": func() error { return c.RemoveScenario(ctx, "flood", "") },
		"GET /api/v1/licences":          func() error { return drop(c.ListLicences(ctx)) },
		"POST /api/v1/licences": func() error {
			return drop(c.GrantLicence(ctx, wire.Licence{Operator: "duty", Scenarios: []string{"*"}}))
		},
		"DELETE /api/v1/licences/{id}": func() error { return c.RevokeLicence(ctx, "l1") },
		"GET /api/v1/policy":           func() error { return drop(c.ShowPolicy(ctx)) },
		"PUT /api/v1/policy":           func() error { return c.PutPolicy(ctx, wire.Policy{}) },
		"GET /api/v1/alerts/{id}/receipts": func() error {
			return drop(c.AlertReceipts(ctx, apitest.AlertID, wire.ReceiptQuery{Rung: "sent", Place: "a/b", Missing: true, After: "m1", Limit: 9}))
		},
		"GET /api/v1/alerts/{id}/report": func() error { return drop(c.AlertReport(ctx, apitest.AlertID)) },
		"GET /api/v1/alerts/{id}/cap":    func() error { return drop(c.AlertMessage(ctx, apitest.AlertID)) },
		"POST /api/v1/audience/import": func() error {
			return drop(c.Import(ctx, client.Import{CSV: strings.NewReader("id\n"), DryRun: true, Replace: true}))
		},
		"GET /api/v1/audience/select":          func() error { return drop(c.Select(ctx, "kind = screen", "a/b", 2)) },
		"GET /api/v1/places":                   func() error { return drop(c.ListPlaces(ctx)) },
		"PUT /api/v1/places":                   func() error { return c.PutPlaces(ctx, []wire.Place{{Path: "x"}}) },
		"GET /api/v1/places/one":               func() error { return drop(c.ShowPlace(ctx, "a/b")) },
		"POST /api/v1/places/changes":          func() error { return drop(c.ChangePlace(ctx, places.ChangePlace{Path: "a/b", Remove: true})) },
		"GET /api/v1/devices":                  func() error { return drop(c.ListDevices(ctx, "x", 4)) },
		"POST /api/v1/devices":                 func() error { return drop(c.EnrolDevices(ctx, []wire.Enrol{{ID: "x"}})) },
		"DELETE /api/v1/devices/{id}":          func() error { return c.RevokeDevice(ctx, "a/../b c") },
		"GET /api/v1/notices":                  func() error { return drop(c.ListNotices(ctx, true)) },
		"GET /api/v1/notices/{id}":             func() error { return drop(c.ShowNotice(ctx, "a/b")) },
		"POST /api/v1/notices":                 func() error { return drop(c.DraftNotice(ctx, notices.DraftNotice{Scenario: "x"})) },
		"POST /api/v1/notices/{id}/versions":   func() error { return drop(c.ReviseNotice(ctx, "n1", notices.DraftNotice{Version: 2})) },
		"POST /api/v1/notices/{id}/acts":       func() error { return drop(c.ActOnNotice(ctx, "n1", notices.ActOnNotice{Do: "pass", Version: 2})) },
		"GET /api/v1/contradictions":           func() error { return drop(c.Contradictions(ctx)) },
		"GET /api/v1/ability":                  func() error { return drop(c.Ability(ctx, "x")) },
		"GET /api/v1/persons/{id}":             func() error { return drop(c.ShowPerson(ctx, "a/b")) },
		"POST /api/v1/persons/{id}/erase":      func() error { return drop(c.ErasePerson(ctx, "a/b", "letter")) },
		"GET /api/v1/erasures":                 func() error { return drop(c.ListErasures(ctx)) },
		"GET /api/v1/retention":                func() error { return drop(c.ShowRetention(ctx)) },
		"PUT /api/v1/retention":                func() error { return drop(c.PutRetention(ctx, personal.Retention{PositionDays: 7})) },
		"POST /api/v1/ability/test":            func() error { return drop(c.TestDevices(ctx, able.TestDevices{Places: []string{"x"}})) },
		"POST /api/v1/devices/{id}/test":       func() error { return drop(c.TestDevice(ctx, "x")) },
		"POST /api/v1/devices/{id}/identify":   func() error { return drop(c.IdentifyDevice(ctx, "x")) },
		"DELETE /api/v1/audience/members/{id}": func() error { return drop(c.RemoveMember(ctx, "m/1", true)) },
		"GET /api/v1/users":                    func() error { return drop(c.ListUsers(ctx)) },
		"PUT /api/v1/users/{name}/password":    func() error { return c.SetPassword(ctx, "x", wire.SetPassword{Password: "several words"}) },
		"POST /api/v1/users":                   func() error { return drop(c.AddUser(ctx, wire.AddUser{Name: "x", Roles: []string{"viewer"}})) },
		"PUT /api/v1/users/{name}":             func() error { return c.SetUser(ctx, "x", wire.SetUser{System: new(true)}) },
		"DELETE /api/v1/users/{name}":          func() error { return c.RevokeUser(ctx, "x") },
		"GET /api/v1/audit":                    func() error { return c.ExportAudit(ctx, io.Discard, 1, 2) },
		"GET /api/v1/splits":                   func() error { return drop(c.Splits(ctx, 7)) },
		"GET /api/v1/status":                   func() error { return drop(c.Status(ctx, true)) },
		"POST /api/v1/nodes/invite":            func() error { return drop(c.Invite(ctx, wire.Invite{Minutes: 3})) },
		"DELETE /api/v1/nodes/{id}":            func() error { return c.RemoveNode(ctx, "n3") },
		"GET /api/v1/backup": func() error {
			return c.Backup(ctx, func(size int64) (io.Writer, error) { return io.Discard, nil })
		},
		"GET /api/v1/openapi.json": func() error { return drop(c.OpenAPI(ctx)) },
		"GET /healthz":             func() error { return drop(c.Health(ctx)) },
		"GET /readyz":              func() error { return drop(c.Ready(ctx)) },
		"GET /api/v1/places/codes": func() error { return drop(c.PlaceCodes(ctx, []string{"tm/market"})) },
		"GET /api/v1/checkins":     func() error { return drop(c.CheckIns(ctx, visits.Query{Place: "tm/market"})) },
		"GET /metrics":             func() error { return c.Metrics(ctx, io.Discard) },
		"GET /api/v1/events": func() error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			if err := c.Events(ctx, "", cancel, func(wire.Event) {}); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		},
	}
}

func TestClient_CoversEveryRoute(t *testing.T) {
	r := newRig(t)
	mux := http.NewServeMux()
	all := calls(t.Context(), r.Client)
	pages := 0 // and their files, which are for people
	for _, route := range api.Routes() {
		mux.Handle(route.Method+" "+route.Path, http.NotFoundHandler())
		if route.Kind != openapi.Program {
			pages++
			continue
		}
		name := route.Method + " " + route.Path
		call, ok := all[name]
		require.True(t, ok, "no method for %s", name)
		r.asked = nil
		require.NoError(t, call(), name)
		require.Len(t, r.asked, 1, name)
		_, pattern := mux.Handler(r.asked[0])
		require.Equal(t, name, pattern)
	}
	require.Len(t, all, len(api.Routes())-pages, "a method without a route")
	require.Equal(t, []string{
		`TakeCAP <alert/> "all" held`, `SendAlert {} "" local`, `ListAlerts "x" 3`, `ShowAlert ` + apitest.AlertID,
		`UpdateAlert ` + apitest.AlertID + ` 0 map[where:x] "" "" "" false held`, `UpdateAlert ` + apitest.AlertID + ` 0 map[] "Extreme" "" "" false held`, `CancelAlert ` + apitest.AlertID + ` "r" committed`, `AlertReceipts ` + apitest.AlertID + ` sent "a/b" true "m1" 9`,
		`AlertReport ` + apitest.AlertID, `AlertMessage ` + apitest.AlertID, `Events `, `ApproveAlert ` + apitest.AlertID + ` "d" "" committed`,
		`SpokenCode "" "" "12345678"`, `ApproveSpoken ` + apitest.AlertID + ` "bob" "123456" "" "" committed`, `MarkTold ` + apitest.AlertID + ` [] "a/b" "" committed`, `Remind ` + apitest.AlertID + ` 5 committed`,
		`ListScenarios`, `ListScenarios`, `PutScenario a/b `, `RemoveScenario flood`, `ListLicences`, `GrantLicence duty [*] `, `RevokeLicence l1`,
		`ShowPolicy`, `PutPolicy 0`,
		`ListReports "` + apitest.AlertID + `" "" "new" "" "" 7`, `ShowReport ` + apitest.ReportID, `ReportPhoto ` + apitest.ReportID, `ModerateReport ` + apitest.ReportID + ` seen "" committed`,
		`AlertResidents ` + apitest.AlertID, `ResidentPhoto ` + apitest.ReportID, `HandleResident ` + apitest.ReportID + ` seen "" committed`,
		`ListNotices true`, `DraftNotice x`, `ShowNotice a/b`, `ReviseNotice n1 2`, `ActOnNotice n1 pass 2 []`, `PlaceCodes [tm/market]`, `CheckIns tm/market 0001-01-01T00:00:00Z 0001-01-01T00:00:00Z`,
		`Import 3 true true`, `RemoveMember m/1 true`, `Select "kind = screen" "a/b" 2`, `ListPlaces`, `PutPlaces 1 false`,
		`ListDevices "x" 4`, `EnrolDevices 1`, `RevokeDevice a/../b c`, `ShowPlace a/b`, `ChangePlace a/b "" true false`, `Ability "x"`, `TestDevices ["x"]`, `TestDevice x`, `IdentifyDevice x`, `Contradictions`, `ShowPerson a/b`, `ErasePerson a/b a/b "letter"`, `ListErasures`, `ShowRetention`, `PutRetention 7 0 0`, `ListUsers`, `AddUser x`, `SetUser x true`, `SetPassword x false`, `RevokeUser x`, `ExportAudit 1 2`,
		`Status true`, `Splits 7`, `Invite 3`, `RemoveNode n3`, `Backup`, `Status false`,
	}, r.Calls())
}

func TestClient_AsksForConsistentReadsOfTheAgreedPart(t *testing.T) {
	r := newRig(t)
	for name, call := range calls(t.Context(), r.Client.Consistent()) {
		r.asked = nil
		require.NoError(t, call(), name)
		i := slices.IndexFunc(api.Routes(), func(route routing.Route) bool { return route.Method+" "+route.Path == name })
		require.Equal(t, api.Routes()[i].Agreed, r.asked[0].URL.Query().Get("consistent") == "true", name)
	}
	r.asked = nil
	_, err := r.Client.ListPlaces(t.Context())
	require.NoError(t, err)
	require.Empty(t, r.asked[0].URL.Query(), "the client itself stays what it was")
}

func TestClient_ReturnsTheProblemOfTheNode(t *testing.T) {
	r := newRig(t)
	r.Err = &wire.Problem{Kind: wire.KindMalformed, Sentence: "nobody can read it", Details: []string{"row 3"}, Alert: "a"}
	for name, call := range calls(t.Context(), r.Client) {
		if strings.HasSuffix(name, "z") || strings.HasSuffix(name, "json") || strings.HasSuffix(name, "metrics") {
			continue // they need nothing of the service, or say so in their own way
		}
		var p *wire.Problem
		require.ErrorAs(t, call(), &p, name)
		require.Equal(t, r.Err, p)
	}
	health, err := r.Ready(t.Context())
	require.NoError(t, err)
	require.False(t, health.Ready)
	require.NotEmpty(t, health.Why)
}

func TestClient_KeepsUnknownApartFromUnreachable(t *testing.T) {
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(cut.Close)
	c := newClient(t, client.Config{URL: cut.URL})
	require.ErrorIs(t, c.RevokeUser(t.Context(), "x"), client.ErrUnknown)
	_, err := c.ListUsers(t.Context())
	require.ErrorIs(t, err, client.ErrUnreachable, "reading changes nothing")

	half := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"alert":`) }))
	t.Cleanup(half.Close)
	c = newClient(t, client.Config{URL: half.URL})
	_, err = c.TakeCAP(t.Context(), []byte("x"), "", "")
	require.ErrorIs(t, err, client.ErrUnknown, "an answer that is cut")

	gone := httptest.NewServer(nil)
	gone.Close()
	c = newClient(t, client.Config{URL: gone.URL})
	err = c.RevokeUser(t.Context(), "x")
	require.ErrorIs(t, err, client.ErrUnreachable)
	require.NotErrorIs(t, err, client.ErrUnknown)
}

func TestClient_GivesTheTokenToNobodyElse(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Error("another server was asked")
	}))
	t.Cleanup(other.Close)
	first := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(first.Close)
	_, err := newClient(t, client.Config{URL: first.URL, Token: "secret"}).ListUsers(t.Context())
	require.ErrorContains(t, err, "no answer of a node")
}

func TestClient_ChecksTheCertificate(t *testing.T) {
	s := httptest.NewTLSServer(api.New(apitest.Services(apitest.New()), api.Options{}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	_, err := newClient(t, client.Config{URL: s.URL, CA: ca}).Health(t.Context())
	require.NoError(t, err)
	_, err = newClient(t, client.Config{URL: s.URL}).Health(t.Context())
	require.ErrorIs(t, err, client.ErrUnreachable)
	_, err = client.New(client.Config{URL: s.URL, CA: []byte("none")})
	require.Error(t, err)
	for _, address := range []string{"", "127.0.0.1:8480", "ftp://x", "http://", "http://[::1"} {
		_, err = client.New(client.Config{URL: address})
		require.ErrorContains(t, err, "not the address of a node", address)
	}
}

func TestEvents_AreReadUntilTheStreamEnds(t *testing.T) {
	r := newRig(t)
	r.Feed <- wire.Event{ID: "n1-1", Type: "alert", Alert: "a", Text: "line\nbreak"}
	r.Feed <- wire.Event{ID: "n1-2", Type: "receipts", Rungs: &wire.Rungs{Presented: 2}}
	close(r.Feed)
	var got []wire.Event
	opened := 0
	err := r.Client.Events(t.Context(), "a", func() { opened++ }, func(e wire.Event) { got = append(got, e) })
	require.ErrorIs(t, err, client.ErrStreamEnded)
	require.Equal(t, 1, opened)
	require.Len(t, got, 2)
	require.Equal(t, wire.Event{ID: "n1-1", Type: "alert", Alert: "a", Text: "line\nbreak"}, got[0])
	require.EqualValues(t, 2, got[1].Rungs.Presented)
}

func second[T any](_ T, _ string, err error) error { return err }
