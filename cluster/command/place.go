package command

import (
	"fmt"

	"almenara/storage/audience"
	"almenara/storage/member"
)

// ChangePlace changes one place that is still what its proposer has read; a place that has changed meanwhile
// stays as it is. Where Place has another path, all that is in the place goes there with it, places and members,
// in this one entry: it is refused where something is there already, where what goes is more than PutMembers
// may write, and while an import is folded in. A place is removed only where nothing is in it.
type ChangePlace struct {
	Path  audience.Path   `cbor:"1,keyasint,omitempty"` // as it is; "": Place is new
	Was   []byte          `cbor:"2,keyasint,omitempty"` // member.PlaceRecord.PlaceState of what was read; empty: there was none
	Place *audience.Place `cbor:"3,keyasint,omitempty"` // as it is from now on; nil: removed
}

// Type names the payload in the entry.
func (*ChangePlace) Type() Type { return TypeChangePlace }

func (p *ChangePlace) check() error {
	if p.Path == "" && p.Place == nil || p.Place != nil && p.Place.Path == "" {
		return fmt.Errorf("%w: a change of no place", ErrMalformed)
	}
	if len(p.Was) != 0 && len(p.Was) != member.PlaceStateBytes || p.Path == "" && len(p.Was) != 0 {
		return fmt.Errorf("%w: a place that was of %d bytes", ErrMalformed, len(p.Was))
	}
	for _, path := range p.paths() {
		if _, err := audience.ParsePath(string(path)); err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return nil
}

func (p *ChangePlace) paths() (out []audience.Path) {
	if p.Path != "" {
		out = append(out, p.Path)
	}
	if p.Place != nil {
		out = append(out, p.Place.Path)
	}
	return out
}
