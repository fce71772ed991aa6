package machine

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	// TimePath is where nodes ask each other what time it is.
	TimePath     = "/node/time"
	timeTick     = time.Second
	timeCall     = time.Second      // a peer's answer that takes longer says nothing
	timeKept     = time.Minute      // between two writes of timeFile, as long as nothing ends
	timePatience = 2 * time.Second  // how long a node that was away for long waits for the others' word
	timeDispute  = 10 * time.Second // how long one whose word a majority contradicts in several ways waits before it proposes all the same
	timeMost     = 64               // bytes of a time in a call
)

// WatchOptions say whom a Watch asks and whom it tells.
type WatchOptions struct {
	Clock   *Clock
	Peers   func() []string // the other nodes
	Call    func(ctx context.Context, peer, path string, body []byte) ([]byte, error)
	Changed func() // the source of the time is another one now; must not block
	Logger  *slog.Logger
}

// Watch asks the other nodes what time it is and says when this machine's clock is wrong.
// Its methods may be called from any goroutine.
type Watch struct {
	o      WatchOptions
	known  chan struct{} // closed when it is known what time it is, as far as it can be
	agreed chan struct{} // closed when it is known by the word of a majority, or after a short absence
	passed chan struct{} // something has ended, or begun, by the time
}

// NewWatch makes one; nobody is asked before Run.
func NewWatch(o WatchOptions) *Watch {
	w := &Watch{o: o, known: make(chan struct{}), agreed: make(chan struct{}), passed: make(chan struct{}, 1)}
	if o.Clock.plausible {
		close(w.known)
		close(w.agreed)
	}
	return w
}

// Passed says that something has ended or begun because its time has come: that time is written down, so
// that no restart under a clock that was set back takes it back. It does not block.
func (w *Watch) Passed() {
	select {
	case w.passed <- struct{}{}:
	default: // it is about to be written down
	}
}

// Handler tells another node what this machine's clock says and hears what its own does.
// peer is who asks.
func (w *Watch) Handler(peer func(context.Context) string) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if raw, err := io.ReadAll(io.LimitReader(r.Body, timeMost)); err == nil {
			w.hear(peer(r.Context()), string(raw), 0)
		}
		_, _ = io.WriteString(out, w.o.Clock.machine().UTC().Format(timeFormat))
	})
}

func (w *Watch) hear(peer, text string, took time.Duration) {
	at, err := time.Parse(timeFormat, text)
	if err == nil && peer != "" {
		w.o.Clock.hear(peer, at, took)
	}
}

// Run asks the others until ctx ends. The first round after which others say what time it is, or
// timePatience, ends the wait of Await; only the round ends that of Agreed, or timeDispute where a majority was
// heard and does not agree.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(timeTick)
	defer tick.Stop()
	begun := time.Now()
	var kept time.Time // zero: not yet in this run
	first, agreed := sync.OnceFunc(func() { close(w.known) }), sync.OnceFunc(func() { close(w.agreed) })
	if w.o.Clock.plausible {
		first, agreed = func() {}, func() {} // they are closed
	}
	defer first()
	before := sourceOwn
	for {
		voters := w.ask(ctx)
		w.o.Clock.review(voters)
		passed := time.Since(begun)
		disputed := 2*(w.o.Clock.heard()+1) > voters && passed > timeDispute
		if w.o.Clock.isSettled() || disputed {
			agreed()
		}
		if w.o.Clock.isSettled() || passed > timePatience {
			first()
		}
		if source, off := w.o.Clock.state(); source != before {
			before = source
			w.tell(source, off)
		}
		select {
		case <-w.known:
			if time.Since(kept) > timeKept { // a box that is started again and again keeps it, too
				kept = time.Now()
				w.Keep()
			}
		default:
		}
		if !w.next(ctx, tick.C) {
			return
		}
	}
}

// next waits for the next tick, and writes down meanwhile what time it is when that has changed something;
// false when ctx has ended.
func (w *Watch) next(ctx context.Context, tick <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick:
			return true
		case <-w.passed:
			w.Keep()
		}
	}
}

// Keep writes down what time it is. Without that a start takes up to timePatience longer.
func (w *Watch) Keep() {
	if err := w.o.Clock.keep(); err != nil {
		w.o.Logger.Debug("the time was not kept", "error", err)
	}
}

// tell logs a change of the source and lets the devices hear of it.
func (w *Watch) tell(source source, off time.Duration) {
	if source == sourceOwn {
		w.o.Logger.Info("the clock of this machine is right again")
	} else {
		w.o.Logger.Error(w.o.Clock.Sentence().Text, "source", source.String(), "off", off)
	}
	w.o.Changed()
}

// Await returns when it is known what time it is, or when ctx ends: at once after a short absence, else
// when a majority has said it, or cannot be heard for timePatience.
func (w *Watch) Await(ctx context.Context) {
	select {
	case <-w.known:
	case <-ctx.Done():
	}
}

// Agreed is closed once it is known what time it is by the word of a majority, or after a short absence.
// What is written into the log needs a majority, so it can wait for its word: a node that was away, and
// whose clock was set meanwhile, would end for all what has not run out.
func (w *Watch) Agreed() <-chan struct{} { return w.agreed }

// ask asks every other node at once, and counts the nodes of the district.
func (w *Watch) ask(ctx context.Context) (voters int) {
	ctx, cancel := context.WithTimeout(ctx, timeCall)
	defer cancel()
	var asked sync.WaitGroup
	peers := w.o.Peers()
	for _, id := range peers {
		asked.Go(func() {
			began := time.Now()
			raw, err := w.o.Call(ctx, id, TimePath, []byte(w.o.Clock.machine().UTC().Format(timeFormat)))
			if err != nil || len(raw) > timeMost {
				return
			}
			w.hear(id, string(raw), time.Since(began))
		})
	}
	asked.Wait()
	return len(peers) + 1
}
