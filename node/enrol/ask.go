package enrol

import (
	"encoding/base64"
	"time"

	"almenara/node/wire"
)

// Asked is what a device is told when it asks.
type Asked struct {
	Request string    `json:"request"`  // a secret of this device, by which it goes on
	Nonce   string    `json:"nonce"`    // goes into the code
	RootKey string    `json:"root_key"` // goes into the code, and is pinned
	Node    string    `json:"node"`     // name of the node at whose console a person looks
	Until   time.Time `json:"until"`
}

// ask takes the first step of a device: its commitment to a verifier. A ticket is used up by it.
func (e *Enrolment) ask(kind, ticket, commitment, address string) (Asked, error) {
	if !isDigest(commitment) {
		return Asked{}, wire.Problemf(wire.KindMalformed, "commitment is not a SHA-256 in base64url")
	}
	if kind != "screen" && kind != "phone" && kind != "speaker" {
		return Asked{}, wire.Problemf(wire.KindRefused, "a device that asks is a screen, a phone or a speaker, not %.40q", kind)
	}
	root := e.o.RootKey()
	if root == "" {
		return Asked{}, wire.Problemf(wire.KindNotReady, "this node cannot enrol devices now; ask another")
	}
	now := e.o.Clock()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now)
	r := &request{
		number: random(6), kind: kind, address: address, commitment: commitment, nonce: random(32), root: root,
		since: now, until: now.Add(showLife), state: Waits,
	}
	if ticket != "" {
		t, ok := e.tickets[ticket]
		if !ok {
			return Asked{}, wire.Problemf(wire.KindNotFound, "this code was used already, or is too old; ask for a new one")
		}
		delete(e.tickets, ticket)
		r.wants, r.invited = t.For, true
	} else if err := e.room(address); err != nil {
		return Asked{}, err
	}
	token := random(24)
	e.requests[token] = r
	return Asked{Request: token, Nonce: r.nonce, RootKey: root, Node: e.o.Node, Until: now.Add(askLife)}, nil
}

// room refuses a request without a ticket where too many wait. mu must be held.
func (e *Enrolment) room(address string) error {
	all, here := 0, 0
	for _, r := range e.requests {
		if r.invited || r.state != Waits {
			continue
		}
		all++
		if r.address == address {
			here++
		}
	}
	if all < maxUninvited && here < maxOfAddress {
		return nil
	}
	p := wire.Problemf(wire.KindOverBudget, "too many devices wait already, of all or of this address; scan a code from the console, or try again later")
	p.RetryAfter = 15
	return p
}

// show takes the second step: the verifier, which must be what the device committed itself to. From
// then on people see the request.
func (e *Enrolment) show(token, verifier string) error {
	now := e.o.Clock()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now)
	r, ok := e.requests[token]
	if !ok {
		return over()
	}
	if !isDigest(verifier) || digest(verifier) != r.commitment {
		return wire.Problemf(wire.KindRefused, "the verifier is not the one that the device committed itself to")
	}
	if r.verifier != "" {
		return nil // shown before, and its answer was lost
	}
	code := codeOf(verifier, r.nonce, r.root)
	for _, other := range e.requests {
		if other.code == code {
			delete(e.requests, token)
			return wire.Problemf(wire.KindConflict, "another device shows the same code; ask again")
		}
	}
	r.verifier, r.code, r.until = verifier, code, now.Add(askLife)
	return nil
}

// State is what a device hears while it waits.
type State struct {
	State   string   `json:"state"` // Waits, Approved or Refused
	ID      string   `json:"id,omitempty"`
	Servers []string `json:"servers,omitempty"`
	RootKey string   `json:"root_key,omitempty"`
	CA      string   `json:"ca,omitempty"`
}

// state tells a device how its request stands.
func (e *Enrolment) state(token string) (State, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(e.o.Clock())
	r, ok := e.requests[token]
	if !ok {
		return State{}, over()
	}
	out := State{State: r.state}
	if r.state == Approved {
		out.ID, out.Servers, out.RootKey, out.CA = r.enrolled.ID, r.enrolled.Servers, r.root, r.enrolled.CA
	}
	return out, nil
}

func over() error {
	return wire.Problemf(wire.KindNotFound, "this node does not know the request, or it is over; ask again")
}

// isDigest reports whether a text is 32 bytes in base64url, written in the one way that there is.
func isDigest(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == 32 && len(text) == 43
}
