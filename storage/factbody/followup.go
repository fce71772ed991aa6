package factbody

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"almenara/storage"
)

// The bounds of one record of what people did about an alert.
const (
	MaxToldMembers = 4096
	MaxToldNote    = 500  // bytes
	MaxRemindEvery = 1440 // minutes
)

// What says what a person did about an alert. Numbers are never given anew.
type What uint8

// The values of What.
const (
	Told     What = iota + 1 // Members were told by a person
	Remind                   // devices are to present it again where nobody has confirmed it
	Call                     // too few have answered in time, and Group is to be told; what a node does by itself
	TakeBack                 // that Members were told was put on record by mistake
)

// FollowUp records what a person did about an alert after it was sent: the body of a follow-up fact, of
// which the state machine only writes a line on the audit. It needs command version 6, and what is after
// Remind version 9.
type FollowUp struct {
	Alert    string   `cbor:"1,keyasint"`
	Revision uint64   `cbor:"2,keyasint"`
	What     What     `cbor:"3,keyasint"`
	Members  []uint32 `cbor:"4,keyasint,omitempty"`  // ordinals, ascending; of Told and TakeBack
	Every    uint32   `cbor:"5,keyasint,omitempty"`  // minutes between reminders from now on; 0: once, and no more by themselves
	By       string   `cbor:"6,keyasint"`            // user name, as the node that took it has authenticated; of Call, the author of the message
	At       int64    `cbor:"7,keyasint"`            // ms since 1970, that node's clock
	Note     string   `cbor:"8,keyasint,omitempty"`  // for people
	Fact     []byte   `cbor:"9,keyasint,omitempty"`  // of Call: id of the fact of the message
	Group    uint32   `cbor:"10,keyasint,omitempty"` // of Call: which of Escalation.Groups, from 1
	Answered uint32   `cbor:"11,keyasint,omitempty"` // of Call: how many had answered then, as far as that node knew
}

// FollowUpVersion is the lowest version of commands whose software reads the body of a follow-up fact as it
// is meant.
func FollowUpVersion(body []byte) uint64 {
	if f, err := DecodeFollowUp(body); err == nil && f.What > Remind {
		return EscalationsSince
	}
	return 6
}

// Encode writes the record as canonical CBOR.
func (f FollowUp) Encode() ([]byte, error) { return storage.Canonical.Marshal(f) }

// DecodeFollowUp reads what Encode wrote. It refuses what is beyond the bounds, and never panics on
// foreign bytes.
func DecodeFollowUp(b []byte) (FollowUp, error) {
	f, err := storage.Decode[FollowUp](nil, b)
	if err != nil {
		return FollowUp{}, fmt.Errorf("decoding a follow-up record: %w", err)
	}
	good := len(f.Alert) == 26 && f.By != "" && f.At >= 0 && len(f.Note) <= MaxToldNote && utf8.ValidString(f.Note) &&
		len(f.Members) <= MaxToldMembers && slices.IsSorted(f.Members) && f.Every <= MaxRemindEvery
	calls := f.What == Call
	members := f.What == Told || f.What == TakeBack
	switch {
	case !good,
		f.What < Told || f.What > TakeBack,
		members != (len(f.Members) > 0),
		f.Every > 0 && f.What != Remind,
		calls && (len(f.Fact) != 32 || f.Group < 1 || f.Group >= MaxGroups),
		!calls && (len(f.Fact) > 0 || f.Group+f.Answered > 0):
		return FollowUp{}, fmt.Errorf("decoding a follow-up record: it is beyond what one may say")
	}
	return f, nil
}
