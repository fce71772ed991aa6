package command

import (
	"fmt"

	"almenara/storage/personal"
)

// PersonalSince is the first version that has these commands, and facts and audit lines that have lost words.
const PersonalSince = 12

// ErasePerson erases a member with its devices: a pseudonym stands in its place. What was recorded of it is
// searched by EraseTraces. It is refused while a file of members is being imported, which would bring the
// member back.
type ErasePerson struct {
	Member    string `cbor:"1,keyasint"`
	Pseudonym string `cbor:"2,keyasint"` // new, and random: see personal.CheckPseudonym
	Word      string `cbor:"3,keyasint"` // on whose word, for the audit
}

// EraseTraces takes the next step of searching what was recorded of an erased person. A step that was taken
// before is passed over.
type EraseTraces struct {
	Pseudonym string `cbor:"1,keyasint"`
	Step      uint32 `cbor:"2,keyasint"`
	// Answers has the answers to alerts searched, too, also of who was erased before that was done. Version 16.
	Answers bool `cbor:"3,keyasint,omitempty"`
}

// PutRetention sets how long what is known of people is kept. By and At are filled in.
type PutRetention struct {
	Retention personal.Retention `cbor:"1,keyasint"`
}

// RemoveOld removes the next of what is older than Before. It is refused where the district keeps what is that
// old.
type RemoveOld struct {
	What   personal.What `cbor:"1,keyasint"`
	Before int64         `cbor:"2,keyasint"` // ms since 1970
}

// Pad does nothing. Enough of them move the log on, so that what stands before them leaves the disks.
type Pad struct {
	Zeros []byte `cbor:"1,keyasint"`
}

// MaxPad bounds the bytes of a Pad.
const MaxPad = 64 << 10

func (*ErasePerson) Type() Type  { return TypeErasePerson }  // Type names the payload.
func (*EraseTraces) Type() Type  { return TypeEraseTraces }  // Type names the payload.
func (*PutRetention) Type() Type { return TypePutRetention } // Type names the payload.
func (*RemoveOld) Type() Type    { return TypeRemoveOld }    // Type names the payload.
func (*Pad) Type() Type          { return TypePad }          // Type names the payload.

func (p *ErasePerson) check() error {
	if err := checkID("member", p.Member); err != nil {
		return err
	}
	if len(p.Word) == 0 || len(p.Word) > personal.MaxWord {
		return fmt.Errorf("%w: on whose word, of %d bytes", ErrMalformed, len(p.Word))
	}
	return checkPseudonym(p.Pseudonym)
}

func (p *EraseTraces) check() error { return checkPseudonym(p.Pseudonym) }

func checkPseudonym(pseudonym string) error {
	if err := personal.CheckPseudonym(pseudonym); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

func (p *PutRetention) check() error {
	if err := p.Retention.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

func (p *RemoveOld) check() error {
	if p.What < personal.OldPositions || p.What > personal.OldNotices || p.Before <= 0 {
		return fmt.Errorf("%w: removing %d before %d", ErrMalformed, p.What, p.Before)
	}
	return nil
}

func (p *Pad) check() error {
	if len(p.Zeros) > MaxPad {
		return fmt.Errorf("%w: padding of %d bytes", ErrTooLarge, len(p.Zeros))
	}
	return nil
}

// SearchResult answers EraseTraces and RemoveOld.
type SearchResult struct {
	Done  bool   `cbor:"1,keyasint,omitempty"` // there is no next step
	Step  uint32 `cbor:"2,keyasint,omitempty"` // of EraseTraces: the next
	Count uint64 `cbor:"3,keyasint,omitempty"` // of RemoveOld: that were removed by this entry
}
