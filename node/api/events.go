package api

import (
	"net/http"
	"time"

	"almenara/node/api/streams"
	"almenara/node/authority"
	"almenara/node/wire"
)

// events streams what happens (WHATWG HTML §9.2, server-sent events) until the
// reader goes, is too slow, or the server stops.
func (h eventHandlers) events(c call) error {
	if err := h.open.Take(c.by.Name, false); err != nil {
		return err
	}
	defer h.open.Give(c.by.Name)
	feed, err := h.feed.Events(c.r.Context(), c.query.text("alert", ""))
	if err != nil {
		return err
	}
	stream := streams.NewEvents(c.w)
	h.opened.Inc()
	defer h.opened.Dec()
	if c.r.Method == http.MethodHead || stream.Comment("almenara") != nil {
		return nil
	}
	if c.r.Header.Get("Last-Event-ID") != "" {
		if stream.Send(wire.Event{Type: wire.EventAgain, Text: "events may have been missed, and none is sent twice: read anew what you show"}) != nil {
			return nil
		}
	}
	beat := time.NewTicker(h.heartbeat)
	defer beat.Stop()
	for {
		select {
		case event, ok := <-feed:
			authority.MinimalEvent(c.by, &event)
			if !ok || stream.Send(event) != nil {
				return nil
			}
		case <-beat.C:
			// A revoked token must not go on listening.
			if _, err := h.caller(c.route, c.r); err != nil || stream.Comment("still here") != nil {
				return nil
			}
		case <-h.ended:
			return nil
		case <-c.r.Context().Done():
			return nil
		}
	}
}
