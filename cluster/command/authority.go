package command

import (
	"fmt"
	"slices"

	"almenara/storage/rights"
)

// PutScenario adds or changes a scenario. The proposer has checked that its alert and
// its selection can be read.
type PutScenario struct {
	Scenario rights.Scenario `cbor:"1,keyasint"`
	// Was is the Revision of what the proposer has read: where the scenario is another one by now, it stays as it is.
	// Empty: whatever it is. Version 15.
	Was []byte `cbor:"2,keyasint,omitempty"`
}

// RemoveScenario removes a scenario. Alerts that were made from it stay.
type RemoveScenario struct {
	ID string `cbor:"1,keyasint"`
}

// PutLicence grants a licence. GrantedBy and GrantedAt are filled in. It is refused for
// an operator or a scenario that does not exist, and beyond storage.MaxLicence.
type PutLicence struct {
	Licence rights.Licence `cbor:"1,keyasint"`
}

// RevokeLicence revokes a licence for good.
type RevokeLicence struct {
	ID string `cbor:"1,keyasint"`
}

// PutPolicy replaces the policy.
type PutPolicy struct {
	Policy rights.Policy `cbor:"1,keyasint"`
}

// Type names the payload in the entry.
func (*PutScenario) Type() Type    { return TypePutScenario }
func (*RemoveScenario) Type() Type { return TypeRemoveScenario } // Type names the payload.
func (*PutLicence) Type() Type     { return TypePutLicence }     // Type names the payload.
func (*RevokeLicence) Type() Type  { return TypeRevokeLicence }  // Type names the payload.
func (*PutPolicy) Type() Type      { return TypePutPolicy }      // Type names the payload.

func (p *PutScenario) check() error {
	s := p.Scenario
	if err := checkID("scenario", s.ID); err != nil {
		return err
	}
	if s.ID == rights.AnyScenario {
		return fmt.Errorf("%w: scenario id %q stands for all scenarios", ErrMalformed, s.ID)
	}
	if err := checkName("scenario", s.Title); err != nil {
		return err
	}
	if len(s.Alert) > MaxScenario || len(s.Select) > MaxSelection {
		return fmt.Errorf("%w: scenario %s of %d bytes", ErrTooLarge, s.ID, len(s.Alert)+len(s.Select))
	}
	if len(p.Was) != 0 && len(p.Was) != rights.RevisionBytes {
		return fmt.Errorf("%w: scenario %s that was of %d bytes", ErrMalformed, s.ID, len(p.Was))
	}
	if s.Lifetime <= 0 || s.UsualMin > s.UsualMax {
		return fmt.Errorf("%w: scenario %s: lifetime or usual range", ErrMalformed, s.ID)
	}
	if err := checkDetails(s); err != nil {
		return err
	}
	if err := checkChain(s.Chain); err != nil {
		return err
	}
	return checkApprovals(s.Approvals)
}

// checkDetails bounds what a scenario says besides its alert.
func checkDetails(s rights.Scenario) error {
	if err := checkCount("blanks", len(s.Blanks), MaxBlanks); err != nil {
		return err
	}
	if err := checkCount("lines of a checklist", len(s.Checklist), MaxBlanks); err != nil {
		return err
	}
	if err := checkCount("sensitive words", len(s.Sensitive), MaxWords); err != nil {
		return err
	}
	lines, size := slices.Clone(s.Checklist), 0
	for _, b := range s.Blanks {
		if err := checkName("blank", b.Name); err != nil {
			return err
		}
		if err := checkCount("texts for a blank", len(b.Values), MaxWords); err != nil {
			return err
		}
		lines = append(append(lines, b.For), b.Values...)
	}
	for _, line := range append(lines, s.Sensitive...) {
		if size += len(line); len(line) > MaxLine || size > MaxScenario {
			return fmt.Errorf("%w: scenario %s: a line of %d bytes, %d bytes in all", ErrTooLarge, s.ID, len(line), size)
		}
	}
	return nil
}

func (p *RemoveScenario) check() error { return checkID("scenario", p.ID) }

func (p *PutLicence) check() error {
	l := p.Licence
	if err := checkID("licence", l.ID); err != nil {
		return err
	}
	if err := checkName("user", l.Operator); err != nil {
		return err
	}
	if l.Place == "" || len(l.Scenarios) == 0 || l.Until <= 0 {
		return fmt.Errorf("%w: licence %s needs a place, scenarios and an end", ErrMalformed, l.ID)
	}
	if err := checkCount("scenarios", len(l.Scenarios), MaxRules); err != nil {
		return err
	}
	return checkTexts(append(l.Scenarios, l.Place)...)
}

func (p *RevokeLicence) check() error { return checkID("licence", p.ID) }

func (p *PutPolicy) check() error {
	if err := checkCount("rules", len(p.Policy.Rules), MaxRules); err != nil {
		return err
	}
	if err := checkCount("roles", len(p.Policy.Approvers), MaxRules); err != nil {
		return err
	}
	for _, r := range p.Policy.Rules {
		if err := checkApprovals(r.Approvals); err != nil {
			return err
		}
		if r.Share > 100 {
			return fmt.Errorf("%w: a rule for %d percent of the district", ErrMalformed, r.Share)
		}
		if err := checkTexts(r.Severity, r.Urgency, r.Scenario); err != nil {
			return err
		}
	}
	if err := checkChain(p.Policy.Chain); err != nil {
		return err
	}
	return checkTexts(p.Policy.Approvers...)
}

func checkApprovals(n uint32) error {
	if n > MaxApprovals {
		return fmt.Errorf("%w: %d approvals, at most %d", ErrTooLarge, n, MaxApprovals)
	}
	return nil
}
