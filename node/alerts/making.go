package alerts

import (
	"bytes"
	"sync"

	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// MessageOf is the message of the body of an alert fact that may be made. parsed is what its CAP
// message says, where that was read from the same bytes; nil reads it.
func MessageOf(body []byte, parsed *alert.Alert) (*Message, error) {
	issue, err := factbody.DecodeIssue(body)
	if err != nil {
		return nil, err
	}
	if parsed == nil {
		return read("", issue)
	}
	return says("", issue, parsed), nil
}

// making is the body of the fact that is about to be made, and what it says: the XML of a large
// message takes milliseconds to read on a small box, and it was read on its way in.
type making struct {
	mu   sync.Mutex
	body []byte
	m    *Message
}

// Making says which fact is made next, of which Learnt will be asked.
func (b *Book) Making(body []byte, m *Message) {
	b.making.mu.Lock()
	defer b.making.mu.Unlock()
	b.making.body, b.making.m = body, m
}

// Learnt is the message of the body of an alert fact, which is read unless Making was told of it.
func (b *Book) Learnt(fact string, body []byte) (*Message, error) {
	b.making.mu.Lock()
	made := b.making.m
	known := made != nil && bytes.Equal(b.making.body, body)
	if known {
		b.making.body, b.making.m = nil, nil
	}
	b.making.mu.Unlock()
	if !known {
		return ReadMessage(fact, body)
	}
	m := *made
	m.Fact, m.Entry.Fact = fact, fact
	return &m, nil
}
