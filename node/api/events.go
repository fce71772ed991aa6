package api

import (
	"net/http"
	"time"

	"almenara/node/api/routing"
	"almenara/node/api/streams"
	"almenara/node/authority"
	"almenara/node/wire"
)

// events streams what happens (WHATWG HTML §9.2, server-sent events) until the
// reader goes, is too slow, or the server stops.
func (h eventHandlers) events(c routing.Call) error {
	if err := h.open.Take(c.By.Name, false); err != nil {
		return err
	}
	defer h.open.Give(c.By.Name)
	feed, err := h.feed.Events(c.R.Context(), c.Query.Text("alert", ""))
	if err != nil {
		return err
	}
	stream := streams.NewEvents(c.W)
	h.opened.Inc()
	defer h.opened.Dec()
	if c.R.Method == http.MethodHead || stream.Comment("almenara") != nil {
		return nil
	}
	if c.R.Header.Get("Last-Event-ID") != "" {
		if stream.Send(wire.Event{Type: wire.EventAgain, Text: "events may have been missed, and none is sent twice: read anew what you show"}) != nil {
			return nil
		}
	}
	beat := time.NewTicker(h.heartbeat)
	defer beat.Stop()
	for {
		select {
		case event, ok := <-feed:
			authority.MinimalEvent(c.By, &event)
			if !ok || stream.Send(event) != nil {
				return nil
			}
		case <-beat.C:
			// A revoked token must not go on listening.
			if c.StillMay() != nil || stream.Comment("still here") != nil {
				return nil
			}
		case <-c.Ended():
			return nil
		case <-c.R.Context().Done():
			return nil
		}
	}
}
