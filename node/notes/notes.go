// Package notes puts on record what this node did of itself: that it wrote an alert to its
// devices, that it refused a message that contradicts another. No alert waits for that.
//
//	Fanout, Refusal ─> queue ─> Run ─> Exchange.Create: a fact of this node
//
// What is queued is lost when the node ends; it never imports api, channels but for the signal, or
// another part of node.
package notes

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"almenara/channels/signal"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// maxRefusals bounds what is remembered of refused messages, so that a sender that
// repeats one for ever fills neither the log nor the memory.
const maxRefusals = 4096

// Exchange makes facts; *exchange.Exchange is one.
type Exchange interface {
	Create(ctx context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error)
}

// note is a record that this node makes of what it did.
type note struct {
	kind fact.Kind
	body interface{ Encode() ([]byte, error) }
}

// Notes is the queue. Its methods may be called from any goroutine.
type Notes struct {
	exchange Exchange
	clock    func() time.Time
	log      *slog.Logger
	arrived  signal.Signal

	mu      sync.Mutex
	waiting []note
	refused map[string]bool // content that is on record as refused
}

// New makes one; nothing is put on record before Run.
func New(e Exchange, clock func() time.Time, log *slog.Logger) *Notes {
	return &Notes{exchange: e, clock: clock, log: log, arrived: signal.New()}
}

// Fanout notes that this node wrote a revision of an alert to so many devices.
func (q *Notes) Fanout(id alert.ID, revision alert.Revision, devices int) {
	q.add(note{fact.KindFanout, factbody.Fanout{
		Alert: string(id), Revision: uint64(revision), Devices: uint32(devices), At: q.clock().UnixMilli(),
	}})
}

// Refused is a message that contradicts one that is known.
type Refused struct {
	By, Key, Digest, Selected string
	Alert                     alert.ID // that it contradicts
}

// Refusal notes it, once for each content and author.
func (q *Notes) Refusal(r Refused) {
	q.log.Warn("a message contradicts one that is known", "key", r.Key, "alert", r.Alert, "by", r.By)
	if !q.first(r.By + " " + r.Digest + " " + r.Selected) {
		return
	}
	q.add(note{fact.KindRefusal, factbody.Refusal{
		Key: r.Key, Alert: string(r.Alert), Digest: r.Digest, Author: r.By, At: q.clock().UnixMilli(),
	}})
}

func (q *Notes) add(one note) {
	q.mu.Lock()
	q.waiting = append(q.waiting, one)
	q.mu.Unlock()
	q.arrived.Set()
}

// first reports whether the content has not been refused before.
func (q *Notes) first(content string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.refused[content] {
		return false
	}
	if q.refused == nil || len(q.refused) >= maxRefusals {
		q.refused = map[string]bool{}
	}
	q.refused[content] = true
	return true
}

func (q *Notes) take() []note {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.waiting
	q.waiting = nil
	return waiting
}

// Run writes the notes as facts until ctx ends.
func (q *Notes) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.arrived:
		}
		for _, one := range q.take() {
			body, err := one.body.Encode()
			if err == nil {
				_, err = q.exchange.Create(ctx, one.kind, fact.Alerts, body)
			}
			if err != nil && ctx.Err() == nil {
				q.log.Error("what this node did was not put on record", "kind", one.kind, "error", err)
			}
		}
	}
}
