package archive

import (
	"fmt"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
)

// Message is an alert fact as it was understood.
type Message struct {
	ID     fact.ID
	Issue  factbody.Issue
	CAP    *alert.Alert
	Digest alert.Digest
	Entry  board.Entry
}

// Read reads the body of an alert fact. why is "" or says, in words that are
// the same on every node, why it cannot be read.
func Read(id fact.ID, body []byte) (msg *Message, why string) {
	defer func() {
		if recover() != nil { // an entry that ends every node's process would end it again after each restart
			msg, why = nil, "message cannot be read"
		}
	}()
	issue, err := factbody.DecodeIssue(body)
	if err != nil {
		return nil, "body is not an issue"
	}
	a, _, err := capxml.Parse(issue.Message)
	if err != nil {
		return nil, "message is not valid CAP"
	}
	digest := issue.Content(a)
	entry := issue.Entry(a, digest.String(), id.String())
	return &Message{ID: id, Issue: issue, CAP: a, Digest: digest, Entry: entry}, ""
}

// Stored reads the message of an adopted alert fact from the store; nil when this version of
// the software does not accept it any more.
func Stored(t *storage.Txn, id []byte) (*Message, error) {
	stored, ok, err := factlog.ByID(t, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%w: fact %x of an adopted alert is gone", storage.ErrDamaged, id)
	}
	signed, err := fact.DecodeSigned(stored.Signed)
	if err != nil {
		return nil, fmt.Errorf("%w: fact %x: %w", storage.ErrDamaged, id, err)
	}
	f, err := signed.Fact()
	if err != nil {
		return nil, fmt.Errorf("%w: fact %x: %w", storage.ErrDamaged, id, err)
	}
	msg, _ := Read(signed.ID(), f.Body)
	return msg, nil
}
