package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"almenara/node/authority"
	"almenara/node/wire"
)

// slowReader is how long one event may wait for a reader that does not read.
const slowReader = 10 * time.Second

// events streams what happens (WHATWG HTML §9.2, server-sent events) until the
// reader goes, is too slow, or the server stops.
func (h *Handler) events(c call) error {
	if err := h.streams.Take(c.by.Name, false); err != nil {
		return err
	}
	defer h.streams.Give(c.by.Name)
	feed, err := h.services.Events.Events(c.r.Context(), c.query.text("alert", ""))
	if err != nil {
		return err
	}
	stream := newStream(c.w)
	h.metric.streams.Inc()
	defer h.metric.streams.Dec()
	if c.r.Method == http.MethodHead || stream.comment("almenara") != nil {
		return nil
	}
	if c.r.Header.Get("Last-Event-ID") != "" {
		if stream.send(wire.Event{Type: wire.EventAgain, Text: "events may have been missed, and none is sent twice: read anew what you show"}) != nil {
			return nil
		}
	}
	beat := time.NewTicker(h.heartbeat)
	defer beat.Stop()
	for {
		select {
		case event, ok := <-feed:
			authority.MinimalEvent(c.by, &event)
			if !ok || stream.send(event) != nil {
				return nil
			}
		case <-beat.C:
			// A revoked token must not go on listening.
			if _, err := h.caller(c.route, c.r); err != nil || stream.comment("still here") != nil {
				return nil
			}
		case <-h.ended:
			return nil
		case <-c.r.Context().Done():
			return nil
		}
	}
}

// stream writes events, each with its own deadline. One goroutine uses it.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
}

// newStream writes the header.
func newStream(w http.ResponseWriter) *stream {
	s := &stream{w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", mediaEvents)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in front must not hold events back
	w.WriteHeader(http.StatusOK)
	return s
}

// send writes one event and flushes it.
func (s *stream) send(event wire.Event) error {
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

// comment writes a line that readers ignore.
func (s *stream) comment(text string) error {
	fmt.Fprintf(&s.buf, ": %s\n\n", text)
	return s.flush()
}

func (s *stream) flush() error {
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
