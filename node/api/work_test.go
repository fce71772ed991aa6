package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/httpserver"
	"almenara/node/inflight"
	"almenara/node/service"
	"almenara/node/wire"
)

// crowd is a service with many users: a token is the name of its user, who is a composer, unless
// it begins with system or admin.
type crowd struct {
	*apitest.Fake
	take func(ctx context.Context, by authority.Caller, dryRun bool) (wire.Outcome, error)
}

func newCrowd(take func(ctx context.Context, by authority.Caller, dryRun bool) (wire.Outcome, error)) service.All {
	return apitest.Services(crowd{apitest.New(), take})
}

func (c crowd) Identify(_ context.Context, token string) (authority.Caller, error) {
	by := authority.Caller{Name: token, Roles: []string{authority.RoleComposer}, System: strings.HasPrefix(token, "system")}
	if strings.HasPrefix(token, "admin") {
		by.Roles = []string{authority.RoleAdministrator}
	}
	return by, nil
}

func (c crowd) TakeCAP(ctx context.Context, by authority.Caller, _ []byte, _ string, _ wire.Wait) (wire.Outcome, error) {
	return c.take(ctx, by, false)
}

func (c crowd) PreviewCAP(ctx context.Context, by authority.Caller, _ []byte, _ string) (wire.Outcome, error) {
	return c.take(ctx, by, true)
}

// inForce is what becomes of a good message.
var inForce = wire.Outcome{State: wire.StateInForce, Effect: wire.EffectWarns}

const sends, asks = "/api/v1/cap", "/api/v1/cap?dry_run=true"

var (
	smallBody = "<alert/>"
	largeBody = strings.Repeat("x", 300<<10)
)

// Four persons cannot hold all places of large bodies: some are kept.
func TestBodies_KeepPlacesForCentralSystemsAndAdministrators(t *testing.T) {
	reading := make(chan struct{}, 1000)
	services := newCrowd(func(context.Context, authority.Caller, bool) (wire.Outcome, error) { return inForce, nil })
	s := httpserver.New(httpserver.Options{Address: "127.0.0.1:0", Handler: watched{document.Handler(t, api.New(services, api.Options{})), reading}})
	require.NoError(t, s.Start())
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Stop(ctx)
	})
	for _, user := range []string{"amy", "ben", "cat"} {
		for range 4 {
			begin(t, s, user, asks, fourMiB, "x")
			<-reading
		}
	}
	large := "Content-Type: application/cap+xml\r\nContent-Length: " + strconv.Itoa(len(largeBody))
	require.Equal(t, 503, begin(t, s, "dan", sends, large, "").answer().StatusCode)
	require.Equal(t, 202, begin(t, s, "system weather", sends, large, largeBody).answer().StatusCode)
	require.Equal(t, 202, begin(t, s, "admin", sends, large, largeBody).answer().StatusCode)
}

// line is requests that are worked on one after the other.
type line struct {
	t       *testing.T
	h       http.Handler
	began   chan string   // who is worked on
	proceed chan struct{} // lets one go on
	done    chan *httptest.ResponseRecorder
}

func newLine(t *testing.T) *line {
	l := &line{t: t, began: make(chan string, 100), proceed: make(chan struct{}), done: make(chan *httptest.ResponseRecorder, 100)}
	l.h = api.New(newCrowd(func(_ context.Context, by authority.Caller, _ bool) (wire.Outcome, error) {
		l.began <- by.Name
		<-l.proceed
		return inForce, nil
	}), api.Options{})
	return l
}

func (l *line) ask(user, target, body string) {
	go func() { l.done <- ask(l.t, l.h, "POST", target, user, body) }()
	synctest.Wait()
}

// However many large bodies and dry runs there are, half of the cores are free of them; who
// sends goes before who asks.
func TestWork_LargeBodiesAndDryRunsWaitTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, atOnce := newLine(t), max(1, runtime.GOMAXPROCS(0)/2)
		for i := range atOnce {
			l.ask("asks first "+strconv.Itoa(i), asks, largeBody)
			<-l.began
		}
		l.ask("asks large", asks, largeBody)
		l.ask("asks", asks, smallBody)
		l.ask("sends large", sends, largeBody)
		l.ask("system sends large", sends, largeBody)
		require.Empty(t, l.began)
		l.ask("sends", sends, smallBody)
		require.Equal(t, "sends", <-l.began, "what is small and sent waits for nobody")
		l.proceed <- struct{}{}
		for _, next := range []string{"system sends large", "sends large", "asks", "asks large"} {
			l.proceed <- struct{}{}
			require.Equal(t, next, <-l.began)
			synctest.Wait()
			require.Empty(t, l.began)
		}
		close(l.proceed)
		for range atOnce + 5 {
			require.Less(t, (<-l.done).Code, 300)
		}
	})
}

// Who waits for other nodes holds no turn.
func TestWork_WhatIsRecordedWaitsWithoutATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		committed := make(chan struct{})
		h := api.New(newCrowd(func(ctx context.Context, _ authority.Caller, dryRun bool) (wire.Outcome, error) {
			if !dryRun {
				inflight.Recorded(ctx)
				<-committed
			}
			return inForce, nil
		}), api.Options{})
		done := make(chan int, 10)
		for range 3 {
			go func() { done <- ask(t, h, "POST", sends, "amy", largeBody).Code }()
		}
		synctest.Wait()
		require.Equal(t, 200, ask(t, h, "POST", asks, "ben", largeBody).Code)
		close(committed)
		for range 3 {
			require.Equal(t, 202, <-done)
		}
	})
}

// Who asks without end is told to wait; his messages are sent, and others are answered.
func TestWork_OfDryRunsIsBoundedForEachUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		costs := func(_ context.Context, _ authority.Caller, dryRun bool) (out wire.Outcome, err error) {
			time.Sleep(500 * time.Millisecond)
			out = inForce
			out.DryRun = dryRun
			return out, nil
		}
		h := api.New(newCrowd(costs), api.Options{})
		answered := func(user string, lasts time.Duration) (n int) {
			for end := time.Now().Add(lasts); time.Now().Before(end); {
				w := ask(t, h, "POST", asks, user, smallBody)
				if w.Code == 200 {
					n++
					continue
				}
				require.Equal(t, 429, w.Code)
				require.Equal(t, wire.KindOverBudget, problem(t, w).Kind)
				wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
				require.NoError(t, err)
				require.Positive(t, wait)
				time.Sleep(time.Duration(wait) * time.Second)
			}
			return n
		}
		n := answered("amy", 10*time.Minute)
		require.InDelta(t, 0.2*600+5, float64(n)*0.5, 3, "seconds of work in ten minutes")
		for ask(t, h, "POST", asks, "amy", smallBody).Code == 200 {
		}
		require.Equal(t, 202, ask(t, h, "POST", sends, "amy", smallBody).Code)
		require.Equal(t, 200, ask(t, h, "POST", asks, "ben", smallBody).Code)
	})
}

// What is refused or known already costs as much as a dry run. It is not refused for that,
// and waits its turn.
func TestWork_OfRefusedMessagesGoesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, proceed := make(chan struct{}, 100), make(chan struct{})
		h := api.New(newCrowd(func(_ context.Context, by authority.Caller, _ bool) (wire.Outcome, error) {
			switch by.Name {
			case "refused":
				time.Sleep(time.Minute)
				return wire.Outcome{}, wire.Problemf(wire.KindRefused, "nothing was sent")
			case "repeats":
				time.Sleep(time.Minute)
				out := inForce
				out.Duplicate = true
				return out, nil
			case "sends":
				time.Sleep(time.Minute)
				return inForce, nil
			}
			began <- struct{}{}
			<-proceed
			return inForce, nil
		}), api.Options{})
		require.Equal(t, 422, ask(t, h, "POST", sends, "refused", smallBody).Code)
		require.Equal(t, 202, ask(t, h, "POST", sends, "repeats", smallBody).Code)
		require.Equal(t, 202, ask(t, h, "POST", sends, "sends", smallBody).Code)
		for range max(1, runtime.GOMAXPROCS(0)/2) { // all turns are taken
			go ask(t, h, "POST", asks, "asks", smallBody)
			<-began
		}
		waited := time.Now()
		require.Equal(t, 503, ask(t, h, "POST", sends, "refused", smallBody).Code)
		require.Equal(t, 503, ask(t, h, "POST", sends, "repeats", smallBody).Code)
		require.Equal(t, 30*time.Second, time.Since(waited))
		require.Equal(t, 202, ask(t, h, "POST", sends, "sends", smallBody).Code)
		close(proceed)
		synctest.Wait()
	})
}
