package openapitest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// most is how large a body may be that is looked at, in bytes; of a larger one status and media
// type are.
const most = 8 << 20

// Handler is next, and fails the test where an answer is not as described.
func (d *Document) Handler(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		copied := &copying{ResponseWriter: w}
		asked := r.Clone(r.Context())
		next.ServeHTTP(copied, r) // one that is broken off panics, and is no answer
		if copied.status == 0 {
			copied.WriteHeader(http.StatusOK)
		}
		d.check(t, asked, copied.status, copied.sent, append([]byte{}, copied.body.Bytes()...))
	})
}

// Transport is next, and fails the test where an answer is not as described.
func (d *Document) Transport(t testing.TB, next http.RoundTripper) http.RoundTripper {
	return transport{d, t, next}
}

type transport struct {
	*Document
	t    testing.TB
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (tr transport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := tr.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	typ := response.Header.Get("Content-Type")
	if !strings.HasPrefix(typ, "application/json") && response.StatusCode != http.StatusNoContent {
		tr.check(tr.t, r, response.StatusCode, response.Header, nil)
		return response, nil // it may never end
	}
	raw, err := io.ReadAll(response.Body)
	rest := io.Reader(bytes.NewReader(raw))
	if err != nil { // it broke off, and whoever reads it is to learn that
		rest = io.MultiReader(rest, failing{err})
	} else {
		tr.check(tr.t, r, response.StatusCode, response.Header, raw)
	}
	response.Body = readCloser{rest, response.Body}
	return response, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// failing ends with the error.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// check fails the test where the answer is not as described. raw nil is a body that is not
// looked at.
func (d *Document) check(t testing.TB, r *http.Request, status int, header http.Header, raw []byte) {
	t.Helper()
	if len(raw) > most || r.Method == http.MethodHead {
		raw = nil
	}
	if err := d.Answer(r, status, header, raw); err != nil && t.Context().Err() == nil { // when the test is over nobody waits for it
		t.Error(err)
	}
}

// copying keeps a copy of what is written.
type copying struct {
	http.ResponseWriter
	status int
	sent   http.Header
	body   bytes.Buffer
}

// WriteHeader notes status and header.
func (c *copying) WriteHeader(status int) {
	if c.status == 0 {
		c.status, c.sent = status, c.Header().Clone()
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write notes the body.
func (c *copying) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	if c.body.Len() <= most {
		c.body.Write(b)
	}
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *copying) Unwrap() http.ResponseWriter { return c.ResponseWriter }
