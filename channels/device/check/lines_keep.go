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
	{"7.5", "tells nothing of what no node has confirmed since a power cut", tryPowerAlone, false},
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
	if !c.gateway.Await(ctx, c.o.Within, func(s *gateway.Seen) bool { return s.CameAgain(b, first) }) {
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
		err = s.Sessions()
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
		if first, again := s.BeganAgain(b); !again.IsZero() {
			err = fmt.Errorf("it is shown at %s, and again at %s", clock(first), clock(again))
		}
		return true
	})
	c.district.mu.Lock()
	c.district.ended = append(ended, c.district.ended...)
	c.district.mu.Unlock()
	return err
}

// tryPowerAlone cuts the power of a device that shows an alert, and gives it a connection without a manifest for a while:
// whether it shows the alert then, after 5 s, is its own affair, but it presents and tells nothing. Its end comes after.
func tryPowerAlone(ctx context.Context, c *Check) (err error) {
	if c.o.Power == nil {
		return errNotSeen
	}
	b := c.district.body("Nobody confirms this")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.pause(ctx, c.o.Settle)
	told, states := 0, 0
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool { told, states = len(s.Receipts), len(s.States); return true })
	c.silent(true)
	if err := c.cut(ctx); err != nil {
		return err
	}
	c.pause(ctx, 7*time.Second)
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		if rung := s.ToldAnew(b, told); rung != "" {
			err = fmt.Errorf("it tells %s without a manifest", rung)
		}
		if yes, _ := s.Presenting(b.Alert); yes && len(s.States) > states {
			err = errors.New("the state says that it is shown, without a manifest")
		}
		return true
	})
	c.end(b, contract.WhyCancelled)
	c.silent(false)
	c.sendManifest()
	return errors.Join(err, c.must(ctx, b, contract.RungCancelled))
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
