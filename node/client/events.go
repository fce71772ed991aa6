package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"almenara/node/wire"
)

// ErrStreamEnded: the node ended the stream, because it stops or the reader was too
// slow. What happened meanwhile is read again, not guessed.
var ErrStreamEnded = errors.New("the node ended the event stream")

// Events calls tell for each event, of one alert or of all, in the caller's
// goroutine, until ctx ends or the stream does. open, which may be nil, is called
// once when the node has begun to listen for events: what is read after that call
// misses nothing. It always returns an error: the context's, ErrStreamEnded, or
// what kept the stream from opening.
func (c Alerts) Events(ctx context.Context, alert string, open func(), tell func(wire.Event)) error {
	response, err := c.open(ctx, request{
		method: "GET", path: path("events"), query: values("alert", alert), accept: "text/event-stream",
	})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if open != nil {
		open()
	}
	err = readEvents(response.Body, tell)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrStreamEnded
	}
	return fmt.Errorf("reading events: %w", err)
}

// maxEventLine bounds one line of the stream, in bytes.
const maxEventLine = 1 << 20

// readEvents reads server-sent events (WHATWG HTML §9.2.6) until r ends.
func readEvents(r io.Reader, tell func(wire.Event)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEventLine)
	var id string
	var data []string
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			if err := dispatch(id, data, tell); err != nil {
				return err
			}
			data = data[:0]
			continue
		}
		switch name, value, _ := strings.Cut(line, ":"); name {
		case "id":
			id = strings.TrimPrefix(value, " ")
		case "data":
			data = append(data, strings.TrimPrefix(value, " "))
		}
	}
	return lines.Err()
}

// dispatch tells one event; a block without data, such as a comment, is none.
func dispatch(id string, data []string, tell func(wire.Event)) error {
	if len(data) == 0 {
		return nil
	}
	var event wire.Event
	if err := json.Unmarshal([]byte(strings.Join(data, "\n")), &event); err != nil {
		return fmt.Errorf("decoding event: %w", err)
	}
	event.ID = id
	tell(event)
	return nil
}
