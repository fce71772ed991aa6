package console

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
)

// watching opens the stream of events as somebody, and gives its lines.
func watching(t *testing.T, r *rig, as string) *bufio.Scanner {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	q, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+Below+"events", nil)
	require.NoError(t, err)
	q.AddCookie(&http.Cookie{Name: "almenara", Value: as})
	answer, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	t.Cleanup(func() { answer.Body.Close() })
	require.Equal(t, 200, answer.StatusCode)
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	return bufio.NewScanner(answer.Body)
}

// until reads lines until one that begins so; false where the stream ends before.
func until(lines *bufio.Scanner, begin string) bool {
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), begin) {
			return true
		}
	}
	return false
}

func TestEvents_TellWhatHappensAndThatTheNodeIsThere(t *testing.T) {
	r := newRig(t)
	r.fake.Feed = make(chan wire.Event, 1)
	lines := watching(t, r, authority.RoleViewer)
	require.True(t, until(lines, "event: beat"))
	require.True(t, until(lines, `data: {"type":"beat"`))
	require.Contains(t, lines.Text(), "As of 03:04:05 UTC")
	rungs := wire.Rungs{Queued: 13, Presented: 12}
	r.fake.Feed <- wire.Event{Type: "receipts", Alert: "a", Rungs: &rungs, Personal: true}
	require.True(t, until(lines, "event: receipts"))
	require.True(t, until(lines, "data:"))
	require.Contains(t, lines.Text(), `"presented":10`, "a viewer gets counts of persons in fives")
	require.Empty(t, r.people.asked, "a stream is no sign of a person")

	r.people.mu.Lock()
	r.people.gone = true
	r.people.mu.Unlock()
	for lines.Scan() { // it ends with the session
	}
}

func TestEvents_EndWhenTheServerStops(t *testing.T) {
	r := newRig(t)
	r.fake.Feed = make(chan wire.Event)
	lines := watching(t, r, authority.RoleViewer)
	require.True(t, until(lines, "event: beat"))
	r.EndStreams()
	r.EndStreams()
	for lines.Scan() {
	}
}

const shortBeat = 20 * time.Millisecond
