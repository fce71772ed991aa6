package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/check/gateway"
)

var commanding = []line{
	{"4.5", "tells what a silent test came to", trySilentTest, false},
	{"4.5", "tries nothing while it shows an alert", tryTestBusy, false},
}

// test sends a test, and waits for what the device says that it came to; errNotSeen where it says nothing.
func (c *Check) test(ctx context.Context) (told contract.Tested, err error) {
	c.district.mu.Lock()
	now, id := c.district.now(), randomID()
	c.district.mu.Unlock()
	c.gateway.Send(contract.TopicCommand(c.o.ID), c.signed(contract.Command{ID: id, Do: contract.DoTest, Time: now, Expires: now.Add(time.Minute)}), false)
	err = errNotSeen
	c.gateway.Await(ctx, c.o.Within, func(s *gateway.Seen) bool {
		at := slices.IndexFunc(s.States, func(state contract.State) bool { return state.Tested != nil && state.Tested.ID == id })
		if at >= 0 {
			told, err = *s.States[at].Tested, nil
		}
		return at >= 0
	})
	return told, err
}

// trySilentTest holds that a test says whether the device works. One that hands messages over side by
// side may still show what the line before sent: where it says busy, it is asked again until it had the time to stop.
func trySilentTest(ctx context.Context, c *Check) error {
	t, err := c.test(ctx)
	for until := c.o.Clock().Add(c.o.Within); err == nil && t.Result == contract.TestBusy && c.o.Clock().Before(until); {
		c.pause(ctx, c.o.Settle)
		t, err = c.test(ctx)
	}
	if passed := t.Result == contract.TestPassed; err == nil && (passed != (len(t.Exercised) > 0) && t.Result != contract.TestFailed ||
		!passed && t.Result != contract.TestFailed && t.Result != contract.TestUnproven) {
		return fmt.Errorf("it says %.40q of a test while it shows nothing, and that %.80q was exercised", t.Result, t.Exercised)
	}
	return err
}

// tryTestBusy holds that a test leaves alone what is shown.
func tryTestBusy(ctx context.Context, c *Check) error {
	b := c.district.body("This stays while it is tested")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	if t, err := c.test(ctx); err != nil {
		return err
	} else if t.Result != contract.TestBusy {
		return fmt.Errorf("it says %.40q of a test, and shows an alert meanwhile", t.Result)
	}
	return c.once(ctx, b)
}
