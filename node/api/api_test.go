package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/api/openapi/openapitest"
	"almenara/node/authority"
	"almenara/node/httpserver"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
)

func request(method, target, token, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// document is the description against which every answer of these tests is held.
var document = func() *openapitest.Document {
	d, err := openapitest.Read(api.OpenAPI(""))
	if err != nil {
		panic(err)
	}
	return d
}()

func serve(t *testing.T, h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	document.Handler(t, h).ServeHTTP(w, r)
	return w
}

func ask(t *testing.T, h http.Handler, method, target, token, body string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(t, h, request(method, target, token, body))
}

func problem(t *testing.T, w *httptest.ResponseRecorder) wire.Problem {
	t.Helper()
	var p wire.Problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p), w.Body.String())
	require.NotEmpty(t, p.Sentence)
	return p
}

func statusText(code int) string { return strconv.Itoa(code) }

var admin = apitest.Token(authority.RoleAdministrator)

func TestErrors_HaveStatusAndKind(t *testing.T) {
	statuses := map[wire.Kind]int{
		wire.KindMalformed: 400, wire.KindUnauthenticated: 401, wire.KindForbidden: 403, wire.KindNotFound: 404,
		wire.KindNotAllowed: 405, wire.KindConflict: 409, wire.KindTooLarge: 413, wire.KindRefused: 422, wire.KindOverBudget: 429, wire.KindInternal: 500,
		wire.KindBusy: 503, wire.KindNoQuorum: 503, wire.KindNotReady: 503, wire.KindUnknownOutcome: 504,
	}
	require.Len(t, wire.Kinds(), len(statuses))
	for _, kind := range wire.Kinds() {
		fake := apitest.New()
		fake.Err = fmt.Errorf("doing it: %w", &wire.Problem{Kind: kind, Sentence: "it is so", Details: []string{"line 3"}})
		got := httptest.NewRecorder() // not held against the description: the route does not fail in all these ways
		api.New(apitest.Services(fake), api.Options{}).ServeHTTP(got, request("GET", "/api/v1/places", admin, ""))
		require.Equal(t, statuses[kind], got.Code, kind)
		require.Equal(t, kind, problem(t, got).Kind)
		require.Equal(t, kind == wire.KindBusy || kind == wire.KindOverBudget, got.Header().Get("Retry-After") != "")
		if kind != wire.KindInternal {
			require.Equal(t, []string{"line 3"}, problem(t, got).Details)
		}
	}
}

func TestErrors_TellNothingOfTheInside(t *testing.T) {
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	for _, err := range []error{
		errors.New("badger: secret detail"),
		wire.Problemf("no-such-kind", "secret detail"), wire.Problemf(wire.KindInternal, "secret detail"),
	} {
		fake := apitest.New()
		fake.Err = err
		log.Reset()
		got := ask(t, api.New(apitest.Services(fake), api.Options{Logger: logger}), "GET", "/api/v1/places", admin, "")
		require.Equal(t, 500, got.Code)
		require.Equal(t, wire.KindInternal, problem(t, got).Kind)
		require.NotContains(t, got.Body.String(), "secret")
		require.Contains(t, log.String(), "secret detail")
	}
}

func TestErrors_TimeoutOfAChangeIsUnknown(t *testing.T) {
	fake := apitest.New()
	fake.Err = fmt.Errorf("proposing: %w", context.DeadlineExceeded)
	h := api.New(apitest.Services(fake), api.Options{})
	got := ask(t, h, "DELETE", "/api/v1/devices/d1", admin, "")
	require.Equal(t, 504, got.Code)
	require.Equal(t, wire.KindUnknownOutcome, problem(t, got).Kind)
	got = ask(t, h, "GET", "/api/v1/places", admin, "")
	require.Equal(t, wire.KindBusy, problem(t, got).Kind)
}

func TestPanic_IsAnswered500AndCounted(t *testing.T) {
	var log strings.Builder
	registry := prometheus.NewRegistry()
	fake := apitest.New()
	fake.Panic = "secret fault"
	h := api.New(apitest.Services(fake), api.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Registry: registry})
	got := ask(t, h, "GET", "/api/v1/places", admin, "")
	require.Equal(t, 500, got.Code)
	require.NotContains(t, got.Body.String(), "secret")
	require.Contains(t, log.String(), "secret fault")
	require.Contains(t, ask(t, h, "GET", "/metrics", "", "").Body.String(), "\nalmenara_api_panics_total 1\n")
	require.Contains(t, ask(t, h, "GET", "/metrics", "", "").Body.String(),
		`almenara_api_request_seconds_count{method="GET",path="/api/v1/places",result="failed"} 1`)
}

// halfway panics after the first line of the audit chain.
type halfway struct{ *apitest.Fake }

func (halfway) ExportAudit(_ context.Context, w io.Writer, _, _ uint64) error {
	fmt.Fprintln(w, `{"index":1}`)
	panic("fault")
}

func TestPanic_HalfAnAnswerNeverLooksWhole(t *testing.T) {
	s := start(t, api.New(apitest.Services(halfway{apitest.New()}), api.Options{}), 0)
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Addr().String()+"/api/v1/audit", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+admin)
	if response, err := http.DefaultClient.Do(r); err == nil {
		_, err = io.ReadAll(response.Body)
		require.NoError(t, response.Body.Close())
		require.Error(t, err)
	}
}

func TestToken_NeedsTheBearerSchemeAndAToken(t *testing.T) {
	h := api.New(apitest.Services(apitest.New()), api.Options{})
	for header, status := range map[string]int{
		"Bearer " + admin: 200, "bearer  " + admin: 200, "Bearer": 401, "Bearer ": 401, "Basic " + admin: 401, admin: 401, " ": 401,
	} {
		r := request("GET", "/api/v1/places", "", "")
		r.Header.Set("Authorization", header)
		require.Equal(t, status, serve(t, h, r).Code, "%q", header)
	}
}

func TestUnrouted_IsNotFoundOrNotAllowed(t *testing.T) {
	h := api.New(apitest.Services(apitest.New()), api.Options{})
	got := ask(t, h, "GET", "/api/v1/nothing", admin, "")
	require.Equal(t, 404, got.Code)
	require.Equal(t, wire.KindNotFound, problem(t, got).Kind)
	got = ask(t, h, "PATCH", "/api/v1/places", admin, "")
	require.Equal(t, 405, got.Code)
	require.Equal(t, "GET, PUT", got.Header().Get("Allow"))
}

func TestLists_AreNeverNull(t *testing.T) {
	fake := apitest.New()
	fake.Alerts, fake.Places, fake.Devices, fake.Users, fake.Rows = nil, nil, nil, nil, nil
	h := api.New(apitest.Services(fake), api.Options{})
	for _, path := range []string{"alerts", "places", "devices", "users", "alerts/a/receipts"} {
		require.Equal(t, "[]\n", ask(t, h, "GET", "/api/v1/"+path, admin, "").Body.String(), path)
	}
}

func TestDevices_AnswerInTheShapeOfTheQuestion(t *testing.T) {
	h := api.New(apitest.Services(apitest.New()), api.Options{})
	got := ask(t, h, "POST", "/api/v1/devices", admin, ` [{"id":"a"},{"id":"b"}]`)
	var many []wire.Enrolled
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &many))
	require.Len(t, many, 2)
	for _, body := range []string{"[]", "[" + strings.Repeat(`{"id":"x"},`, 500) + `{"id":"x"}]`} {
		got = ask(t, h, "POST", "/api/v1/devices", admin, body)
		require.Equal(t, 400, got.Code)
		require.Contains(t, problem(t, got).Sentence, "from 1 to 500 devices")
	}
}

func TestReady_SaysWhyNot(t *testing.T) {
	fake := apitest.New()
	fake.State.Ready, fake.State.Why = false, why.Sentence{Text: "the log is being replayed"}
	got := ask(t, api.New(apitest.Services(fake), api.Options{}), "GET", "/readyz", "", "")
	require.Equal(t, 503, got.Code)
	require.JSONEq(t, `{"ready":false,"why":"the log is being replayed"}`, got.Body.String())
	fake.Err = errors.New("badger: closed")
	got = ask(t, api.New(apitest.Services(fake), api.Options{}), "GET", "/readyz", "", "")
	require.Equal(t, 503, got.Code)
	require.NotContains(t, got.Body.String(), "badger")
}

func TestMetrics_AllExistAtZero(t *testing.T) {
	registry := prometheus.NewRegistry()
	api.New(apitest.Services(apitest.New()), api.Options{Registry: registry})
	families, err := registry.Gather()
	require.NoError(t, err)
	counts := map[string]int{}
	for _, family := range families {
		counts[family.GetName()] = len(family.GetMetric())
	}
	require.Equal(t, map[string]int{
		"almenara_api_request_seconds": 3 * len(api.Routes()), "almenara_api_event_streams": 1, "almenara_api_panics_total": 1,
	}, counts)
}

const message = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>i-1</identifier><sender>hko@example.hk</sender>` +
	`<sent>2026-07-20T17:40:00+08:00</sent><status>Exercise</status><msgType>Alert</msgType><scope>Public</scope><info>` +
	`<category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>` +
	`<expires>2026-07-20T19:40:00+08:00</expires><headline>Go upstairs</headline><area><areaDesc>Tuen Mun</areaDesc>` +
	`<circle>22.39,113.97 2</circle></area></info></alert>`

func askCAP(t *testing.T, fake *apitest.Fake, body string) *httptest.ResponseRecorder {
	r := request("POST", "/api/v1/cap", apitest.Token(authority.RoleComposer), body)
	r.Header.Set("Accept", "application/cap+xml, application/json;q=0.5")
	return serve(t, api.New(apitest.Services(fake), api.Options{Sender: "almenara@tuen-mun"}), r)
}

func TestCAP_AcksInCAPWithReach(t *testing.T) {
	got := askCAP(t, apitest.New(), message)
	require.Equal(t, 202, got.Code)
	require.Equal(t, "application/cap+xml", got.Header().Get("Content-Type"))
	ack, findings, err := capxml.Parse(got.Body.Bytes())
	require.NoError(t, err, findings)
	require.Equal(t, alert.MsgTypeAck, ack.MsgType)
	require.Equal(t, alert.StatusExercise, ack.Status)
	require.Equal(t, "almenara@tuen-mun", ack.Sender)
	require.Equal(t, "i-1", ack.References[0].Identifier)
	require.Contains(t, ack.Note, "1204 members addressed, 311 of them with a device connected now")
}

func TestCAP_RefusesInCAP(t *testing.T) {
	fake := apitest.New()
	fake.Err = wire.Problemf(wire.KindRefused, "the area names no place of this district")
	got := askCAP(t, fake, message)
	require.Equal(t, 422, got.Code)
	reply, _, err := capxml.Parse(got.Body.Bytes())
	require.NoError(t, err)
	require.Equal(t, alert.MsgTypeError, reply.MsgType)
	require.Contains(t, reply.Note, "the area names no place of this district")
	require.Equal(t, "hko@example.hk", reply.References[0].Sender)
}

func TestCAP_AnUnknownOutcomeIsNoError(t *testing.T) {
	fake := apitest.New()
	for _, err := range []error{
		wire.Problemf(wire.KindUnknownOutcome, "not known"), fmt.Errorf("x: %w", context.DeadlineExceeded), errors.New("fault"),
	} {
		fake.Err = err
		got := askCAP(t, fake, message)
		require.Equal(t, "application/json", got.Header().Get("Content-Type"))
		require.GreaterOrEqual(t, got.Code, 500)
	}
	fake.Err = wire.Problemf(wire.KindMalformed, "no XML")
	got := askCAP(t, fake, "garbage")
	require.Equal(t, 400, got.Code)
	require.Equal(t, wire.KindMalformed, problem(t, got).Kind)
}

// start serves h on a free port until the test ends.
func start(t *testing.T, h *api.Handler, timeout time.Duration) *httpserver.Server {
	t.Helper()
	s := httpserver.New(httpserver.Options{Address: "127.0.0.1:0", Handler: document.Handler(t, h), EndStreams: h.EndStreams, Timeout: timeout})
	require.NoError(t, s.Start())
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func open(t *testing.T, s *httpserver.Server, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Addr().String()+path, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+admin)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestEvents_AreStreamedWithIDs(t *testing.T) {
	fake := apitest.New()
	s := start(t, api.New(apitest.Services(fake), api.Options{}), 0)
	response := open(t, s, "/api/v1/events?alert=a1")
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	fake.Feed <- wire.Event{ID: "n1-7\nevent: forged", Type: "receipts", Alert: "a1", Rungs: &wire.Rungs{Presented: 3}}
	close(fake.Feed) // as the service does with a slow reader
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(raw), ": almenara\n\nid: n1-7 event: forged\nevent: receipts\ndata: {")
	require.Contains(t, string(raw), `"presented":3`)
	require.NotContains(t, string(raw), "\nevent: forged")
	require.Equal(t, []string{"Events a1"}, fake.Calls())
}

func TestEvents_OutliveTheServersTimeouts(t *testing.T) {
	const timeout = 20 * time.Millisecond
	s := start(t, api.New(apitest.Services(apitest.New()), api.Options{Heartbeat: timeout}), timeout)
	lines := bufio.NewScanner(open(t, s, "/api/v1/events").Body)
	for beats := 0; beats < 10; {
		require.True(t, lines.Scan(), "the stream ended after %d heartbeats", beats)
		if lines.Text() == ": still here" {
			beats++
		}
	}
}

func TestEvents_EndWhenTheTokenIsRevoked(t *testing.T) {
	fake := apitest.New()
	s := start(t, api.New(apitest.Services(fake), api.Options{Heartbeat: time.Millisecond}), 0)
	response := open(t, s, "/api/v1/events")
	fake.Revoke()
	_, err := io.ReadAll(response.Body)
	require.NoError(t, err)
}

func TestStop_EndsStreamsFirst(t *testing.T) {
	h := api.New(apitest.Services(apitest.New()), api.Options{})
	s := httpserver.New(httpserver.Options{Address: "127.0.0.1:0", Handler: document.Handler(t, h), EndStreams: h.EndStreams})
	require.NoError(t, s.Stop(context.Background()), "before Start")
	h = api.New(apitest.Services(apitest.New()), api.Options{})
	s = httpserver.New(httpserver.Options{Address: "127.0.0.1:0", Handler: document.Handler(t, h), EndStreams: h.EndStreams})
	require.NoError(t, s.Start())
	require.Error(t, s.Start(), "twice")
	response := open(t, s, "/api/v1/events")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(t, s.Stop(ctx))
	require.NoError(t, s.Stop(ctx), "again")
	_, err := io.ReadAll(response.Body)
	require.NoError(t, err, "the stream ends in order")
	_, err = net.Dial("tcp", s.Addr().String())
	require.Error(t, err)
}

func TestAudit_FaultAfterTheFirstByteBreaksTheConnection(t *testing.T) {
	fake := apitest.New()
	fake.AuditErr = errors.New("disk fault")
	s := start(t, api.New(apitest.Services(fake), api.Options{}), 0)
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Addr().String()+"/api/v1/audit", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+admin)
	if response, err := http.DefaultClient.Do(r); err == nil { // else it was cut before the header went out
		_, err = io.ReadAll(response.Body)
		require.NoError(t, response.Body.Close())
		require.Error(t, err, "a cut chain must not look whole")
	}

	fake = apitest.New()
	fake.Audit, fake.AuditErr = nil, errors.New("disk fault")
	s = start(t, api.New(apitest.Services(fake), api.Options{}), 0)
	response := open(t, s, "/api/v1/audit")
	require.Equal(t, 500, response.StatusCode)
	require.Equal(t, "application/json", response.Header.Get("Content-Type"))
}

func TestEvents_WhoComesBackIsToldToReadAnew(t *testing.T) {
	fake := apitest.New()
	s := start(t, api.New(apitest.Services(fake), api.Options{}), 0)
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Addr().String()+"/api/v1/events", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+admin)
	r.Header.Set("Last-Event-ID", "other-7")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	close(fake.Feed)
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(raw), "event: "+wire.EventAgain+"\n")
}
