package inflight

import (
	"context"
	"math"
	"runtime"
	"time"

	"almenara/node/ratelimit"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// ofWork is the seconds that a node works for one user on what puts nothing on record: dry runs,
// refused and repeated messages. The costliest dry run of a small body, an Update that names a
// hundred messages of a long alert, takes some 0.2 s of a core, and the usual one a
// millisecond; so a person never meets this, and who asks without end has a fifth of a core.
var ofWork = ratelimit.Options{PerSecond: 0.2, Burst: 5}

// Work bounds the processor time that messages take from the alerts that are being sent. What is
// large, is only asked, or comes from who has used up his time is worked on in turn: half of the
// cores stay free of it. Its methods may be called from any goroutine.
type Work struct {
	turns *Turns
	spent *ratelimit.Limiter
}

// NewWork makes the bounds for this machine.
func NewWork() *Work {
	return &Work{turns: NewTurns(runtime.GOMAXPROCS(0) / 2), spent: ratelimit.New(ofWork)}
}

// Request is a request whose body has been read.
type Request struct {
	User       string
	Privileged bool // the user goes before others who send
	Large      bool // its body is
	Asks       bool // it is a dry run
	Message    bool // it is about a message: its time counts where that brings nothing on record
}

// rank is whose turn it is first: who sends goes before who only asks, and before that the
// privileged.
func (r Request) rank() int {
	switch {
	case r.Asks && r.Large:
		return 3
	case r.Asks:
		return 2
	case r.Privileged:
		return 0
	}
	return 1
}

// Admit refuses a dry run of a user who has used up his time, with a *wire.Problem
// (over-budget) that says when to ask again.
func (w *Work) Admit(user string) error {
	wait := w.spent.Wait(user, time.Now())
	if wait <= 0 {
		return nil
	}
	p := wire.Problemf(wire.KindOverBudget, "%s has asked for more dry runs than this node works out for one user; messages are sent all the same", user).Because(why.TooOften)
	p.RetryAfter = int(math.Ceil(wait.Seconds()))
	return p
}

// Begin waits for a turn where one is needed. Done must be called on what it returns; until then
// Recorded finds it in the context. An error is a *wire.Problem (busy): nothing was done.
func (w *Work) Begin(ctx context.Context, r Request) (context.Context, *Working, error) {
	out := &Working{work: w, of: r}
	if r.Large || r.Message && (r.Asks || w.spent.Wait(r.User, time.Now()) > 0) {
		end, err := w.turns.Begin(ctx, r.rank())
		if err != nil && ctx.Err() != nil {
			err = busy("the request ended before it was its turn; nothing was done")
		}
		if err != nil {
			return ctx, nil, err
		}
		out.end = end
	}
	out.began = time.Now()
	return context.WithValue(ctx, workingKey{}, out), out, nil
}

// Working is one request that is worked on. One goroutine at a time may use it. Nil is none.
type Working struct {
	work     *Work
	of       Request
	began    time.Time
	end      func() // of the turn; nil where none was needed
	recorded bool
	over     bool
}

// Took notes that the message of the request is on record.
func (w *Working) Took() { w.recorded = true }

// Decoded ends the work on what is no message once its body is read: what follows waits for
// other nodes.
func (w *Working) Decoded() {
	if w != nil && !w.of.Message {
		w.Done()
	}
}

// Done ends the work, and counts its time where that brought nothing on record. It may be called
// more than once.
func (w *Working) Done() {
	if w == nil || w.over {
		return
	}
	w.over = true
	if w.end != nil {
		w.end()
	}
	if w.of.Message && !w.recorded {
		w.work.spent.Charge(w.of.User, time.Since(w.began).Seconds(), time.Now())
	}
}

// workingKey is where a request's context has its Working.
type workingKey struct{}

// Recorded tells that the message of the request with this context is on record: what follows
// only waits for other nodes, so it is the next one's turn. The goroutine of the request calls it.
func Recorded(ctx context.Context) {
	if w, ok := ctx.Value(workingKey{}).(*Working); ok {
		w.Took()
		w.Done()
	}
}

// Waits tells that what follows for the request with this context only waits for other nodes:
// its turn goes to the next one, and the time from now on is nobody's work. The goroutine of
// the request calls it.
func Waits(ctx context.Context) {
	if w, ok := ctx.Value(workingKey{}).(*Working); ok {
		w.Done()
	}
}
