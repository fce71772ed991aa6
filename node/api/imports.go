package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"almenara/node/wire"
)

const (
	// importTime is the most that an upload on a bad link may take. What follows is
	// bounded by the service.
	importTime = 15 * time.Minute
	// importLines is how far apart the lines of an import's progress are at least.
	importLines = 250 * time.Millisecond
	// importAnswer is how long the report of an import may take to be sent.
	importAnswer = time.Minute
)

// importAudience hands the file to the service. The server's own time to write is
// counted from the request's header, which an import outlives; so it is set anew for
// each part of the answer. Nothing is written in between, so nothing ends there.
func (h *Handler) importAudience(c call) error {
	how := wire.ImportOptions{DryRun: c.query.flag("dry_run"), Replace: c.query.flag("replace"), Yes: c.query.flag("yes")}
	if c.query.err != nil {
		return c.query.err
	}
	if err := h.imports.Take(c.by.Name, false); err != nil {
		return err
	}
	defer h.imports.Give(c.by.Name)
	control := http.NewResponseController(c.w)
	_ = control.SetReadDeadline(time.Now().Add(importTime)) // a writer without deadlines, as in tests, has nothing to extend
	body := &watchedReader{r: c.r.Body}
	if wantsLines(c.r) {
		return h.importInLines(c, body, how)
	}
	out, err := h.services.Imports.Import(c.r.Context(), c.by, body, how, nil)
	_ = control.SetWriteDeadline(time.Now().Add(importAnswer))
	return answer(h, c, out, body.or(err))
}

// wantsLines reports whether the caller asked for progress.
func wantsLines(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), mediaLines)
}

// importInLines is an import whose progress is told while it goes on. What is wrong
// before there was any is answered as everywhere else.
func (h *Handler) importInLines(c call, body *watchedReader, how wire.ImportOptions) error {
	lines := newLineStream(c.w, h.heartbeat, body.ended.Load)
	defer lines.stop() // also where the service panics
	out, err := h.services.Imports.Import(c.r.Context(), c.by, body, how, lines.tell)
	lines.stop()
	if err = body.or(err); err == nil {
		_ = lines.write(out) // what cannot be sent any more is the client's loss only
		return nil
	}
	if !lines.begun {
		_ = lines.control.SetWriteDeadline(time.Now().Add(importAnswer))
		return err
	}
	p := h.problem(c.r, err)
	if rec, ok := c.w.(*recorder); ok {
		rec.failed(statuses[p.Kind])
	}
	_ = lines.write(p)
	return nil
}

// watchedReader remembers that the body has ended, and that the size limit was met,
// also where the reader's user hides it behind another error.
type watchedReader struct {
	r        io.Reader
	ended    atomic.Bool
	tooLarge *http.MaxBytesError
}

// Read reads on.
func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	errors.As(err, &w.tooLarge)
	if errors.Is(err, io.EOF) {
		w.ended.Store(true)
	}
	return n, err
}

// or is err, unless the file was cut: then it is that, whatever the service made of
// the rest.
func (w *watchedReader) or(err error) error {
	if w.tooLarge != nil {
		return w.tooLarge
	}
	return err
}

// lineStream writes the newest of what it is told, at most every importLines, and
// again after each beat, so that no proxy takes the silence for an end. It begins
// when the request's body has ended: HTTP/1.1 has no answer before that. Its
// goroutine ends with stop.
type lineStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ready   func() bool // the answer may begin
	begun   bool        // only the goroutine uses it, and who has called stop

	mu     sync.Mutex // guards newest and fresh
	newest wire.Progress
	fresh  bool

	once    sync.Once
	stopped chan struct{}
	done    chan struct{}
}

func newLineStream(w http.ResponseWriter, beat time.Duration, ready func() bool) *lineStream {
	s := &lineStream{
		w: w, control: http.NewResponseController(w), ready: ready, stopped: make(chan struct{}), done: make(chan struct{}),
	}
	go s.run(beat)
	return s
}

// tell notes how far it is. It never waits for the reader.
func (s *lineStream) tell(p wire.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest, s.fresh = p, true
}

// stop ends the goroutine and waits for it. It may be called again.
func (s *lineStream) stop() {
	s.once.Do(func() { close(s.stopped) })
	<-s.done
}

func (s *lineStream) run(beat time.Duration) {
	defer close(s.done)
	look := time.NewTicker(importLines)
	defer look.Stop()
	last := time.Now()
	for {
		select {
		case <-s.stopped:
			return
		case now := <-look.C:
			if !s.ready() {
				continue
			}
			p, fresh := s.take()
			if !fresh && now.Sub(last) < beat {
				continue
			}
			if s.write(p) != nil {
				return // the server ends the request's context
			}
			last = now
		}
	}
}

// take is the newest progress, and whether it has not been taken before.
func (s *lineStream) take() (p wire.Progress, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, fresh = s.newest, s.fresh
	if p.Phase == "" {
		p.Phase = wire.PhaseChecking
	}
	s.fresh = false
	return p, fresh
}

// write writes one line, the header before the first.
func (s *lineStream) write(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a line: %w", err)
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(slowReader))
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", mediaLines)
		s.w.Header().Set("Cache-Control", "no-store")
		s.w.Header().Set("X-Content-Type-Options", "nosniff")
		s.w.Header().Set("X-Accel-Buffering", "no") // a proxy in front must not hold lines back
		s.w.WriteHeader(http.StatusOK)
	}
	if _, err := s.w.Write(append(raw, '\n')); err != nil {
		return fmt.Errorf("writing a line: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("flushing a line: %w", err)
	}
	return nil
}
