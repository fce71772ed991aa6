package device

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"almenara/channels/contract"
)

// ErrNotConnected is returned by Forge while the device is connected to no node.
var ErrNotConnected = errors.New("device is not connected")

// Forge publishes receipts that the device never came to, on the receipt topic of as, which may be
// another device: what a broken device does, or a secret in the wrong hands. Nothing of it is
// remembered or sent again. It returns when the node has answered; for a topic that is not the
// device's own that is the end of the connection, and an error.
func Forge(ctx context.Context, d *Device, as string, forged []contract.Receipt) error {
	d.mu.Lock()
	l := d.link
	ready := l != nil && l.served
	d.mu.Unlock()
	if !ready {
		return ErrNotConnected
	}
	raw, err := json.Marshal(forged)
	if err != nil {
		return fmt.Errorf("encoding forged receipts: %w", err)
	}
	if err := l.Wait(ctx, l.Client.Publish(contract.TopicReceipt(as), 1, false, raw), d.options.Timeout); err != nil {
		return fmt.Errorf("publishing forged receipts: %w", err)
	}
	return nil
}
