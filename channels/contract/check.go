package contract

import (
	"errors"
	"fmt"
)

// errIncomplete is the reason why a payload can be neither signed nor obeyed.
var errIncomplete = errors.New("incomplete payload")

// check demands what a device needs to place the manifest: who signed it, when,
// and which of that node's it is.
func (m Manifest) check() error {
	if m.Time.IsZero() || m.Node == "" || m.Version == 0 {
		return fmt.Errorf("%w: manifest without time, node or version", errIncomplete)
	}
	if whole := m.Page == 0 && m.Pages == 0; !whole && (m.Pages < 2 || m.Pages > MaxPages || m.Page < 1 || m.Page > m.Pages) {
		return fmt.Errorf("%w: manifest is page %d of %d", errIncomplete, m.Page, m.Pages)
	}
	for _, in := range m.InForce {
		if !ValidDeviceID(in.ID) || in.Revision == 0 || in.Expires.IsZero() {
			return fmt.Errorf("%w: manifest lists %.70q without revision or expires", errIncomplete, in.ID)
		}
	}
	for _, end := range m.Ended {
		if !ValidDeviceID(end.ID) {
			return fmt.Errorf("%w: manifest ends %.70q", errIncomplete, end.ID)
		}
	}
	return nil
}

// check demands identity and end of life. An alert that never expires cannot be
// stopped on a device that has lost its node.
func (b Body) check() error {
	if !ValidDeviceID(b.Alert) || b.Revision == 0 || b.Time.IsZero() || b.Expires.IsZero() {
		return fmt.Errorf("%w: body of %.70q without revision, time or expires", errIncomplete, b.Alert)
	}
	return nil
}

// check demands that a command can be told from an earlier one, and runs out.
func (c Command) check() error {
	if c.ID == "" || c.Time.IsZero() || c.Expires.IsZero() {
		return fmt.Errorf("%w: command without id, time or expires", errIncomplete)
	}
	return nil
}

// check demands a time, so that rings can be told apart.
func (k KeyRing) check() error {
	if k.Time.IsZero() {
		return fmt.Errorf("%w: key ring without time", errIncomplete)
	}
	return nil
}
