package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/wire"
)

func importLines(t *testing.T, h http.Handler, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/api/v1/audience/import", body)
	r.Header.Set("Authorization", "Bearer "+admin)
	r.Header.Set("Accept", "application/x-ndjson")
	return serve(t, h, r)
}

// linesOf reads the progress and the last line.
func linesOf(t *testing.T, body string) (all []wire.Progress, last string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	for _, line := range lines[:len(lines)-1] {
		var p wire.Progress
		require.NoError(t, json.Unmarshal([]byte(line), &p), line)
		require.NotEmpty(t, p.Phase, line)
		all = append(all, p)
	}
	return all, lines[len(lines)-1]
}

func TestImport_TellsProgressEvery250msAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := apitest.New()
		fake.Imported = wire.Imported{Applied: true, Rows: 3000}
		fake.Importing = func(_ context.Context, progress func(wire.Progress)) {
			for i := range int64(3000) { // three seconds
				progress(wire.Progress{Phase: wire.PhaseStaging, Done: i + 1, Total: 3000})
				time.Sleep(time.Millisecond)
			}
		}
		got := importLines(t, api.New(apitest.Services(fake), api.Options{}), strings.NewReader("id\n"))
		require.Equal(t, 200, got.Code)
		require.Equal(t, "application/x-ndjson", got.Header().Get("Content-Type"))
		all, last := linesOf(t, got.Body.String())
		require.InDelta(t, 11, len(all), 1)
		require.InDelta(t, 250, all[0].Done, 2)
		require.JSONEq(t, marshal(t, fake.Imported), last)
		require.Equal(t, []string{"Import 3 false false"}, fake.Calls())
	})
}

func TestImport_SaysAgainHowFarItIsWhenNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := apitest.New()
		fake.Importing = func(_ context.Context, progress func(wire.Progress)) {
			time.Sleep(40 * time.Second)
			progress(wire.Progress{Phase: wire.PhaseFolding, Done: 1, Total: 2})
			time.Sleep(40 * time.Second)
		}
		all, _ := linesOf(t, importLines(t, api.New(apitest.Services(fake), api.Options{}), strings.NewReader("id\n")).Body.String())
		require.Equal(t, []wire.Progress{
			{Phase: wire.PhaseChecking}, {Phase: wire.PhaseChecking}, {Phase: wire.PhaseFolding, Done: 1, Total: 2},
			{Phase: wire.PhaseFolding, Done: 1, Total: 2}, {Phase: wire.PhaseFolding, Done: 1, Total: 2},
		}, all)
	})
}

// A problem is a status as long as nothing was told, and the last line afterwards.
func TestImport_ProblemsBeforeAndAfterTheFirstLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := apitest.New()
		fake.Err = wire.Problemf(wire.KindNoQuorum, "no majority")
		got := importLines(t, api.New(apitest.Services(fake), api.Options{}), strings.NewReader("id\n"))
		require.Equal(t, 503, got.Code)
		require.Equal(t, wire.KindNoQuorum, problem(t, got).Kind)

		fake.Importing = func(_ context.Context, progress func(wire.Progress)) {
			progress(wire.Progress{Phase: wire.PhaseStaging, Done: 1, Total: 2})
			time.Sleep(time.Second)
		}
		h := api.New(apitest.Services(fake), api.Options{})
		got = importLines(t, h, strings.NewReader("id\n"))
		require.Equal(t, 200, got.Code)
		all, last := linesOf(t, got.Body.String())
		require.Len(t, all, 1)
		require.JSONEq(t, `{"kind":"no-quorum","error":"no majority"}`, last)
		require.Contains(t, ask(t, h, "GET", "/metrics", "", "").Body.String(),
			`almenara_api_request_seconds_count{method="POST",path="/api/v1/audience/import",result="failed"} 1`)
	})
}

// slowBody ends only after a while.
type slowBody struct{ left int }

func (b *slowBody) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	if b.left--; b.left < 0 {
		return 0, io.EOF
	}
	return copy(p, "x"), nil
}

// impatient is a service that tells progress before it has read all.
type impatient struct{ *apitest.Fake }

func (i impatient) Import(_ context.Context, _ authority.Caller, csv io.Reader, _ wire.ImportOptions, progress func(wire.Progress)) (wire.Imported, error) {
	progress(wire.Progress{Phase: "early", Done: 1})
	n, err := io.Copy(io.Discard, csv)
	if err == nil {
		progress(wire.Progress{Phase: "late", Done: n})
		time.Sleep(time.Second)
	}
	return i.Imported, err
}

func TestImport_AnswersNothingWhileTheFileComesIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := api.New(apitest.Services(impatient{apitest.New()}), api.Options{Heartbeat: time.Second})
		all, _ := linesOf(t, importLines(t, h, &slowBody{left: 20}).Body.String())
		require.Equal(t, wire.Progress{Phase: "late", Done: 20}, all[0])
		h = api.New(apitest.Services(impatient{apitest.New()}), api.Options{MaxBody: 10})
		got := importLines(t, h, &slowBody{left: 20})
		require.Equal(t, 413, got.Code, got.Body)
	})
}

func TestImport_PanicEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := apitest.New()
		fake.Importing = func(context.Context, func(wire.Progress)) { panic("fault") }
		got := importLines(t, api.New(apitest.Services(fake), api.Options{}), strings.NewReader("id\n"))
		require.Equal(t, 500, got.Code)
	})
}

func TestImport_OutlivesTheServersTimeouts(t *testing.T) {
	const timeout = 100 * time.Millisecond // less is over before a busy machine has sent the request
	for _, accept := range []string{"application/json", "application/x-ndjson"} {
		fake := apitest.New()
		fake.Imported = wire.Imported{Applied: true, Rows: 1}
		fake.Importing = func(ctx context.Context, _ func(wire.Progress)) {
			select {
			case <-time.After(5 * timeout):
			case <-ctx.Done():
				t.Error("the request was cut")
			}
		}
		s := start(t, api.New(apitest.Services(fake), api.Options{Heartbeat: timeout}), timeout)
		r, err := http.NewRequest(http.MethodPost, "http://"+s.Addr().String()+"/api/v1/audience/import",
			io.MultiReader(strings.NewReader("id\n"), &tardy{3 * timeout}, strings.NewReader("x\n")))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+admin)
		r.Header.Set("Accept", accept)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.Equal(t, accept, response.Header.Get("Content-Type"))
		lines, last := bufio.NewScanner(response.Body), ""
		for lines.Scan() {
			last = lines.Text()
		}
		require.NoError(t, lines.Err())
		require.NoError(t, response.Body.Close())
		require.JSONEq(t, marshal(t, fake.Imported), last)
	}
}

// tardy is nothing, after a while.
type tardy struct{ wait time.Duration }

func (b *tardy) Read([]byte) (int, error) {
	<-time.After(b.wait)
	return 0, io.EOF
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func TestDryRun_RecordsNothingAndAnswersJSON(t *testing.T) {
	for path, c := range map[string]struct{ body, asked string }{
		"/api/v1/cap?dry_run=true&select=all":     {message, "PreviewCAP " + message + ` "all"`},
		"/api/v1/alerts?dry_run=1&wait=committed": {`{"alert":{"x":1},"select":"all"}`, `PreviewAlert {"x":1} "all"`},
	} {
		fake := apitest.New()
		r := request("POST", path, apitest.Token(authority.RoleComposer), c.body)
		r.Header.Set("Accept", "application/cap+xml")
		got := serve(t, api.New(apitest.Services(fake), api.Options{}), r)
		require.Equal(t, 200, got.Code, "not 202: nothing was accepted")
		require.Contains(t, got.Body.String(), `"dry_run":true`, "a CAP Ack would say that it was taken")
		require.Equal(t, []string{c.asked}, fake.Calls())
	}
}

// A slip in the safe flag must not send.
func TestDryRun_ThatCannotBeReadSendsNothing(t *testing.T) {
	for _, path := range []string{"/api/v1/cap", "/api/v1/alerts"} {
		for _, slip := range []string{"dry_run=yes", "dry_run=", "dry_run", "dryrun=true", "dry-run=true", "dry_run=true&dry_run=false"} {
			fake := apitest.New()
			got := ask(t, api.New(apitest.Services(fake), api.Options{}), "POST", path+"?"+slip, apitest.Token(authority.RoleComposer), `{"alert":{"x":1}}`)
			require.Equal(t, 400, got.Code, "%s?%s", path, slip)
			require.Empty(t, fake.Calls())
		}
	}
}
