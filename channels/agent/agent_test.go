package agent

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
	"almenara/channels/pages"
)

func made(t *testing.T) *Agent {
	t.Helper()
	p, err := pages.New(nil)
	require.NoError(t, err)
	a, err := New(Options{
		Pages: p, Zone: "Asia/Hong_Kong",
		Device: device.Options{ID: "lift-1", Servers: []string{"tcp://127.0.0.1:1"}, RootKey: make(ed25519.PublicKey, ed25519.PublicKeySize)},
	})
	require.NoError(t, err)
	t.Cleanup(a.device.Stop)
	return a
}

func fire(action rules.Action) rules.Effect {
	return rules.Effect{Action: action, Alert: "fire", Revision: 7, Body: &contract.Body{Alert: "fire", Revision: 7}, Look: rules.Look{Tier: contract.TierEmergency, Sound: "siren"}}
}

// contents reads what a page is told.
func contents(t *testing.T, server *httptest.Server) func() content {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/agent/events", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	return func() (p content) {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				require.NoError(t, json.Unmarshal([]byte(data), &p))
				return p
			}
		}
		t.Fatal("the agent tells nothing more")
		return p
	}
}

func post(t *testing.T, h http.Handler, body string, header ...string) int {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost/agent/seen", strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// painted says whether the page has painted an alert, and leaving how many it may still draw.
func (a *Agent) painted(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.alerts[id].painted
}

func (a *Agent) leaving() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.stopping)
}

func TestAgent_TellsThePageTheWholeTruth(t *testing.T) {
	a := made(t)
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	next := contents(t, server)
	first := next()
	require.Empty(t, first.Alerts)
	require.EqualValues(t, -1, first.Silence)
	require.Equal(t, deviceOnPage{ID: "lift-1", Zone: "Asia/Hong_Kong"}, first.Device)
	require.ErrorIs(t, a.present(fire(rules.Start)), device.ErrPending)
	p := next()
	for len(p.Alerts) == 0 {
		p = next()
	}
	require.Equal(t, lookOnPage{Tier: contract.TierEmergency, Sound: "siren"}, p.Alerts[0].Look)
	require.False(t, p.Alerts[0].Resumed)

	require.Equal(t, http.StatusNoContent, post(t, a.Handler(), `{"seq":1,"painted":[{"alert":"fire","revision":7}],"health":{"display":"painted"}}`))
	require.True(t, a.painted("fire"))
	require.Equal(t, map[string]string{"display": "painted", "level": "C"}, a.healthNow(), "it stores nothing")

	require.ErrorIs(t, a.present(fire(rules.Stop)), device.ErrPending, "a page may still draw it")
	post(t, a.Handler(), `{"seq":1,"painted":[{"alert":"fire","revision":7}]}`)
	require.Equal(t, 1, a.leaving())
	post(t, a.Handler(), `{"seq":2,"painted":[]}`)
	require.Zero(t, a.leaving())
}

func TestAgent_OfAnotherRevisionNothingIsPainted(t *testing.T) {
	a := made(t)
	require.ErrorIs(t, a.present(fire(rules.Start)), device.ErrPending)
	require.Equal(t, http.StatusConflict, post(t, a.Handler(), `{"painted":[{"alert":"fire","revision":7}]}`), "it does not listen")
	require.False(t, a.painted("fire"))
	require.True(t, a.listen(""))
	post(t, a.Handler(), `{"seq":9,"painted":[{"alert":"fire","revision":6},{"alert":"other","revision":7}]}`)
	require.False(t, a.painted("fire"))
	a.leave("")
	require.Equal(t, "no browser", a.healthNow()["display"])
	require.NoError(t, a.present(fire(rules.Stop)), "without a page nothing is drawn")
}

func TestAgent_IsForItsOwnBoxAlone(t *testing.T) {
	h := made(t).Handler()
	for host, want := range map[string]int{"localhost:8490": 200, "127.0.0.1": 200, "[::1]:8490": 200, "box.example": 421, "localhost.example:8490": 421} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/screen/", nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, host)
	}
	require.Equal(t, http.StatusForbidden, post(t, h, `{}`, "Sec-Fetch-Site", "cross-site"))
	require.Equal(t, http.StatusForbidden, post(t, h, `{}`, "Origin", "http://elsewhere.example"))
	require.Equal(t, http.StatusBadRequest, post(t, h, `{"painted":7}`))
	require.Equal(t, http.StatusBadRequest, post(t, h, `{"health":{"a":"`+strings.Repeat("x", 200)+`"}}`))
	require.Equal(t, http.StatusBadRequest, post(t, h, `{"mark":{"cells":"wwwwwwww","columns":4,"page":[0,0,1,1],"screen":[0,0,2,1]}}`))
	require.Equal(t, http.StatusBadRequest, post(t, h, strings.Repeat(" ", maxSeen+1)+`{}`))
}

// tested is what the device would tell of its last test.
func (a *Agent) tested(t *testing.T) contract.Tested {
	t.Helper()
	told, ok := device.LocalOf(a.device).LastTest()
	require.True(t, ok)
	return told
}

func TestAgent_ATestIsWhatThePageSays(t *testing.T) {
	a := made(t)
	test := func(id string) contract.Command { return contract.Command{ID: id, Do: contract.DoTest} }
	a.command(test("c1"))
	require.Equal(t, contract.Tested{ID: "c1", Result: contract.TestFailed, Why: "no browser"}, a.tested(t))
	require.True(t, a.listen(""))
	a.command(test("c2"))
	post(t, a.Handler(), `{"seq":1,"painted":[],"tested":{"id":"c1","result":"passed","exercised":["display"]}}`)
	require.Equal(t, "c1", a.tested(t).ID, "a page does not answer what is over")
	require.Equal(t, contract.TestFailed, a.tested(t).Result)
	a.command(test("c3"))
	require.Equal(t, contract.TestBusy, a.tested(t).Result)
	post(t, a.Handler(), `{"seq":1,"painted":[],"tested":{"id":"c2","result":"passed","exercised":["display","sound"]}}`)
	require.Equal(t, contract.Tested{ID: "c2", Result: contract.TestPassed, Exercised: []string{"display", "sound"}}, a.tested(t))
	require.Equal(t, http.StatusBadRequest, post(t, a.Handler(), `{"tested":{"exercised":["`+strings.Repeat("x", 200)+`"]}}`))
}

// A browser that hangs paints nothing, and says nothing of a test either.
func TestAgent_ATestThatNoPageAnswersHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := made(t)
		require.True(t, a.listen(""))
		a.command(contract.Command{ID: "c1", Do: contract.DoTest})
		time.Sleep(DefaultPatience + time.Second)
		synctest.Wait()
		require.Equal(t, contract.TestFailed, a.tested(t).Result)
	})
}
