package broker

import (
	"context"
	"errors"
	"fmt"

	"almenara/channels/contract"
)

// commandsMost is how many commands wait for the link at a time.
const commandsMost = 1024

// What Command returns when nothing was handed over.
var (
	ErrNotThere = errors.New("device is not at the broker, as far as this node knows")
	ErrBusy     = errors.New("too many commands wait for the broker")
)

// command is one signed command that waits to be handed to the broker.
type command struct {
	device  string
	payload []byte
	handed  chan error // has room for the outcome
}

// Command hands a signed command for a device to the broker with QoS 1. nil says that it was written to
// the broker: nobody learns whether the device gets it, but by what the device tells. ErrNotThere and
// ErrBusy say that it was not; when ctx ends first, the outcome is unknown. Only the node that publishes for
// the district sends commands.
func (b *Broker) Command(ctx context.Context, device string, payload []byte) error {
	c := &command{device: device, payload: payload, handed: make(chan error, 1)}
	b.mu.Lock()
	err := error(nil)
	switch {
	case !b.elected || !b.status.Connected || !b.ledger.There(device):
		err = ErrNotThere
	case len(b.commands) >= commandsMost:
		err = ErrBusy
	default:
		b.commands = append(b.commands, c)
	}
	b.mu.Unlock()
	if err == nil {
		b.wake()
		select {
		case err = <-c.handed:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("commanding device %s: %w", device, err)
	}
	return nil
}

// command publishes what waits. It returns the error that ends the link.
func (l *link) command(ctx context.Context, waiting []*command) error {
	for i, c := range waiting {
		err := l.publish(ctx, contract.TopicCommand(c.device), false, c.payload)
		c.handed <- err
		if err != nil {
			for _, later := range waiting[i+1:] {
				later.handed <- err
			}
			return err
		}
	}
	return nil
}

// dropCommands answers those that wait: there is no link. mu is held.
func (b *Broker) dropCommands() {
	for _, c := range b.commands {
		c.handed <- ErrNotThere
	}
	b.commands = nil
}
