package agent

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A page of another site that runs on the box, as what is shown under the alerts does, cannot read what the agent
// says. It must not take the places of the page that shows alerts either.
func TestAttack_PagesOfOtherSitesTakeNoPlaces(t *testing.T) {
	a := made(t)
	h := a.Handler()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	refused := make(chan int, 3*maxPages)
	for _, from := range []string{"cross-site", "same-site", "none"} {
		for i := range maxPages {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/agent/events?page="+from+string(rune('a'+i)), nil)
			r.Header.Set("Sec-Fetch-Site", from)
			all.Go(func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				refused <- w.Code
			})
		}
	}
	for range 3 * maxPages {
		select {
		case code := <-refused:
			require.Equal(t, http.StatusForbidden, code)
		case <-time.After(10 * time.Second):
			t.Fatal("a page of another site listens")
		}
	}
	require.True(t, a.listen("ours"))
	a.leave("ours")
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	require.Empty(t, contents(t, server)().Alerts, "a program that says nothing of pages is told all")
}
