package node

import (
	"context"
	"strconv"
	"sync"
	"time"

	"almenara/node/wire"
)

// eventBacklog is how many events a reader may be behind before it is dropped: a
// reader that cannot keep up reads the state again, which is always whole.
const eventBacklog = 256

// events hands live events to readers. Safe for concurrent use.
type events struct {
	mu      sync.Mutex
	readers map[*eventReader]struct{}
	last    uint64 // number of the last event
}

type eventReader struct {
	alert string // "" is all
	queue chan wire.Event
}

// publish offers e to every reader; one that is full is closed.
func (v *events) publish(e wire.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last++
	e.ID = strconv.FormatUint(v.last, 10)
	for r := range v.readers {
		if r.alert != "" && e.Alert != r.alert {
			continue
		}
		select {
		case r.queue <- e:
		default:
			v.drop(r)
		}
	}
}

// any reports whether somebody listens.
func (v *events) any() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.readers) > 0
}

// drop closes a reader's queue once. mu is held.
func (v *events) drop(r *eventReader) {
	if _, ok := v.readers[r]; ok {
		delete(v.readers, r)
		close(r.queue)
	}
}

// subscribe opens a queue that is closed when ctx ends or the reader is too slow.
func (v *events) subscribe(ctx context.Context, alert string) <-chan wire.Event {
	r := &eventReader{alert: alert, queue: make(chan wire.Event, eventBacklog)}
	v.mu.Lock()
	if v.readers == nil {
		v.readers = map[*eventReader]struct{}{}
	}
	v.readers[r] = struct{}{}
	v.mu.Unlock()
	context.AfterFunc(ctx, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.drop(r)
	})
	return r.queue
}

// Events implements api.Events.
func (n *Node) Events(ctx context.Context, alert string) (<-chan wire.Event, error) {
	return n.events.subscribe(ctx, alert), nil
}

// tell gives an event of a type to who listens.
func (n *Node) tell(kind string, e wire.Event) {
	e.Type, e.At = kind, n.options.Clock().UTC().Truncate(time.Millisecond)
	n.events.publish(e)
}
