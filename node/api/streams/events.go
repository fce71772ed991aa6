// Package streams writes answers of HTTP part by part, as things happen: server-sent events, and
// lines of JSON. Each part has a deadline of its own, so that a reader who does not read holds up
// nothing for long. It knows no route and never imports api.
package streams

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"almenara/node/wire"
)

// MediaEvents and MediaLines are the media types of what is written here.
const (
	MediaEvents = "text/event-stream"
	MediaLines  = "application/x-ndjson"
)

// slowReader is how long one part may wait for a reader that does not read.
const slowReader = 10 * time.Second

// Events writes events, each with its own deadline. One goroutine uses it.
type Events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
}

// NewEvents writes the header.
func NewEvents(w http.ResponseWriter) *Events {
	s := &Events{w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", MediaEvents)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in front must not hold events back
	w.WriteHeader(http.StatusOK)
	return s
}

// Send writes one event and flushes it.
func (s *Events) Send(event wire.Event) error {
	data, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("encoding event: %w", err)
	}
	if event.ID != "" {
		fmt.Fprintf(&s.buf, "id: %s\n", oneLine(event.ID))
	}
	if event.Type != "" {
		fmt.Fprintf(&s.buf, "event: %s\n", oneLine(event.Type))
	}
	fmt.Fprintf(&s.buf, "data: %s\n\n", data)
	return s.flush()
}

// Comment writes a line that readers ignore.
func (s *Events) Comment(text string) error {
	fmt.Fprintf(&s.buf, ": %s\n\n", text)
	return s.flush()
}

func (s *Events) flush() error {
	_ = s.control.SetWriteDeadline(time.Now().Add(slowReader))
	_, err := s.w.Write(s.buf.Bytes())
	s.buf.Reset()
	if err != nil {
		return fmt.Errorf("writing event: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("flushing event: %w", err)
	}
	return nil
}

// oneLine keeps a foreign line end from starting a field of its own.
func oneLine(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ").Replace(s)
}
