package streams

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"almenara/node/wire"
)

// linesApart is how far apart lines are at least.
const linesApart = 250 * time.Millisecond

// Lines writes the newest of what it is told, at most every linesApart, and
// again after each beat, so that no proxy takes the silence for an end. It begins
// when the request's body has ended: HTTP/1.1 has no answer before that. Its
// goroutine ends with Stop.
type Lines struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ready   func() bool // the answer may begin
	begun   bool        // only the goroutine uses it, and who has called Stop

	mu     sync.Mutex // guards newest and fresh
	newest wire.Progress
	fresh  bool

	once    sync.Once
	stopped chan struct{}
	done    chan struct{}
}

// NewLines starts it; ready says whether the answer may begin, and beat is how long after the
// last line the next one comes at the latest. Stop must be called.
func NewLines(w http.ResponseWriter, beat time.Duration, ready func() bool) *Lines {
	s := &Lines{
		w: w, control: http.NewResponseController(w), ready: ready, stopped: make(chan struct{}), done: make(chan struct{}),
	}
	go s.run(beat)
	return s
}

// Tell notes how far it is. It never waits for the reader.
func (s *Lines) Tell(p wire.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest, s.fresh = p, true
}

// Stop ends the goroutine and waits for it. It may be called again.
func (s *Lines) Stop() {
	s.once.Do(func() { close(s.stopped) })
	<-s.done
}

func (s *Lines) run(beat time.Duration) {
	defer close(s.done)
	look := time.NewTicker(linesApart)
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
			if s.Write(p) != nil {
				return // the server ends the request's context
			}
			last = now
		}
	}
}

// take is the newest progress, and whether it has not been taken before.
func (s *Lines) take() (p wire.Progress, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, fresh = s.newest, s.fresh
	if p.Phase == "" {
		p.Phase = wire.PhaseChecking
	}
	s.fresh = false
	return p, fresh
}

// Write writes one line, the header before the first.
func (s *Lines) Write(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a line: %w", err)
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(slowReader))
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", MediaLines)
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

// Begun reports whether anything was written. It is called after Stop.
func (s *Lines) Begun() bool { return s.begun }
