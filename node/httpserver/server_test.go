package httpserver_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/httpserver"
)

// slow is a request that ends when it is let go.
type slow struct{ begun, letGo chan struct{} }

func newSlow(t *testing.T) (*slow, *httpserver.Server) {
	t.Helper()
	h := &slow{begun: make(chan struct{}), letGo: make(chan struct{})}
	s := httpserver.New(httpserver.Options{Address: "127.0.0.1:0", Handler: h})
	require.NoError(t, s.Start())
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return h, s
}

func (h *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	close(h.begun)
	select {
	case <-h.letGo:
		_, _ = io.WriteString(w, "done")
	case <-r.Context().Done():
	}
}

func get(s *httpserver.Server) <-chan string {
	bodies := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + s.Addr().String())
		if err != nil {
			bodies <- "cut"
			return
		}
		defer response.Body.Close()
		raw, _ := io.ReadAll(response.Body)
		bodies <- string(raw)
	}()
	return bodies
}

func TestStop_WaitsForRequests(t *testing.T) {
	h, s := newSlow(t)
	body := get(s)
	<-h.begun
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	close(h.letGo)
	require.Equal(t, "done", <-body)
	require.NoError(t, <-stopped)
}

func TestStop_CutsRequestsWhenTheTimeIsOver(t *testing.T) {
	h, s := newSlow(t)
	body := get(s)
	<-h.begun
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Stop(ctx), context.DeadlineExceeded)
	require.Equal(t, "cut", <-body)
}

func TestStart_SaysThatThePortIsTaken(t *testing.T) {
	_, s := newSlow(t)
	other := httpserver.New(httpserver.Options{Address: s.Addr().String()})
	require.ErrorContains(t, other.Start(), "listening for HTTP")
	require.Nil(t, other.Addr())
	require.NoError(t, other.Stop(context.Background()))
}
