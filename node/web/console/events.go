package console

import (
	"time"

	"almenara/node/api/streams"
	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
)

// streamsOpen bounds the live pages: of one person, and of all.
var streamsOpen = inflight.Bounds{Each: 16, All: 128}

// beat is the type of the sign of life, which tells how old what is shown is.
const beat = "beat"

// events streams what happens to the pages that show it, until the reader goes, is too slow, the session
// ends, or the server stops.
func (c livePages) events(q *frame.Request) error {
	if err := c.open.Take(q.By().Name, false); err != nil {
		return err
	}
	defer c.open.Give(q.By().Name)
	feed, err := c.feed.Events(q.R.Context(), q.R.URL.Query().Get("alert"))
	if err != nil {
		return err
	}
	stream := streams.NewEvents(q.W)
	alive := func() bool {
		now := c.clock()
		return stream.Send(wire.Event{Type: beat, At: now, Text: q.Lang.T("banner.at", q.ClockTime(now))}) == nil
	}
	if !alive() {
		return nil
	}
	ticker := time.NewTicker(c.beat)
	defer ticker.Stop()
	for {
		select {
		case event, ok := <-feed:
			authority.MinimalEvent(q.By(), &event)
			if !ok || stream.Send(event) != nil {
				return nil
			}
		case <-ticker.C:
			// Who was signed out must not go on watching.
			who, err := c.sessions.Find(frame.CookieOf(q.R))
			if err != nil || authority.Door(who.Caller, q.Route.Action) != nil || !alive() {
				return nil
			}
		case <-c.ended:
			return nil
		case <-q.R.Context().Done():
			return nil
		}
	}
}
