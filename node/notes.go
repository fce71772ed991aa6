package node

import (
	"context"
	"sync"

	"almenara/cluster/fact"
	"almenara/storage"
)

// notes queues what this node puts on record about itself, so that no alert waits
// for the record. Safe for concurrent use; the zero value is ready.
type notes struct {
	mu      sync.Mutex
	waiting []storage.Fanout
	arrived chan struct{}
	once    sync.Once
}

func (q *notes) signal() chan struct{} {
	q.once.Do(func() { q.arrived = make(chan struct{}, 1) })
	return q.arrived
}

func (q *notes) add(f storage.Fanout) {
	q.mu.Lock()
	q.waiting = append(q.waiting, f)
	q.mu.Unlock()
	select {
	case q.signal() <- struct{}{}:
	default:
	}
}

func (q *notes) take() []storage.Fanout {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.waiting
	q.waiting = nil
	return waiting
}

// keepNotes writes the notes as facts until ctx ends.
func (n *Node) keepNotes(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.notes.signal():
		}
		for _, f := range n.notes.take() {
			body, err := f.Encode()
			if err == nil {
				_, err = n.exchange.Create(ctx, fact.KindFanout, fact.Alerts, body)
			}
			if err != nil {
				n.log.Error("a fan-out was not put on record", "alert", f.Alert, "error", err)
			}
		}
	}
}
