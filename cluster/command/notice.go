package command

import (
	"fmt"

	"almenara/storage/notice"
	"almenara/storage/rights"
)

// Limits of a chain.
const (
	MaxLevels = 10 // of a chain
	MaxPeople = 50 // that one level names
)

// PutNotice begins or changes a planned notice, with what a new version of it says. It is refused where
// somebody changed the notice since Was was read, where it is over, where it is locked and would say
// something else, and where too many are open. Notice.Index is filled in.
type PutNotice struct {
	Notice  notice.Notice   `cbor:"1,keyasint"`
	Version *notice.Version `cbor:"2,keyasint,omitempty"` // the newest one, where it is new
	Was     uint64          `cbor:"3,keyasint,omitempty"` // Index of the notice that it replaces; 0: there was none
}

// Type names the payload in the entry.
func (*PutNotice) Type() Type { return TypePutNotice }

func (p *PutNotice) check() error {
	n := p.Notice
	if err := checkID("notice", n.ID); err != nil {
		return err
	}
	if err := checkName("user", n.Author); err != nil {
		return err
	}
	if n.State < notice.Waiting || n.State > notice.Failed || n.Versions == 0 || n.Versions > notice.MaxVersions {
		return fmt.Errorf("%w: notice %s: state %d, %d versions", ErrMalformed, n.ID, n.State, n.Versions)
	}
	if levels := len(n.Levels); len(n.Acts) == 0 || int(n.Level) > levels || n.State == notice.Waiting && int(n.Level) == levels {
		return fmt.Errorf("%w: notice %s with %d acts at level %d of %d", ErrMalformed, n.ID, len(n.Acts), n.Level, levels)
	}
	if err := checkCount("acts", len(n.Acts), notice.MaxActs); err != nil {
		return err
	}
	if err := checkChain(&rights.Chain{Levels: n.Levels, Words: n.Words}); err != nil {
		return err
	}
	if err := checkTexts(n.Scenario, n.Alert); err != nil {
		return err
	}
	if err := checkActs(n); err != nil {
		return err
	}
	if v := p.Version; v != nil {
		size := len(v.Alert)
		for name, text := range v.Blanks {
			size += len(name) + len(text)
		}
		for _, group := range v.Groups {
			size += len(group)
		}
		if size > 2*notice.MaxContent || len(v.Blanks) > MaxBlanks {
			return fmt.Errorf("%w: version %d of notice %s: %d bytes with its blanks", ErrTooLarge, v.N, n.ID, size)
		}
		if v.Notice != n.ID || v.N != n.Versions {
			return fmt.Errorf("%w: version %d of notice %s is not its newest", ErrMalformed, v.N, v.Notice)
		}
		if len(v.Alert) > notice.MaxContent || len(v.Select) > MaxSelection || len(v.Reason) > notice.MaxText {
			return fmt.Errorf("%w: version %d of notice %s: %d bytes", ErrTooLarge, v.N, n.ID, len(v.Alert)+len(v.Select)+len(v.Reason))
		}
	}
	return nil
}

// checkActs bounds what was done about a notice: all of it is written with each change.
func checkActs(n notice.Notice) error {
	for _, a := range n.Acts {
		if err := checkTexts(a.By, a.Language); err != nil {
			return err
		}
		if len(a.Text) > notice.MaxText {
			return fmt.Errorf("%w: a text of %d bytes", ErrTooLarge, len(a.Text))
		}
	}
	if size := n.Size(); size > notice.MaxBytes {
		return fmt.Errorf("%w: what was done about notice %s has %d bytes", ErrTooLarge, n.ID, size)
	}
	return nil
}

// checkChain bounds what planned notices go through; nil is no chain.
func checkChain(c *rights.Chain) error {
	if c == nil {
		return nil
	}
	if len(c.Levels) == 0 {
		return fmt.Errorf("%w: a chain without levels", ErrMalformed)
	}
	if err := checkCount("levels", len(c.Levels), MaxLevels); err != nil {
		return err
	}
	if err := checkCount("sensitive words", len(c.Words), MaxWords); err != nil {
		return err
	}
	size := 0
	lines := func(all ...string) error {
		for _, line := range all {
			if size += len(line); len(line) > MaxLine || size > MaxScenario/2 {
				return fmt.Errorf("%w: a line of a chain of %d bytes, %d bytes in all", ErrTooLarge, len(line), size)
			}
		}
		return nil
	}
	for _, l := range c.Levels {
		if l.Count == 0 || l.Count > MaxApprovals || l.Role == "" && len(l.People) == 0 {
			return fmt.Errorf("%w: a level at which %d persons of the role %q pass a notice on", ErrMalformed, l.Count, l.Role)
		}
		if err := checkCount("people", len(l.People), MaxPeople); err != nil {
			return err
		}
		if err := checkCount("lines of a checklist", len(l.Checklist), MaxBlanks); err != nil {
			return err
		}
		if err := checkTexts(append([]string{l.Role, l.Title}, l.People...)...); err != nil {
			return err
		}
		if err := lines(l.Checklist...); err != nil {
			return err
		}
	}
	for _, w := range c.Words {
		if err := lines(w.Word, w.Why); err != nil {
			return err
		}
	}
	return nil
}
