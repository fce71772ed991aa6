// Package command holds the entries of a district's raft log: what may be agreed,
// and how it is written. Every node must read every entry alike, so an entry says
// its version, and a node that does not know the version must stop.
package command

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Limits of one entry. MaxBytes bounds memory, raft's queue and the transaction that
// an entry needs; the others keep what an entry writes under half of what one Badger
// transaction may hold with the smallest memtable (storage.MinMemTableSize).
const (
	MaxBytes     = 256 << 10 // hard limit of an encoded entry
	SoftBytes    = 64 << 10  // what proposers should aim at
	MaxMembers   = 2000      // members or devices in one entry
	MaxFacts     = 256       // facts in one entry
	MaxPlaces    = 500       // places in one entry
	MaxText      = 256       // bytes of an id, a name or a short text
	MaxRequestID = 64        // bytes
	MaxScenario  = 64 << 10  // bytes of a scenario's alert
	MaxSelection = 4 << 10   // bytes of a scenario's selection
	MaxRules     = 100       // of a policy, and scenarios of a licence
	MaxBlanks    = 32        // that a scenario describes, and lines of its checklist
	MaxWords     = 200       // sensitive words of a scenario, and texts that may fill one blank
	MaxLine      = 600       // bytes of a line for people
	MaxApprovals = 9         // that one alert may need
	SweepStep    = 2000      // members that one FoldImport looks at when it removes some
)

// Sentinels of Encode and Decode.
var (
	// ErrUnknownVersion: the entry was written by newer software. The node must stop
	// and be upgraded; skipping the entry would make it differ from its peers.
	ErrUnknownVersion = errors.New("command of an unknown version or type")

	// ErrMalformed: the entry has a known version and is not well-formed. Every node
	// comes to the same end, so it is a result, not a fault of the node.
	ErrMalformed = errors.New("malformed command")

	// ErrTooLarge: the entry would be over a limit of this package.
	ErrTooLarge = errors.New("command is too large")
)

// Command is one entry.
type Command struct {
	RequestID string  // of the proposer; a repeat gets the first answer. "": repeats do no harm
	Actor     string  // user or node that wants it, for the audit
	At        int64   // ms since 1970 by the proposer's clock: the only time the state machine knows
	Payload   Payload // a pointer to one of this package's payload types
	Version   uint64  // set by Decode: what the proposer wrote. Encode writes VersionOf(Payload)
}

// Payload is what a command does: one of the types of this package.
type Payload interface {
	// Type names the payload in the entry.
	Type() Type
	// check holds the payload against the limits.
	check() error
}

// Type says which payload an entry has. Numbers are never given anew.
type Type uint16

// The types.
const (
	TypeAdoptFacts Type = iota + 1
	TypePutMembers
	TypeRemoveMembers
	TypeStageMembers
	TypeActivateImport
	TypeFoldImport
	TypeDropImport
	TypePutPlaces
	TypeRemovePlaces
	TypePutDevices
	TypeRevokeDevice
	TypePutUser
	TypeRevokeUser
	TypePutNode
	TypeRemoveNode
	TypePutJoinToken
	TypeUseJoinToken
	TypePutKeyRing
	TypePutDistrict
	_ // hashed the state at an entry; nothing ever proposed one
	TypePutScenario
	TypeRemoveScenario
	TypePutLicence
	TypeRevokeLicence
	TypePutPolicy
	TypePutCredential
	TypeBeginSession
	TypeEndSession
	TypeEndSessions
	TypePutNotice
	TypeErasePerson
	TypeEraseTraces
	TypePutRetention
	TypeRemoveOld
	TypePad
	TypeChangePlace
)

// types says how each type is made, what the audit calls it, and the first version
// that has it.
var types = map[Type]struct {
	name  string
	since uint64
	make  func() Payload
}{
	TypeAdoptFacts:     {"facts adopt", 1, func() Payload { return new(AdoptFacts) }},
	TypePutMembers:     {"members put", 1, func() Payload { return new(PutMembers) }},
	TypeRemoveMembers:  {"members remove", 1, func() Payload { return new(RemoveMembers) }},
	TypeStageMembers:   {"import stage", 1, func() Payload { return new(StageMembers) }},
	TypeActivateImport: {"import activate", 1, func() Payload { return new(ActivateImport) }},
	TypeFoldImport:     {"import fold", 1, func() Payload { return new(FoldImport) }},
	TypeDropImport:     {"import drop", 1, func() Payload { return new(DropImport) }},
	TypePutPlaces:      {"places put", 1, func() Payload { return new(PutPlaces) }},
	TypeRemovePlaces:   {"places remove", 1, func() Payload { return new(RemovePlaces) }},
	TypePutDevices:     {"devices enrol", 1, func() Payload { return new(PutDevices) }},
	TypeRevokeDevice:   {"device revoke", 1, func() Payload { return new(RevokeDevice) }},
	TypePutUser:        {"user put", 1, func() Payload { return new(PutUser) }},
	TypeRevokeUser:     {"user revoke", 1, func() Payload { return new(RevokeUser) }},
	TypePutNode:        {"node put", 1, func() Payload { return new(PutNode) }},
	TypeRemoveNode:     {"node remove", 1, func() Payload { return new(RemoveNode) }},
	TypePutJoinToken:   {"join token put", 1, func() Payload { return new(PutJoinToken) }},
	TypeUseJoinToken:   {"join token use", 1, func() Payload { return new(UseJoinToken) }},
	TypePutKeyRing:     {"key ring put", 1, func() Payload { return new(PutKeyRing) }},
	TypePutDistrict:    {"district put", 1, func() Payload { return new(PutDistrict) }},
	TypePutScenario:    {"scenario put", 2, func() Payload { return new(PutScenario) }},
	TypeRemoveScenario: {"scenario remove", 2, func() Payload { return new(RemoveScenario) }},
	TypePutLicence:     {"licence grant", 2, func() Payload { return new(PutLicence) }},
	TypeRevokeLicence:  {"licence revoke", 2, func() Payload { return new(RevokeLicence) }},
	TypePutPolicy:      {"policy put", 2, func() Payload { return new(PutPolicy) }},
	TypePutCredential:  {"password put", 4, func() Payload { return new(PutCredential) }},
	TypeBeginSession:   {"session begin", 4, func() Payload { return new(BeginSession) }},
	TypeEndSession:     {"session end", 4, func() Payload { return new(EndSession) }},
	TypeEndSessions:    {"sessions end", 4, func() Payload { return new(EndSessions) }},
	TypePutNotice:      {"notice put", 10, func() Payload { return new(PutNotice) }},
	TypeErasePerson:    {"person erase", PersonalSince, func() Payload { return new(ErasePerson) }},
	TypeEraseTraces:    {"person traces erase", PersonalSince, func() Payload { return new(EraseTraces) }},
	TypePutRetention:   {"retention put", PersonalSince, func() Payload { return new(PutRetention) }},
	TypeRemoveOld:      {"retention remove", PersonalSince, func() Payload { return new(RemoveOld) }},
	TypePad:            {"log pad", PersonalSince, func() Payload { return new(Pad) }},
	TypeChangePlace:    {"place change", 13, func() Payload { return new(ChangePlace) }},
}

// String is what the audit calls the type.
func (t Type) String() string {
	if k, ok := types[t]; ok {
		return k.name
	}
	return fmt.Sprintf("type %d", uint16(t))
}

// envelope is an entry as it is written.
type envelope struct {
	Version   uint64          `cbor:"1,keyasint"`
	Type      Type            `cbor:"2,keyasint"`
	RequestID string          `cbor:"3,keyasint,omitempty"`
	Actor     string          `cbor:"4,keyasint"`
	At        int64           `cbor:"5,keyasint"`
	Payload   cbor.RawMessage `cbor:"6,keyasint"`
}

var (
	encoding, _ = cbor.CoreDetEncOptions().EncMode()
	limits      = cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden,
		MaxArrayElements: 1 << 13, MaxMapPairs: 64, MaxNestedLevels: 12,
	}
	lenient, _ = limits.DecMode()
	decoding   = strictMode()
)

// strictMode refuses fields that it does not know: they come from newer software.
func strictMode() cbor.DecMode {
	o := limits
	o.ExtraReturnErrors = cbor.ExtraDecErrorUnknownField
	mode, _ := o.DecMode()
	return mode
}

// Encode writes the command. It returns ErrTooLarge for one over the limits, and
// ErrMalformed for one that no node would accept.
func (c Command) Encode() ([]byte, error) {
	if c.Payload == nil {
		return nil, fmt.Errorf("%w: no payload", ErrMalformed)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	version, err := writable(c.Payload)
	if err != nil {
		return nil, err
	}
	payload, err := encoding.Marshal(c.Payload)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", c.Payload.Type(), err)
	}
	b, err := encoding.Marshal(envelope{Version: version, Type: c.Payload.Type(),
		RequestID: c.RequestID, Actor: c.Actor, At: c.At, Payload: payload})
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", c.Payload.Type(), err)
	}
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %s of %d bytes", ErrTooLarge, c.Payload.Type(), len(b))
	}
	return b, nil
}

func (c Command) check() error {
	if len(c.RequestID) > MaxRequestID || len(c.Actor) > MaxText || c.At < 0 {
		return fmt.Errorf("%w: envelope", ErrMalformed)
	}
	return c.Payload.check()
}

// Decode reads an entry. It never panics on foreign bytes. Its error is
// ErrUnknownVersion, for which the node must stop, or else ErrMalformed or
// ErrTooLarge, which are the same on every node.
func Decode(b []byte) (Command, error) {
	if len(b) > MaxBytes {
		return Command{}, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(b))
	}
	var probe struct {
		Version uint64 `cbor:"1,keyasint"`
		Type    uint64 `cbor:"2,keyasint"`
	}
	if err := lenient.Unmarshal(b, &probe); err != nil {
		return Command{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if probe.Version == 0 || probe.Type == 0 {
		return Command{}, fmt.Errorf("%w: no version or type", ErrMalformed)
	}
	if probe.Type > 1<<16-1 || !known(Type(probe.Type), probe.Version) {
		return Command{}, fmt.Errorf("%w: version %d, type %d", ErrUnknownVersion, probe.Version, probe.Type)
	}
	var e envelope
	if err := unmarshal(b, &e); err != nil {
		return Command{}, err
	}
	c := Command{RequestID: e.RequestID, Actor: e.Actor, At: e.At, Payload: types[e.Type].make(), Version: e.Version}
	if err := unmarshal(e.Payload, c.Payload); err != nil {
		return Command{}, err
	}
	if err := tooNew(c.Payload, e.Version); err != nil {
		return Command{}, err
	}
	return c, c.check()
}

// unmarshal tells fields of newer software from bytes that are wrong.
func unmarshal(b []byte, into any) error {
	err := decoding.Unmarshal(b, into)
	var unknown *cbor.UnknownFieldError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w: %w", ErrUnknownVersion, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}
