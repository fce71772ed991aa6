package alert

import (
	"errors"
	"strings"
	"time"
)

// ErrNoKey is returned by ErrorReply when too little of a refused message could be
// read to name it in references. Such a sender can only be answered on the
// transport.
var ErrNoKey = errors.New("answering alert: the message has no readable identity")

// Ack is the CAP Ack that answers of: it tells its sender that the message was
// received and accepted (CAP 1.2 §3.2.1), and in note how far it got. It has the
// status of the message that it answers, and is Private to that message's sender.
func Ack(of *Alert, sender, identifier, note string, now time.Time) *Alert {
	return reply(MsgTypeAck, of.Status, of.Key(), sender, identifier, note, now)
}

// ErrorReply is the CAP Error that answers the refused message of; note says why it
// was refused. RejectError.Key is such a key. The status is System, because that of
// the refused message is not known. The error is ErrNoKey.
func ErrorReply(of Key, sender, identifier, note string, now time.Time) (*Alert, error) {
	if !of.Complete() {
		return nil, ErrNoKey
	}
	return reply(MsgTypeError, StatusSystem, of, sender, identifier, note, now), nil
}

func reply(t MsgType, s Status, of Key, sender, identifier, note string, now time.Time) *Alert {
	return &Alert{
		Identifier: identifier,
		Sender:     sender,
		Sent:       NewDateTime(now),
		Status:     s,
		MsgType:    t,
		Scope:      ScopePrivate,
		Addresses:  []string{strings.ReplaceAll(of.Sender, `"`, "")},
		Note:       note,
		References: []Key{of},
	}
}
