package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// The limits of what a device may publish. They bound the work that one packet of
// a broken or hostile device can cause.
const (
	MaxReceiptBytes = 64 << 10 // one payload on the receipt topic
	MaxReceipts     = 512      // receipts in it
	MaxAnswer       = 64       // bytes of an answer; storage/receipt keeps as many
	MaxStateBytes   = 8 << 10  // one payload on the state topic
	MaxPresenting   = 64       // alerts in a state
	MaxHealth       = 32       // entries of a state's health
	MaxStateText    = 128      // bytes of any text in a state
	MaxExercised    = 8        // words of what a test exercised
)

// ErrMalformed is returned for payloads of devices that the contract does not
// allow. Nothing of such a payload is used.
var ErrMalformed = errors.New("malformed payload")

// The rungs that a device can tell. Queued, sent and delivered are the node's to
// know: a device that claims them is refused.
const (
	RungVerified     = "verified"
	RungPresented    = "presented"
	RungAcknowledged = "acknowledged"
	RungFailed       = "failed"
	RungRefused      = "refused"
	RungExpired      = "expired"
	RungCancelled    = "cancelled"
)

// The values of State.State.
const (
	StateReady        = "ready"
	StatePresenting   = "presenting"
	StateDisconnected = "disconnected"
	StateLost         = "lost"
)

// ParseReceipts reads the payload of a receipt topic: a JSON array of 0 to
// MaxReceipts receipts in at most MaxReceiptBytes. Unknown fields are ignored, as
// devices of many makers add their own; known fields must have the right type and
// range. One bad receipt refuses the whole payload with ErrMalformed.
func ParseReceipts(raw []byte) ([]Receipt, error) {
	if len(raw) > MaxReceiptBytes {
		return nil, fmt.Errorf("%w: %d bytes of receipts, at most %d are allowed", ErrMalformed, len(raw), MaxReceiptBytes)
	}
	list := json.NewDecoder(bytes.NewReader(raw))
	if open, err := list.Token(); err != nil || open != json.Delim('[') {
		return nil, fmt.Errorf("%w: an array of receipts is expected", ErrMalformed)
	}
	receipts, err := readReceipts(list)
	if err != nil {
		return nil, err
	}
	if _, err := list.Token(); err != nil { // the closing bracket
		return nil, fmt.Errorf("%w: reading the end of the receipts: %w", ErrMalformed, err)
	}
	if _, err := list.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the receipts", ErrMalformed)
	}
	return receipts, nil
}

// readReceipts reads elements until the array ends, and counts before it decodes.
func readReceipts(list *json.Decoder) ([]Receipt, error) {
	var receipts []Receipt
	for list.More() {
		if len(receipts) == MaxReceipts {
			return nil, fmt.Errorf("%w: more than %d receipts", ErrMalformed, MaxReceipts)
		}
		var r Receipt
		if err := list.Decode(&r); err != nil {
			return nil, fmt.Errorf("%w: reading receipt %d: %w", ErrMalformed, len(receipts), err)
		}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("%w: receipt %d: %w", ErrMalformed, len(receipts), err)
		}
		receipts = append(receipts, r)
	}
	return receipts, nil
}

// check refuses a receipt that a device cannot mean.
func (r Receipt) check() error {
	switch {
	case !ValidDeviceID(r.Alert):
		return fmt.Errorf("%.70q is not an alert id", r.Alert)
	case r.Revision == 0 || r.Seq == 0:
		return errors.New("revision and seq start at 1")
	case !knownRung(r.Rung):
		return fmt.Errorf("%.70q is not a rung that a device can tell", r.Rung)
	case r.At.IsZero():
		return errors.New("at is missing")
	case len(r.Answer) > MaxAnswer || !utf8.ValidString(r.Answer):
		return fmt.Errorf("answer is longer than %d bytes", MaxAnswer)
	}
	return r.Location.check()
}

// check refuses positions that are not on earth; nil is no position.
func (l *Location) check() error {
	if l != nil && !(l.Lat >= -90 && l.Lat <= 90 && l.Lon >= -180 && l.Lon <= 180) {
		return fmt.Errorf("%v,%v is not a position", l.Lat, l.Lon)
	}
	return nil
}

func knownRung(rung string) bool {
	switch rung {
	case RungVerified, RungPresented, RungAcknowledged, RungFailed, RungRefused, RungExpired, RungCancelled:
		return true
	}
	return false
}

// ParseState reads the payload of a state topic, a device's own or its will. The
// limits are the Max constants; unknown fields are ignored. It returns
// ErrMalformed for everything the contract does not allow.
func ParseState(raw []byte) (State, error) {
	var s State
	if len(raw) > MaxStateBytes {
		return State{}, fmt.Errorf("%w: %d bytes of state, at most %d are allowed", ErrMalformed, len(raw), MaxStateBytes)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return State{}, fmt.Errorf("%w: reading state: %w", ErrMalformed, err)
	}
	if err := s.check(); err != nil {
		return State{}, fmt.Errorf("%w: state: %w", ErrMalformed, err)
	}
	return s, nil
}

// check refuses a state with unknown words and anything over the limits.
func (s State) check() error {
	switch s.State {
	case StateReady, StatePresenting, StateDisconnected, StateLost:
	default:
		return fmt.Errorf("%.70q is not a state", s.State)
	}
	if len(s.Presenting) > MaxPresenting || len(s.Health) > MaxHealth {
		return fmt.Errorf("more than %d alerts or %d health entries", MaxPresenting, MaxHealth)
	}
	for _, id := range s.Presenting {
		if !ValidDeviceID(id) {
			return fmt.Errorf("%.70q is not an alert id", id)
		}
	}
	if err := s.Tested.check(); err != nil {
		return err
	}
	return checkTexts(s)
}

// check refuses a result that belongs to no command; nil is none. Words of later versions are fine.
func (t *Tested) check() error {
	switch {
	case t == nil:
		return nil
	case t.ID == "" || t.Result == "":
		return errors.New("tested has no id or no result")
	case len(t.Exercised) > MaxExercised:
		return fmt.Errorf("more than %d words of what was exercised", MaxExercised)
	}
	return nil
}

func checkTexts(s State) error {
	texts := []string{s.Kind, s.Version}
	for name, value := range s.Health {
		texts = append(texts, name, value)
	}
	if t := s.Tested; t != nil {
		texts = append(append(texts, t.ID, t.Result, t.Why), t.Exercised...)
	}
	for _, text := range texts {
		if len(text) > MaxStateText {
			return fmt.Errorf("a text is longer than %d bytes", MaxStateText)
		}
	}
	return nil
}
