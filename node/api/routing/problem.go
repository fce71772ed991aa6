package routing

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"almenara/node/wire"
)

// retryAfter is what a busy answer tells the client to wait, in seconds.
const retryAfter = 2

// ProblemOf is the one place that turns an error into what the caller is told.
// The second value is true when the fault is the node's and belongs in its log.
func ProblemOf(r *http.Request, err error) (p *wire.Problem, ours bool) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return wire.Problemf(wire.KindTooLarge, "the body is larger than %d bytes, the most that is taken here", tooLarge.Limit), false
	case errors.Is(err, errBody):
		return wire.Problemf(wire.KindMalformed, "the body broke off or cannot be read as HTTP; nothing was done"), false
	case errors.As(err, &p):
		if wire.HTTPStatus(p.Kind) == 0 || p.Kind == wire.KindInternal {
			return internal(), true
		}
		return p, false
	case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled):
		return internal(), true
	case r.Method == http.MethodGet || r.Method == http.MethodHead: // a question has no outcome
		return wire.Problemf(wire.KindBusy, "the node did not answer in time; try again"), true
	}
	return wire.Problemf(wire.KindUnknownOutcome, "it is not known whether this happened; look before you repeat it"), true
}

// internal tells nothing of the inside; the log has the chain.
func internal() *wire.Problem {
	return wire.Problemf(wire.KindInternal, "the node met a fault of its own; its log says more")
}

// fail answers err.
func (m *Mux) fail(w http.ResponseWriter, r *http.Request, err error) {
	m.writeProblem(w, m.problem(r, err))
}

// problem is what the caller is told of err; what is the node's fault is logged.
func (m *Mux) problem(r *http.Request, err error) *wire.Problem {
	p, ours := ProblemOf(r, err)
	if ours && r.Context().Err() == nil {
		m.log.LogAttrs(r.Context(), slog.LevelError, "answering a request",
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("error", err))
	}
	return p
}

func (m *Mux) writeProblem(w http.ResponseWriter, p *wire.Problem) {
	problemHeader(w, p)
	m.writeJSON(w, wire.HTTPStatus(p.Kind), p)
}

// problemHeader sets the header fields that some kinds need.
func problemHeader(w http.ResponseWriter, p *wire.Problem) {
	switch p.Kind {
	case wire.KindUnauthenticated:
		w.Header().Set("WWW-Authenticate", `Bearer realm="almenara"`)
	case wire.KindBusy, wire.KindOverBudget:
		w.Header().Set("Retry-After", strconv.Itoa(cmp.Or(p.RetryAfter, retryAfter)))
	}
}
