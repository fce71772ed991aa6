package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/check/gateway"
)

var keeping = []line{
	{"2.4", "goes to another node when one is lost", tryOtherNode, false},
	{"8", "tells again, with its seq, what was not acknowledged", tryUnacknowledged, false},
	{"4.8", "numbers its connections in its state", trySessions, false},
	{"7.5", "shows again after a power cut what is in force", tryPower, false},
	{"7.5", "remembers an end over a power cut", tryPowerEnd, false},
	{"8", "publishes nothing that is not as the schemas say", tryFaults, false},
}

func tryOtherNode(ctx context.Context, c *Check) error {
	if c.gateway.Nodes() < 2 {
		return errNotSeen
	}
	b := c.district.body("At two nodes")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	from := 0
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool { from = s.Connects[len(s.Connects)-1].Node; return true })
	c.gateway.Down(from)
	c.district.mu.Lock()
	c.district.node = 1 // another node signs with another key
	c.district.mu.Unlock()
	if err := c.reconnect(ctx); err != nil {
		return err
	}
	return c.once(ctx, b)
}

func tryUnacknowledged(ctx context.Context, c *Check) error {
	c.pause(ctx, time.Second+c.o.Settle) // for what is still to be told of the line before
	c.gateway.Withhold(true)
	b := c.district.body("Is this told twice?")
	if err := c.shown(ctx, b); err != nil {
		// Who sends one packet at a time gets no further than the first.
		if err := c.must(ctx, b, contract.RungVerified); err != nil {
			return err
		}
	}
	var first gateway.Told
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool { first = s.Of(b, contract.RungVerified)[0]; return true })
	c.gateway.Withhold(false)
	if err := c.reconnect(ctx); err != nil {
		return err
	}
	again := c.gateway.Await(ctx, c.o.Within, func(s *gateway.Seen) bool {
		for _, r := range s.Of(b, contract.RungVerified) {
			if r.Connection > first.Connection && r.Seq == first.Seq {
				return true
			}
		}
		return false
	})
	if !again {
		return fmt.Errorf("the receipt with seq %d does not come again", first.Seq)
	}
	return c.must(ctx, b, contract.RungPresented)
}

func trySessions(ctx context.Context, c *Check) (err error) {
	if err := c.reconnect(ctx); err != nil {
		return err
	}
	c.pause(ctx, c.o.Settle)
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		if len(s.States) == 0 {
			err = errNotSeen
			return true
		}
		last := s.States[0]
		for _, state := range s.States {
			if state.Session < last.Session {
				err = fmt.Errorf("session %d came after %d", state.Session, last.Session)
			}
			last = state
		}
		if last.Session == s.States[0].Session {
			err = errors.New("it has the same session on every connection")
		}
		if will := s.Connects[len(s.Connects)-1].Will; will != nil && err == nil {
			if session, _ := gateway.WillSession(will.Payload); session != last.Session {
				err = fmt.Errorf("the will has session %d and the state %d", session, last.Session)
			}
		}
		return true
	})
	return err
}

// cut cuts the power and waits for the device.
func (c *Check) cut(ctx context.Context) error {
	before := 0
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool { before = len(s.Connects); return true })
	if err := c.o.Power(ctx); err != nil {
		return fmt.Errorf("cutting the power: %w", err)
	}
	if !c.gateway.Await(ctx, 5*time.Minute, func(s *gateway.Seen) bool { return len(s.Connects) > before && s.Subscribed }) {
		return errors.New("it does not come back within 5 minutes")
	}
	return nil
}

func tryPower(ctx context.Context, c *Check) error {
	if c.o.Power == nil {
		return errNotSeen
	}
	stays, ends := c.district.body("This comes back"), c.district.body("This does not come back")
	for _, b := range []contract.Body{stays, ends} {
		if err := c.shown(ctx, b); err != nil {
			return err
		}
	}
	c.silent(true)
	c.end(ends, contract.WhyCancelled)
	c.silent(false)
	if err := c.cut(ctx); err != nil {
		return err
	}
	if err := c.must(ctx, ends, contract.RungCancelled); err != nil {
		return fmt.Errorf("of what ended meanwhile: %w", err)
	}
	return c.once(ctx, stays)
}

func tryPowerEnd(ctx context.Context, c *Check) error {
	if c.o.Power == nil {
		return errNotSeen
	}
	b := c.district.body(wrong)
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.end(b, contract.WhyCancelled)
	c.sendManifest()
	if err := c.must(ctx, b, contract.RungCancelled); err != nil {
		return err
	}
	c.district.mu.Lock()
	ended := c.district.ended
	c.district.ended = nil // another node may not know of it
	c.district.mu.Unlock()
	err := c.cut(ctx)
	if err == nil {
		c.show(b)
		err = c.never(ctx)
	}
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		list := s.Of(b, contract.RungPresented)
		for _, r := range list {
			if !r.At.Equal(list[0].At) {
				err = fmt.Errorf("it is shown again, at %s", clock(r.At))
			}
		}
		return true
	})
	c.district.mu.Lock()
	c.district.ended = append(ended, c.district.ended...)
	c.district.mu.Unlock()
	return err
}

func tryFaults(ctx context.Context, c *Check) (err error) {
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		if len(s.Faults) > 0 {
			err = fmt.Errorf("%s", s.Faults[0])
		}
		return true
	})
	return err
}
