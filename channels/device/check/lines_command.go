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
	seen := c.gateway.Await(ctx, c.o.Within, func(s *gateway.Seen) bool {
		at := slices.IndexFunc(s.States, func(state contract.State) bool { return state.Tested != nil && state.Tested.ID == id })
		if at >= 0 {
			told = *s.States[at].Tested
		}
		return at >= 0
	})
	if !seen {
		return told, errNotSeen
	}
	return told, nil
}

// trySilentTest holds that a test says whether the device works.
func trySilentTest(ctx context.Context, c *Check) error {
	c.gateway.Await(ctx, c.o.Within, func(s *gateway.Seen) bool { // what the line before showed is gone
		return len(s.States) > 0 && len(s.States[len(s.States)-1].Presenting) == 0
	})
	t, err := c.test(ctx)
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
	t, err := c.test(ctx)
	if err == nil && t.Result != contract.TestBusy {
		return fmt.Errorf("it says %.40q of a test, and shows an alert meanwhile", t.Result)
	}
	if err != nil {
		return err
	}
	return c.once(ctx, b)
}
