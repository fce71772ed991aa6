// Package receipt holds what is known of one alert at one endpoint: the ladder,
// the block in which receipts travel and are kept, and the tally that counts them.
package receipt

import (
	"time"

	"almenara/storage/alert"
)

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
