// Package capreply writes what a central system is told in its own language: a CAP Ack that says
// how far its message got, or a CAP Error that says why it was refused. It knows no route and no
// request, and never imports api.
package capreply

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
)

// Writer writes replies. It may be used from any goroutine.
type Writer struct {
	Sender string           // CAP sender of replies
	Clock  func() time.Time // the time of day
}

// Ack is the reply to a message that was taken, as XML; copied says that the node is of a drill
// copy. It is nil where the message cannot be read here, so that it cannot be named.
func (w Writer) Ack(raw []byte, out wire.Outcome, copied bool) ([]byte, error) {
	a, _, _ := capxml.Parse(raw)
	if a == nil {
		return nil, nil
	}
	return write(alert.Ack(a, w.Sender, "ack-"+rand.Text(), ackNote(copied, out), w.Clock().UTC()))
}

// Error is the reply to a message that was refused, as XML. It is nil where the message has no
// identity that can be read, so that it cannot be named.
func (w Writer) Error(raw []byte, p *wire.Problem) ([]byte, error) {
	a, _, err := capxml.Parse(raw)
	key, ok := keyOf(a, err)
	if !ok {
		return nil, nil
	}
	reply, err := alert.ErrorReply(key, w.Sender, "error-"+rand.Text(), errorNote(p), w.Clock().UTC())
	if err != nil {
		return nil, nil
	}
	return write(reply)
}

// keyOf is the identity of a message, also of a refused one.
func keyOf(a *alert.Alert, err error) (alert.Key, bool) {
	var rejected *alert.RejectError
	if errors.As(err, &rejected) {
		return rejected.Key, rejected.Key.Complete()
	}
	if a == nil {
		return alert.Key{}, false
	}
	return a.Key(), a.Key().Complete()
}

// ackNote says how far a message got, for the people at the sender's.
func ackNote(copied bool, out wire.Outcome) string {
	state := string(out.State)
	if copied {
		state = "DRILL COPY, nobody of the district is warned: " + state
	}
	if out.Duplicate {
		state += ", known already"
	}
	if out.Effect == wire.EffectNone {
		state += ", nobody is warned"
	}
	reachable := ""
	if out.Reachable != nil {
		reachable = fmt.Sprintf(", %d of them with a device connected now to the nodes that answered", *out.Reachable)
	}
	return fmt.Sprintf("%s, %s: %d members addressed%s; alert %s", out.Replication, state, out.Addressed.Total, reachable, out.Alert)
}

// errorNote says why a message was refused.
func errorNote(p *wire.Problem) string {
	return strings.Join(append([]string{p.Kind + ": " + p.Sentence}, p.Details...), "; ")
}

func write(reply *alert.Alert) ([]byte, error) {
	xml, err := capxml.Write(reply)
	if err != nil {
		return nil, fmt.Errorf("writing CAP reply: %w", err)
	}
	return xml, nil
}
