package device

import (
	"fmt"

	"almenara/channels/device/rules"
)

// PowerCut does to the device what a power cut of its box does: only what was stored is left, the
// screen is dark, and the connection is gone without a word. The device goes on as it would with
// power again. What Present is just doing is not interrupted.
func PowerCut(d *Device) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	raw, err := d.rules.Export()
	if err != nil {
		return fmt.Errorf("cutting the power of device %s: %w", d.options.ID, err)
	}
	left, err := rules.Import(raw)
	if err != nil {
		return fmt.Errorf("cutting the power of device %s: %w", d.options.ID, err)
	}
	d.rules, d.effects = left, nil
	d.past.CutPower(d.ring, d.options.Clock())
	if d.link != nil {
		d.link.End()
	}
	return nil
}
