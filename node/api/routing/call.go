package routing

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"almenara/node/api/strictjson"
	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/wire"
)

// Call is one request of a caller who may make it. It is used by one goroutine.
type Call struct {
	Route Route
	W     http.ResponseWriter
	R     *http.Request
	By    authority.Caller // the zero value where the route is open
	Query *Query
	Raw   []byte // the body, where it is not read as it comes

	work *inflight.Working
	mux  *Mux
}

// ReadJSON reads exactly one JSON value into into.
func (c Call) ReadJSON(into any) error {
	defer c.Decoded()
	return strictjson.Read(c.R.Body, into)
}

// Decoded says that the body is read: what it takes from here on is the work that was asked for.
func (c Call) Decoded() { c.work.Decoded() }

// Took notes what became of a message.
func (c Call) Took(out wire.Outcome) {
	if c.work != nil && !out.Duplicate {
		c.work.Took()
	}
}

// Log is where faults of the node go.
func (c Call) Log() *slog.Logger { return c.mux.log }

// Ended is closed when the server stops: streams end then.
func (c Call) Ended() <-chan struct{} { return c.mux.ended }

// StillMay asks again whether the caller may make this request: a stream outlives its token.
func (c Call) StillMay() error {
	_, err := c.mux.caller(c.Route, c.R)
	return err
}

// Problem is what the caller is told of err; what is the node's fault is logged.
func (c Call) Problem(err error) *wire.Problem { return c.mux.problem(c.R, err) }

// ProblemHeader sets the header fields that some kinds need.
func (c Call) ProblemHeader(p *wire.Problem) { problemHeader(c.W, p) }

// FailedLate notes, for the metrics, the problem that the request would have been answered with,
// had a stream not begun before.
func (c Call) FailedLate(p *wire.Problem) {
	if w, ok := c.W.(*recorder); ok {
		w.status = wire.HTTPStatus(p.Kind)
	}
}

// WriteJSON answers v.
func (c Call) WriteJSON(status int, v any) { c.mux.writeJSON(c.W, status, v) }

// NextPage tells where the next page begins, as a link (RFC 8288) and as the value of after
// alone. What is not the last page always says so: nothing is cut silently. "" is the last page.
func (c Call) NextPage(next string) {
	if next == "" {
		return
	}
	to := *c.R.URL
	query := to.Query()
	query.Set("after", next)
	to.RawQuery = query.Encode()
	c.W.Header().Set("Link", "<"+to.RequestURI()+`>; rel="next"`)
	c.W.Header().Set(wire.HeaderNext, next)
}

// Answer writes v as JSON, unless err says otherwise.
func (c Call) Answer(v any, err error) error { return c.answer(http.StatusOK, v, err) }

// Created writes v, which was made just now, unless err says otherwise.
func (c Call) Created(v any, err error) error { return c.answer(http.StatusCreated, v, err) }

func (c Call) answer(status int, v any, err error) error {
	if err != nil {
		return err
	}
	c.WriteJSON(status, v)
	return nil
}

// Done answers what has no body, unless err says otherwise.
func (c Call) Done(err error) error {
	if err != nil {
		return err
	}
	c.W.WriteHeader(http.StatusNoContent)
	return nil
}

// AnswerList writes a list, where none is [] and never null, unless err says otherwise.
func AnswerList[T any](c Call, list []T, err error) error {
	if list == nil {
		list = []T{}
	}
	return c.Answer(list, err)
}

// writeJSON answers v. What cannot be sent any more is the client's loss only.
func (m *Mux) writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		m.log.Error("encoding an answer", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"kind":"internal","error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// recorder remembers the status for the metrics.
type recorder struct {
	http.ResponseWriter
	status int
	begun  func() // called when the answer begins; nil is nothing to call
}

// begin notes the status, once.
func (w *recorder) begin(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if w.begun != nil {
		w.begun()
	}
}

// WriteHeader notes the status.
func (w *recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the implied status.
func (w *recorder) Write(b []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
