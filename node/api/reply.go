package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"almenara/node/api/openapi"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
)

// wantsCAP reports whether the caller asked for the answer as a CAP message.
func wantsCAP(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), openapi.MediaCAP)
}

// replyCAP answers a central system in its own language: a CAP Ack that says how
// far the message got, or a CAP Error that says why it was refused. The HTTP status
// is the same as with JSON. A message whose identity cannot be read cannot be named
// in a CAP Error and is answered in JSON.
func (h alertHandlers) replyCAP(c call, raw []byte, out wire.Outcome, failure error) error {
	a, _, parsed := capxml.Parse(raw)
	if failure == nil {
		c.took(out)
		if a == nil {
			return h.accepted(c, out, nil) // the service read what this parser cannot
		}
		reply := alert.Ack(a, h.sender, "ack-"+rand.Text(), ackNote(c.w.Header().Get(wire.HeaderDrill), out), h.clock().UTC())
		return h.writeCAP(c.w, http.StatusAccepted, reply)
	}
	p, ours := problemOf(c.r, failure)
	key, ok := keyOf(a, parsed)
	if ours || !ok || p.Kind == wire.KindUnknownOutcome {
		return failure // an Error would say that nothing happened
	}
	reply, err := alert.ErrorReply(key, h.sender, "error-"+rand.Text(), errorNote(p), h.clock().UTC())
	if err != nil {
		return failure
	}
	h.problemHeader(c.w, p)
	return h.writeCAP(c.w, wire.HTTPStatus(p.Kind), reply)
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

// ackNote says how far a message got, for the people at the sender's; copied is the header of a
// drill copy.
func ackNote(copied string, out wire.Outcome) string {
	state := string(out.State)
	if copied != "" {
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

func (h alertHandlers) writeCAP(w http.ResponseWriter, status int, reply *alert.Alert) error {
	xml, err := capxml.Write(reply)
	if err != nil {
		return fmt.Errorf("writing CAP reply: %w", err)
	}
	w.Header().Set("Content-Type", openapi.MediaCAP)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(xml)
	return nil
}
