package leaving_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/marks"
	"almenara/node/leaving"
)

// left is a node that the district may have gone on without.
type left struct {
	quarantined chan struct{}
	why         *marks.Quarantine
	learnt      []string
	mu          sync.Mutex // guards addrs
	addrs       []string   // that were tried
	deaf        map[string]bool
	told        int
}

func (l *left) Quarantined() <-chan struct{}  { return l.quarantined }
func (l *left) Quarantine() *marks.Quarantine { return l.why }
func (l *left) Former() []string              { return []string{"n1", "n2", "n3"} }
func (l *left) Signed() []byte                { return []byte("ring") }

func (l *left) AddressOf(id string) (string, bool) { return id + ":8470", id != "n3" }

func (l *left) Learn(ring []byte) error {
	if string(ring) == "forged" {
		return errors.New("forged")
	}
	l.learnt = append(l.learnt, string(ring))
	return nil
}

func (l *left) tried() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.addrs)
}

func newLeaver(l *left) *leaving.Leaver {
	return leaving.New(leaving.Options{
		Self: "n1", Cluster: l, Nodes: l, Ring: l, Lanes: func() ([]fact.Lane, error) { return nil, nil }, Told: func() { l.told++ },
		HandOver: func(_ context.Context, addr string, ring []byte, _ []fact.Lane) (exchange.HandedOver, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.addrs = append(l.addrs, addr+" "+string(ring))
			if l.deaf[addr] {
				return exchange.HandedOver{}, errors.New("no answer")
			}
			return exchange.HandedOver{Sent: 1}, nil
		},
		Logger: slog.New(slog.DiscardHandler),
	})
}

func TestRun_HandsOverAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &left{quarantined: make(chan struct{}), deaf: map[string]bool{"new:8470": true}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { newLeaver(l).Run(ctx); close(done) }()
		time.Sleep(time.Minute)
		require.Empty(t, l.tried(), "it belongs to the district")
		require.Zero(t, l.told)

		l.why = &marks.Quarantine{Addr: "new:8470"}
		close(l.quarantined)
		synctest.Wait()
		require.Equal(t, 1, l.told)
		require.Equal(t, []string{"new:8470 ring", "n2:8470 ring"}, l.tried(), "who told of it first, then the others, never itself")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Greater(t, len(l.tried()), 20, "it keeps taking alerts of its own devices")
		cancel()
		<-done
	})
}

func TestHandler_TakesRingsThatAreBelieved(t *testing.T) {
	l := &left{}
	for body, status := range map[string]int{"ring": http.StatusOK, "forged": http.StatusBadRequest, strings.Repeat("x", 8<<20): http.StatusBadRequest} {
		w := httptest.NewRecorder()
		newLeaver(l).Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
		require.Equal(t, status, w.Code)
	}
	require.Equal(t, []string{"ring"}, l.learnt)
}
