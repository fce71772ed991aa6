package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/httpserver"
)

// bodyConn is a connection over which a request with a body comes slowly.
type bodyConn struct {
	t *testing.T
	net.Conn
}

// begin sends the head of a request and the first part of its body.
func begin(t *testing.T, s *httpserver.Server, token, path, framing, body string) bodyConn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n%s", path, token, framing, body)
	require.NoError(t, err)
	return bodyConn{t, conn}
}

func (c bodyConn) answer() *http.Response {
	c.t.Helper()
	w, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(c.t, err)
	return w
}

// watched tells when a handler has begun to read a body.
type watched struct {
	http.Handler
	reading chan struct{}
}

func (h watched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = &watchedBody{ReadCloser: r.Body, reading: h.reading}
	h.Handler.ServeHTTP(w, r)
}

type watchedBody struct {
	io.ReadCloser
	once    sync.Once
	reading chan struct{}
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.once.Do(func() { b.reading <- struct{}{} })
	return b.ReadCloser.Read(p)
}

func serveBodies(t *testing.T) (*httpserver.Server, chan struct{}) {
	t.Helper()
	reading := make(chan struct{}, 1000)
	s := httpserver.New(httpserver.Options{Address: "127.0.0.1:0", Handler: watched{document.Handler(t, api.New(apitest.Services(apitest.New()), api.Options{})), reading}})
	require.NoError(t, s.Start())
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // the half-sent requests are cut
		_ = s.Stop(ctx)
	})
	return s, reading
}

const fourMiB = "Content-Type: application/cap+xml\r\nContent-Length: 4194304"

// Large bodies that come slowly are held in memory: one user has a few of them open, and
// others are served meanwhile.
func TestBodies_OneUserHoldsAFewLargeOnes(t *testing.T) {
	s, reading := serveBodies(t)
	composer, other := apitest.Token(authority.RoleComposer), apitest.Token(authority.RoleAdministrator)
	var open []bodyConn
	for range 4 {
		open = append(open, begin(t, s, composer, "/api/v1/cap?dry_run=true", fourMiB, strings.Repeat("x", 1000)))
		<-reading
	}
	for _, framing := range []string{fourMiB, "Content-Type: application/cap+xml\r\nTransfer-Encoding: chunked"} {
		w := begin(t, s, composer, "/api/v1/cap", framing, "").answer()
		require.Equal(t, 503, w.StatusCode)
		require.NotEmpty(t, w.Header.Get("Retry-After"))
		said, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		require.Contains(t, string(said), "has 4 requests with large bodies open here")
	}

	small := "Content-Type: application/cap+xml\r\nContent-Length: 9"
	require.Equal(t, 202, begin(t, s, composer, "/api/v1/cap", small, "<alert />").answer().StatusCode, "what is small is taken")
	<-reading
	large := "Content-Type: application/cap+xml\r\nContent-Length: 300000"
	require.Equal(t, 202, begin(t, s, other, "/api/v1/cap", large, strings.Repeat("x", 300_000)).answer().StatusCode, "another user")
	<-reading

	_ = open[0].Close()
	require.Eventually(t, func() bool {
		return begin(t, s, composer, "/api/v1/cap", large, strings.Repeat("x", 300_000)).answer().StatusCode == 202
	}, 10*time.Second, 10*time.Millisecond, "the place of one that broke off is free")
}

// Small ones are bounded, too.
func TestBodies_OneUserHoldsSoManyChanges(t *testing.T) {
	s, reading := serveBodies(t)
	composer, other := apitest.Token(authority.RoleComposer), apitest.Token(authority.RoleAdministrator)
	for range 64 {
		begin(t, s, composer, "/api/v1/cap", "Content-Type: application/cap+xml\r\nContent-Length: 100", "x")
		<-reading
	}
	w := begin(t, s, composer, "/api/v1/cap", "Content-Type: application/cap+xml\r\nContent-Length: 100", "x").answer()
	require.Equal(t, 503, w.StatusCode)
	require.Equal(t, 202, begin(t, s, other, "/api/v1/cap", "Content-Type: application/cap+xml\r\nContent-Length: 1", "x").answer().StatusCode)
}

// namedConns notes who connections are known as.
type namedConns struct{ users chan string }

func (namedConns) Enter(net.Conn) bool               { return true }
func (namedConns) Leave(net.Conn)                    {}
func (c namedConns) KnownAs(_ net.Conn, user string) { c.users <- user }

func TestServer_SaysWhoAConnectionIs(t *testing.T) {
	conns := namedConns{make(chan string, 1)}
	s := httpserver.New(httpserver.Options{Address: "127.0.0.1:0", Handler: document.Handler(t, api.New(apitest.Services(apitest.New()), api.Options{})), Conns: conns})
	require.NoError(t, s.Start())
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	require.Equal(t, 202, begin(t, s, apitest.Token(authority.RoleComposer), "/api/v1/cap", "Content-Type: application/cap+xml\r\nContent-Length: 1", "x").answer().StatusCode)
	by, err := apitest.New().Identify(t.Context(), apitest.Token(authority.RoleComposer))
	require.NoError(t, err)
	require.Equal(t, by.Name, <-conns.users)
}
