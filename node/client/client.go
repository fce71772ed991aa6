// Package client is the Go client of a node's HTTP API: one method for each route.
// The command line and the tests use it.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"almenara/node/wire"
)

var (
	// ErrUnreachable: no node answered, and nothing was sent to one. Nothing happened.
	ErrUnreachable = errors.New("the node cannot be reached")
	// ErrUnknown: a request that changes something was sent and no answer came. It
	// may or may not have happened.
	ErrUnknown = errors.New("no answer came; it is not known whether this happened")
	// ErrNeedsTLS: what listens at the address takes HTTPS only. Nothing happened.
	ErrNeedsTLS = errors.New("the server at this address speaks HTTPS")
)

// Config says which node and who asks.
type Config struct {
	URL   string // for example http://127.0.0.1:8480
	Token string // bearer token; empty is none
	CA    []byte // PEM certificates that the node's must be signed by; nil is the system's
	// OrSystem lets the system's authorities sign the node's certificate besides CA.
	OrSystem bool
	// Drill is called once, before the first answer of a drill copy of a district is returned; nil
	// is nobody. The client calls it in the goroutine of the request.
	Drill func()
	// Timeout bounds one ordinary call; 0 is 30 s. Uploads, exports and streams are
	// bounded by their context alone.
	Timeout time.Duration
	// Around puts something around the connection to the node that sees every request and
	// answer; nil is nothing.
	Around func(http.RoundTripper) http.RoundTripper
}

// Client talks to one node. It may be used from any goroutine. Every method
// returns a *wire.Problem where the node said what is wrong. Its methods are those of its
// parts: who needs one of them only may take that.
type Client struct {
	*connection
	Alerts
	Reports
	Notices
	Personal
	Rules
	Audience
	People
	District
}

// The parts of a Client, by what the routes of the API are about. Each comes from a Client.
type (
	// Alerts sends, changes, ends, approves and reads alerts, and follows events.
	Alerts struct{ *connection }
	// Reports reads and moderates what people report by their devices.
	Reports struct{ *connection }
	// Notices writes planned notices, and has persons pass them on.
	Notices struct{ *connection }
	// Rules reads and changes scenarios, licences and the policy.
	Rules struct{ *connection }
	// Audience reads and changes members, places and devices.
	Audience struct{ *connection }
	// People reads and changes users, and exports the audit.
	People struct{ *connection }
	// District asks how the nodes are, lets them in and removes them, and takes backups.
	District struct{ *connection }
)

// over makes a client of a connection.
func over(c *connection) *Client {
	return &Client{c, Alerts{c}, Reports{c}, Notices{c}, Personal{c}, Rules{c}, Audience{c}, People{c}, District{c}}
}

// connection is the way to the node.
type connection struct {
	base    *url.URL
	token   string
	timeout time.Duration
	http    *http.Client
	drill   func()
	idle    func() // ends idle connections

	consistent bool // see Consistent
}

// New checks the configuration; it connects to nothing.
func New(config Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(config.URL, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the address of a node, such as http://127.0.0.1:8480", config.URL)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if config.CA != nil {
		pool := x509.NewCertPool()
		if system, err := x509.SystemCertPool(); config.OrSystem && err == nil {
			pool = system
		}
		if !pool.AppendCertsFromPEM(config.CA) {
			return nil, errors.New("the certificate authority's file holds no PEM certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
	}
	if config.Timeout <= 0 {
		config.Timeout = 30 * time.Second
	}
	if config.Drill == nil {
		config.Drill = func() {}
	}
	around := http.RoundTripper(transport)
	if config.Around != nil {
		around = config.Around(transport)
	}
	return over(&connection{
		base: base, token: config.Token, timeout: config.Timeout, drill: sync.OnceFunc(config.Drill), idle: transport.CloseIdleConnections,
		http: &http.Client{Transport: around, CheckRedirect: noRedirect},
	}), nil
}

// noRedirect: the token goes to the node that was named and to no other.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Consistent is the same client, whose reads of the agreed part (members, places,
// devices, users) see everything that was answered anywhere in the district before they
// began. They need a majority, and take a round trip more. Close either of the two.
func (c *Client) Consistent() *Client {
	other := *c.connection
	other.consistent = true
	return over(&other)
}

// agreed is the query of a read of the agreed part.
func agreed(c *connection, q url.Values) url.Values {
	if c.consistent {
		q.Set("consistent", "true")
	}
	return q
}

// Close ends idle connections.
func (c *connection) Close() { c.idle() }

// request is one call.
type request struct {
	method, path string
	query        url.Values
	body         io.Reader
	size         int64  // of body, where known
	media        string // of body
	accept       string
}

// path joins escaped segments.
func path(segments ...string) string {
	var b strings.Builder
	b.WriteString("/api/v1")
	for _, segment := range segments {
		b.WriteString("/" + url.PathEscape(segment))
	}
	return b.String()
}

// open sends the request and returns the answer when it is a good one; the caller
// closes its body.
func (c *connection) open(ctx context.Context, in request) (*http.Response, error) {
	response, err := c.openAny(ctx, in)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		return nil, problem(response)
	}
	return response, nil
}

// openAny is open for good and bad answers alike.
func (c *connection) openAny(ctx context.Context, in request) (*http.Response, error) {
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	address := c.base.String() + in.path
	if len(in.query) > 0 {
		address += "?" + in.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, in.method, address, in.body)
	if err != nil {
		return nil, fmt.Errorf("making request: %w", err)
	}
	if in.size > 0 {
		req.ContentLength = in.size
	}
	for name, value := range map[string]string{"Content-Type": in.media, "Accept": in.accept} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(req)
	if err != nil {
		return nil, transportError(ctx, in.method, sent.Load(), err)
	}
	if response.Header.Get(wire.HeaderDrill) != "" {
		c.drill()
	}
	return response, nil
}

// transportError keeps "nothing happened" apart from "not known".
func transportError(ctx context.Context, method string, sent bool, err error) error {
	switch {
	case sent && method != http.MethodGet:
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	case ctx.Err() != nil:
		return fmt.Errorf("asking the node: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// plainToTLS is what net/http answers to HTTP where it serves HTTPS.
const plainToTLS = "HTTP request to an HTTPS server"

// problem reads the body of a refusal.
func problem(response *http.Response) error {
	raw, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	var p wire.Problem
	if json.Unmarshal(raw, &p) == nil && p.Kind != "" {
		return &p
	}
	if response.StatusCode == http.StatusBadRequest && bytes.Contains(raw, []byte(plainToTLS)) {
		return ErrNeedsTLS
	}
	return fmt.Errorf("the server at this address answered %s, which is no answer of a node", response.Status)
}

// call does an ordinary call: JSON in and out, bounded in time.
func (c *connection) call(ctx context.Context, in request, send, receive any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if send != nil {
		raw, err := json.Marshal(send)
		if err != nil {
			return fmt.Errorf("encoding request: %w", err)
		}
		in.body, in.media = bytes.NewReader(raw), "application/json"
	}
	response, err := c.open(ctx, in)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return decode(response, in.method, receive)
}

// decode reads a good answer. A change whose answer is cut has an unknown outcome.
func decode(response *http.Response, method string, receive any) error {
	if receive == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(receive); err != nil {
		return cut(method, err)
	}
	return nil
}

// cut is the error of a good answer that ends early.
func cut(method string, err error) error {
	if method != http.MethodGet {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return fmt.Errorf("reading the node's answer: %w", err)
}
