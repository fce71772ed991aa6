package command

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/fact"
	"almenara/cluster/refusal"
)

// Kind says why a command was refused, for machines.
type Kind string

// The kinds of refusal. KindNone is success.
const (
	KindNone      Kind = ""
	KindMalformed Kind = "malformed" // not well-formed, or over a limit
	KindInvalid   Kind = "invalid"   // well-formed, against a rule of what it describes
	KindNotFound  Kind = "not_found"
	KindConflict  Kind = "conflict" // taken, used, active or removed already
	KindExpired   Kind = "expired"
	KindGap       Kind = "gap" // something before it is missing; Err says what is wanted
)

// The sentinels of Result.Error, one per kind.
var (
	ErrInvalid  = errors.New("command is not valid")
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
	ErrExpired  = errors.New("expired")
	ErrGap      = errors.New("something before it is missing")
)

var sentinels = map[Kind]error{
	KindMalformed: ErrMalformed, KindInvalid: ErrInvalid, KindNotFound: ErrNotFound,
	KindConflict: ErrConflict, KindExpired: ErrExpired, KindGap: ErrGap,
}

// Result is the answer to a command. It travels back to the node that proposed it.
type Result struct {
	Kind Kind             `cbor:"1,keyasint,omitempty"`
	Err  string           `cbor:"2,keyasint,omitempty"` // "" with KindNone
	Data []byte           `cbor:"3,keyasint,omitempty"` // AdoptResult, CountResult or ImportResult; else nil
	Why  *refusal.Refusal `cbor:"4,keyasint,omitempty"` // Err for pages; never kept
}

// Refuse makes the answer to a command that changed nothing, by the code of the sentence (storage/coded).
func Refuse(kind Kind, code, format string, args ...any) Result {
	why := refusal.Errorf(code, format, args...)
	return Result{Kind: kind, Err: why.Error(), Why: refusal.Of(why)}
}

// OK makes the answer to a command that was applied. data may be nil.
func OK(data any) Result {
	if data == nil {
		return Result{}
	}
	b, err := encoding.Marshal(data)
	if err != nil { // the types below always encode
		return Refuse(KindInvalid, "", "encoding answer: %v", err)
	}
	return Result{Data: b}
}

// Error is nil for success, else an error that is (errors.Is) the kind's sentinel.
func (r Result) Error() error {
	if r.Kind == KindNone {
		return nil
	}
	if sentinel, ok := sentinels[r.Kind]; ok {
		return fmt.Errorf("%w: %w", sentinel, r.Why.As(r.Err))
	}
	return r.Why.As(r.Err)
}

// Encode writes the result.
func (r Result) Encode() ([]byte, error) { return encoding.Marshal(r) }

// DecodeResult reads what Encode wrote. It passes over fields of newer software.
func DecodeResult(b []byte) (Result, error) {
	var r Result
	if err := lenient.Unmarshal(b, &r); err != nil {
		return Result{}, fmt.Errorf("decoding result: %w", err)
	}
	return r, nil
}

// DecodeData reads the data of a result into AdoptResult, CountResult or
// ImportResult.
func DecodeData[T any](r Result) (out T, err error) {
	if err := cbor.Unmarshal(r.Data, &out); err != nil {
		return out, fmt.Errorf("decoding answer: %w", err)
	}
	return out, nil
}

// Outcome says what became of one fact of AdoptFacts.
type Outcome uint8

// The outcomes of adoption. With Adopted, Known, Refused and Rejected the fact need
// not be proposed again: the stream's mark has passed it.
const (
	Adopted   Outcome = iota + 1 // it has its place in the log
	Known                        // it had one before
	Refused                      // recorded, without effect: another message has its CAP triplet
	Rejected                     // recorded, without effect: its body cannot be read
	Gap                          // nothing happened: Want must come first
	Malformed                    // nothing happened: it is not a fact
	Reused                       // nothing happened: its place is taken by another fact
)

var outcomes = [...]string{"", "adopted", "known", "refused", "rejected", "gap", "malformed", "reused"}

// String names the outcome for logs and the audit.
func (o Outcome) String() string { return outcomes[min(int(o), len(outcomes)-1)] }

// FactOutcome is the answer to one fact.
type FactOutcome struct {
	ID       fact.ID `cbor:"1,keyasint"`
	Outcome  Outcome `cbor:"2,keyasint"`
	Want     uint64  `cbor:"3,keyasint,omitempty"` // with Gap: the sequence number that is wanted
	Alert    string  `cbor:"4,keyasint,omitempty"` // of an adopted alert message: its alert
	Revision uint64  `cbor:"5,keyasint,omitempty"`
	Targets  uint64  `cbor:"6,keyasint,omitempty"` // members addressed
	Note     string  `cbor:"7,keyasint,omitempty"` // why it was refused or rejected
}

// AdoptResult answers AdoptFacts, one outcome per fact, in order.
type AdoptResult struct {
	Facts []FactOutcome `cbor:"1,keyasint"`
}

// CountResult answers commands over many records.
type CountResult struct {
	Count uint64 `cbor:"1,keyasint"` // records changed
}

// ImportResult answers StageMembers, ActivateImport, FoldImport and DropImport.
type ImportResult struct {
	Next    uint32 `cbor:"1,keyasint"` // the chunk to stage, or the step to fold, next
	Done    bool   `cbor:"2,keyasint,omitempty"`
	Put     uint64 `cbor:"3,keyasint,omitempty"` // members written so far
	Removed uint64 `cbor:"4,keyasint,omitempty"`
}
