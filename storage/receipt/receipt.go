// Package receipt holds what is known of one alert at one endpoint: the ladder,
// the block in which receipts travel and are kept, and the tally that counts them.
package receipt

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"almenara/storage/alert"
)

// MaxAnswer bounds an answer, in bytes of UTF-8.
const MaxAnswer = 64

// ErrInvalid is wrapped by Validate, and by Encode and Blocks for receipts that
// cannot be written.
var ErrInvalid = errors.New("receipt is not valid")

// Rung is one step of what is known of an alert at an endpoint. The first six
// only climb; each implies those below it. The last four end it.
type Rung uint8

// The ladder, lowest first. Never call a lower rung by a higher name.
const (
	Queued       Rung = iota + 1 // addressed; nothing sent yet
	Sent                         // written to the device's connection
	Delivered                    // the device's PUBACK
	Verified                     // the device checked the signature
	Presented                    // shown or spoken
	Acknowledged                 // a person confirmed
	Failed                       // the endpoint said that it cannot
	Expired                      // it ran out before it was presented
	Cancelled                    // it was cancelled before it was presented
	Refused                      // the device refused it, for example a bad signature
)

// Receipt is one step of one member's ladder.
type Receipt struct {
	Alert    alert.ID
	Revision alert.Revision
	Member   uint32 // ordinal
	Rung     Rung
	At       time.Time // by the device's clock for its own rungs, millisecond precision
	Answer   string    // for Acknowledged: what was answered, at most 64 bytes
}

// Validate reports what a node must refuse from a device: an alert that is no
// alert id, a rung that does not exist, an answer that is too long, is not UTF-8 or
// belongs to another rung than Acknowledged. Every error wraps ErrInvalid.
func (r Receipt) Validate() error {
	if err := writable(r.Alert, r.Rung); err != nil {
		return err
	}
	switch {
	case r.Answer != "" && r.Rung != Acknowledged:
		return fmt.Errorf("%w: only acknowledged has an answer, not %s", ErrInvalid, r.Rung)
	case len(r.Answer) > MaxAnswer:
		return fmt.Errorf("%w: answer of %d bytes, at most %d", ErrInvalid, len(r.Answer), MaxAnswer)
	case !utf8.ValidString(r.Answer):
		return fmt.Errorf("%w: answer is not UTF-8", ErrInvalid)
	}
	return nil
}

// writable checks what a block cannot express otherwise.
func writable(id alert.ID, r Rung) error {
	if !r.valid() {
		return fmt.Errorf("%w: rung %d", ErrInvalid, r)
	}
	if _, err := alert.ParseID(string(id)); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}
