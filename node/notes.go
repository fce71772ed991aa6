package node

import (
	"context"
	"sync"

	"almenara/channels/signal"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
)

// maxRefusals bounds what is remembered of refused messages, so that a sender that
// repeats one for ever fills neither the log nor the memory.
const maxRefusals = 4096

// note is a record that this node makes of what it did.
type note struct {
	kind fact.Kind
	body interface{ Encode() ([]byte, error) }
}

// notes queues what this node puts on record about itself, so that no alert waits
// for the record. Safe for concurrent use.
type notes struct {
	mu      sync.Mutex
	waiting []note
	refused map[string]bool // content that is on record as refused
	arrived signal.Signal
}

func (q *notes) add(n note) {
	q.mu.Lock()
	q.waiting = append(q.waiting, n)
	q.mu.Unlock()
	q.arrived.Set()
}

// first reports whether the content has not been refused before.
func (q *notes) first(content string) bool {
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

func (q *notes) take() []note {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.waiting
	q.waiting = nil
	return waiting
}

// noteRefusal puts on record that a message contradicted one that is known.
func (n *Node) noteRefusal(in intake, id alert.ID, digest string) {
	n.log.Warn("a message contradicts one that is known", "key", in.alert.Key().String(), "alert", id, "by", in.by.Name)
	if !n.notes.first(in.by.Name + " " + digest + " " + in.selected) {
		return
	}
	n.notes.add(note{fact.KindRefusal, storage.Refusal{
		Key: in.alert.Key().String(), Alert: string(id), Digest: digest, Author: in.by.Name,
		At: n.options.Clock().UnixMilli(),
	}})
}

// keepNotes writes the notes as facts until ctx ends.
func (n *Node) keepNotes(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.notes.arrived:
		}
		for _, one := range n.notes.take() {
			body, err := one.body.Encode()
			if err == nil {
				_, err = n.exchange.Create(ctx, one.kind, fact.Alerts, body)
			}
			if err != nil && ctx.Err() == nil {
				n.log.Error("what this node did was not put on record", "kind", one.kind, "error", err)
			}
		}
	}
}
