package factbody

import (
	"fmt"

	"almenara/storage"
)

// MaxSaw is the most members that a record of being alone names.
const MaxSaw = 256

// Alone records that one node was without a majority: the body of an alone fact, an
// audit record of which the state machine reads nothing. Times are of the node's own
// clock.
type Alone struct {
	From   int64    `cbor:"1,keyasint"`           // ms since 1970
	To     int64    `cbor:"2,keyasint"`           // ms since 1970; where the process ended, when it came up again
	Policy uint64   `cbor:"3,keyasint"`           // raft index of what was agreed, as far as the node knew
	Why    string   `cbor:"4,keyasint"`           // AloneLost, AloneStarting or AloneEnded
	Saw    []string `cbor:"5,keyasint,omitempty"` // server ids of the members that it was in touch with meanwhile, sorted
}

// The values of Alone.Why.
const (
	AloneLost     = "lost"     // it had a majority, and lost it
	AloneStarting = "starting" // it came up and found none
	AloneEnded    = "ended"    // its process ended while it had none; To is when it came up again
)

// Encode writes the record as canonical CBOR.
func (a Alone) Encode() ([]byte, error) { return storage.Canonical.Marshal(a) }

// DecodeAlone reads what Encode wrote. It refuses times in the wrong order and more
// than MaxSaw members, and never panics on foreign bytes.
func DecodeAlone(b []byte) (Alone, error) {
	a, err := storage.Decode[Alone](nil, b)
	if err != nil {
		return Alone{}, fmt.Errorf("decoding alone record: %w", err)
	}
	if a.From < 0 || a.To < a.From || len(a.Saw) > MaxSaw {
		return Alone{}, fmt.Errorf("decoding alone record: from %d to %d, %d members seen", a.From, a.To, len(a.Saw))
	}
	return a, nil
}
