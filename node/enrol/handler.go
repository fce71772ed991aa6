package enrol

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"

	"almenara/node/api/rates"
	"almenara/node/api/strictjson"
	"almenara/node/web"
	"almenara/node/wire"
)

// Below is where devices ask.
const Below = "/enrol/"

const maxBody = 2 << 10 // bytes; all that is asked is shorter than 300

// routes are what a device asks, which nobody has to prove anything for. CONTRACT.md §2.1 describes them.
func (e *Enrolment) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Below+"ask", step(e, func(r *http.Request, in struct{ Kind, Ticket, Commitment string }) (Asked, error) {
		return e.ask(in.Kind, in.Ticket, in.Commitment, rates.AddressOf(r))
	}))
	mux.HandleFunc("POST "+Below+"show", step(e, func(_ *http.Request, in struct{ Request, Verifier string }) (struct{}, error) {
		return struct{}{}, e.show(in.Request, in.Verifier)
	}))
	mux.HandleFunc("POST "+Below+"state", step(e, func(_ *http.Request, in struct{ Request string }) (State, error) {
		return e.state(in.Request)
	}))
	return mux
}

// ServeHTTP answers devices.
func (e *Enrolment) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.mux.ServeHTTP(w, r) }

// step makes a handler of what takes and gives JSON.
func step[In, Out any](e *Enrolment, do func(*http.Request, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := func() (out Out, err error) {
			var in In
			if err := e.admit(w, r); err != nil {
				return out, err
			}
			if err := strictjson.Read(http.MaxBytesReader(w, r.Body, maxBody), &in); err != nil {
				return out, err
			}
			return do(r, in)
		}()
		status, answer := http.StatusOK, any(out)
		if err != nil {
			p := problemOf(err)
			status, answer = wire.HTTPStatus(p.Kind), p
			if p.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func problemOf(err error) *wire.Problem {
	var p *wire.Problem
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &large):
		return wire.Problemf(wire.KindTooLarge, "a device asks in at most %d bytes", large.Limit)
	}
	return wire.Problemf(wire.KindMalformed, "the request cannot be read")
}

// admit refuses pages of other sites, forms, and who asks too often.
func (e *Enrolment) admit(w http.ResponseWriter, r *http.Request) error {
	if err := web.Protect(w, r); err != nil {
		return err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return wire.Problemf(wire.KindMalformed, "a device asks in JSON")
	}
	return e.limits.Open(r, e.o.Clock())
}
