package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/wire"
)

// askFrom asks from an address.
func askFrom(t *testing.T, h http.Handler, address, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = address
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	document.Handler(t, h).ServeHTTP(w, r)
	return w
}

// TestLimits_OfStrangersStopNobodyElse fills the bucket of an address with wrong tokens:
// the next one is told when to come again, and a good token from there is served.
func TestLimits_OfStrangersStopNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no bucket fills up meanwhile, however slow the machine is
		h := api.New(apitest.Services(apitest.New()), api.Options{})
		const there, neighbour = "203.0.113.7:1000", "203.0.113.8:1000"
		var last *httptest.ResponseRecorder
		for range 300 {
			if last = askFrom(t, h, there, "GET", "/api/v1/places", "a wrong token"); last.Code == 429 {
				break
			}
			require.Equal(t, 401, last.Code)
		}
		require.Equal(t, 429, last.Code)
		require.Equal(t, wire.KindOverBudget, problem(t, last).Kind)
		after, err := strconv.Atoi(last.Header().Get("Retry-After"))
		require.NoError(t, err)
		require.Positive(t, after)
		require.Equal(t, 429, askFrom(t, h, there, "GET", "/metrics", "").Code, "and what needs no token")
		require.Equal(t, 200, askFrom(t, h, there, "GET", "/api/v1/places", admin).Code, "a good token from the same address is served")
		require.Equal(t, 401, askFrom(t, h, neighbour, "GET", "/api/v1/places", "a wrong token").Code)
		require.Equal(t, 200, askFrom(t, h, neighbour, "GET", "/metrics", "").Code)
		for range 300 {
			require.Equal(t, 200, askFrom(t, h, "127.0.0.1:1000", "GET", "/healthz", "").Code, "the node's own machine looks at it freely")
		}
		for i := range 300 { // addresses of one IPv6 network are one
			last = askFrom(t, h, "[2001:db8::"+strconv.Itoa(i)+"]:1", "GET", "/metrics", "")
		}
		require.Equal(t, 429, last.Code)
	})
}

// TestLimits_OfReadingLeaveWarningAlone lets a user ask without end; others, and the same
// user's alerts, are taken.
func TestLimits_OfReadingLeaveWarningAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no bucket fills up meanwhile, however slow the machine is
		h := api.New(apitest.Services(apitest.New()), api.Options{})
		token, other := apitest.Token(authority.RoleComposer), apitest.Token(authority.RoleViewer)
		var last *httptest.ResponseRecorder
		for range 2000 {
			if last = askFrom(t, h, "203.0.113.7:1", "GET", "/api/v1/places", token); last.Code == 429 {
				break
			}
		}
		require.Equal(t, 429, last.Code)
		require.NotEmpty(t, last.Header().Get("Retry-After"))
		require.Equal(t, 200, askFrom(t, h, "203.0.113.7:1", "GET", "/api/v1/places", other).Code)
		r := httptest.NewRequest("POST", "/api/v1/alerts/"+apitest.AlertID+"/cancel", nil)
		w := ask(t, h, r.Method, r.URL.Path, token, "{}")
		require.Equal(t, 202, w.Code, "warning has a share of its own")
	})
}

// slowPlaces answers places when it is told to.
type slowPlaces struct {
	*apitest.Fake
	began   chan struct{}
	proceed chan struct{}
}

func (s slowPlaces) ListPlaces(context.Context) ([]wire.Place, error) {
	s.began <- struct{}{}
	<-s.proceed
	return nil, nil
}

// TestLimits_WorkOutTwoAnswersOfAUserAtOnce holds the third until one is done.
func TestLimits_WorkOutTwoAnswersOfAUserAtOnce(t *testing.T) {
	s := slowPlaces{apitest.New(), make(chan struct{}, 3), make(chan struct{})}
	h := api.New(apitest.Services(s), api.Options{})
	done := make(chan int, 3)
	for range 3 {
		go func() { done <- askFrom(t, h, "203.0.113.7:1", "GET", "/api/v1/places", admin).Code }()
	}
	<-s.began
	<-s.began
	require.Empty(t, s.began)
	require.Equal(t, 200, askFrom(t, h, "203.0.113.7:1", "GET", "/api/v1/devices", apitest.Token(authority.RoleViewer)).Code, "another user")
	s.proceed <- struct{}{}
	<-s.began
	close(s.proceed)
	for range 3 {
		require.Equal(t, 200, <-done)
	}
}
