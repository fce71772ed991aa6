// Package events tells readers of the API what happens, as it happens: what an alert has come
// to, that receipts came in, that records changed, that a split has ended.
//
//	Touch, TouchRecords ─> gathered ─ every 250 ms ─> Run ─┬─> Options.Alert ─────────┐
//	                                                       └─> which records changed ─┼─> readers
//	Tell ─────────────────────────────────────────────────────────────────────────────┘
//
// Nothing is kept: who was away reads the state again, which is always whole. It decides
// nothing, and never imports api, channels or another part of node but wire.
package events

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"almenara/cluster/apply"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// backlog is how many events a reader may be behind before it is dropped: a reader that
// cannot keep up reads the state again, which is always whole.
const backlog = 256

// Options say what a Feed needs. None may be nil.
type Options struct {
	Clock func() time.Time
	// Find is the alert that is meant by the beginning of an id; its error is the answer.
	Find func(id string) (alert.ID, error)
	// Alert is what an alert has come to, without type and time; false where there is nothing
	// to tell. It is asked only while somebody listens.
	Alert func(id alert.ID) (wire.Event, bool)
	// Changed hears which records changed, before readers do.
	Changed func(apply.Change)
}

// Feed hands live events to readers. Its methods may be called from any goroutine.
type Feed struct {
	Options
	gathered gathered
	run      string // of this process: ids of another are never taken for its own

	mu      sync.Mutex
	readers map[*reader]struct{}
	last    uint64 // number of the last event
}

type reader struct {
	alert string // "" is all
	queue chan wire.Event
}

// New makes a feed that gathers what it is told, which Run passes on.
func New(o Options) *Feed {
	var run [6]byte
	_, _ = rand.Read(run[:]) // never fails (crypto/rand)
	return &Feed{Options: o, run: hex.EncodeToString(run[:]), readers: map[*reader]struct{}{}}
}

// Events opens a queue of what happens to an alert, or to all with "". It is closed when ctx
// ends or the reader is too slow. It implements service.Events.
func (f *Feed) Events(ctx context.Context, of string) (<-chan wire.Event, error) {
	if _, err := alert.ParseID(of); of != "" && err != nil { // one that is not known yet may be awaited
		id, err := f.Find(of)
		if err != nil {
			return nil, err
		}
		of = string(id)
	}
	return f.subscribe(ctx, of), nil
}

// Tell gives an event of a type to who listens.
func (f *Feed) Tell(kind string, e wire.Event) {
	e.Type, e.At = kind, f.Clock().UTC().Truncate(time.Millisecond)
	f.publish(e)
}

// publish offers e to every reader; one that is full is closed.
func (f *Feed) publish(e wire.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	e.ID = f.run + "-" + strconv.FormatUint(f.last, 10)
	for r := range f.readers {
		if r.alert != "" && e.Alert != r.alert {
			continue
		}
		select {
		case r.queue <- e:
		default:
			f.drop(r)
		}
	}
}

// any reports whether somebody listens.
func (f *Feed) any() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.readers) > 0
}

// drop closes a reader's queue once. mu is held.
func (f *Feed) drop(r *reader) {
	if _, ok := f.readers[r]; ok {
		delete(f.readers, r)
		close(r.queue)
	}
}

func (f *Feed) subscribe(ctx context.Context, alert string) <-chan wire.Event {
	r := &reader{alert: alert, queue: make(chan wire.Event, backlog)}
	f.mu.Lock()
	f.readers[r] = struct{}{}
	f.mu.Unlock()
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.drop(r)
	})
	return r.queue
}
