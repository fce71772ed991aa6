package alerts

import (
	"time"

	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// MessagesOf implements present.Messages.
func (b *Book) MessagesOf(id alert.ID) (messages []Addressing, complete bool) {
	held, complete := b.sources(id)
	for _, m := range held {
		messages = append(messages, m.Addressing())
	}
	return messages, complete
}

func (b *Book) sources(id alert.ID) (held []*Message, complete bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	facts, complete := b.board.Sources(id)
	for _, fact := range facts {
		m, ok := b.messages[fact]
		if !ok {
			complete = false
			continue
		}
		held = append(held, raised(b.board, m))
	}
	return held, complete
}

// MessageCount implements present.Messages.
func (b *Book) MessageCount(id alert.ID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.board.SourceCount(id)
}

// Edits counts the changes of what is in the book.
func (b *Book) Edits() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.edits
}

// Since lists the messages of a book that were taken since then, in no order, whatever has become of them.
func Since(b *Book, at time.Time) (out []*Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		if !m.Entry.Accepted.Before(at) {
			out = append(out, m)
		}
	}
	return out
}

// Running is an alert that nobody has cancelled, with the messages that the book holds.
type Running struct {
	board.Card
	Messages []*Message
}

// Running lists the alerts that nobody has cancelled and that may be shown at now or later.
func (b *Book) Running(now time.Time) (out []Running) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := map[alert.ID]bool{}
	for _, id := range b.board.Open(now) {
		card, ok := b.board.Card(id)
		if !ok || found[card.ID] || len(card.Cancels) > 0 {
			continue
		}
		found[card.ID] = true
		r := Running{Card: card}
		for _, e := range card.Messages {
			if m, ok := b.messages[e.Fact]; ok {
				r.Messages = append(r.Messages, m)
			}
		}
		out = append(out, r)
	}
	return out
}
