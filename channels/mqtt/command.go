package mqtt

import (
	"context"
	"errors"
	"fmt"

	"almenara/channels/contract"
	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/packet"
)

// What Command returns when nothing was sent, or when the device refused.
var (
	ErrNotConnected  = errors.New("device is not connected")
	ErrNotSubscribed = errors.New("device has not subscribed to its commands")
	ErrBusy          = errors.New("device has not acknowledged what it was sent")
	ErrRefused       = errors.New("device refused the message")
)

// Command sends a signed command to a device of this node with QoS 1 and returns
// nil when the device has acknowledged it. ErrNotSubscribed and ErrBusy say that
// it was not sent, and so does ErrNotConnected, unless the connection was lost
// while it was under way. When ctx ends first, the outcome is unknown.
func (g *Gateway) Command(ctx context.Context, device string, payload []byte) error {
	s := g.shardOf(device).get(device)
	if s == nil {
		return fmt.Errorf("commanding device %s: %w", device, ErrNotConnected)
	}
	done := make(chan error, 1)
	err := s.command(payload, done)
	if err == nil {
		select {
		case err = <-done:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("commanding device %s: %w", device, err)
	}
	return nil
}

func (s *session) command(payload []byte, done chan<- error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := packet.Outgoing{Topic: [3]string{s.to.Prefix(), contract.LeafCommand}, QoS: 1, Payload: payload}
	switch {
	case s.ended:
		return ErrNotConnected
	case s.to.QoSOf(contract.LeafCommand) < 1:
		return ErrNotSubscribed
	case s.to.WindowFull() || s.out.Pending() > 0:
		return ErrBusy
	case !s.to.Fits(&o):
		s.g.metrics.Deliveries[metrics.TooLarge].Inc()
		return fmt.Errorf("%w: it exceeds the device's maximum packet size", ErrRefused)
	}
	o.ID = s.to.Add(delivery.InFlight{Done: done})
	s.put(o.Append(nil, s.v5))
	return nil
}
