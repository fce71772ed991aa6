package check

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"almenara/channels/contract"
)

var stopping = []line{
	{"7.3", "stops when it has ended", tryCancel, false},
	{"7.1", "does not show what ended before it came", tryCancelFirst, false},
	{"4.4", "does not show an update of what was cancelled", tryCancelled, false},
	{"4.4", "shows what follows the end of a drill", tryDrillOver, false},
	{"7.3", "stops when its time is over, without a word", tryExpires, false},
	{"7.1", "does not show what is over when it comes", tryExpired, false},
	{"5", "goes by the district's time, not its own", tryClockOfDistrict, false},
	{"7.3", "does not stop where manifests do not mention it", trySilence, false},
	{"7.3", "obeys an old manifest in what it ends or replaces", tryOldWord, false},
	{"7.1", "does not show what only an old manifest lists", tryReplay, false},
}

func tryCancel(ctx context.Context, c *Check) error {
	b := c.district.body("To be cancelled")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.end(b, contract.WhyCancelled)
	c.sendManifest()
	return c.must(ctx, b, contract.RungCancelled)
}

func tryCancelFirst(ctx context.Context, c *Check) error {
	b := c.district.body(wrong, func(b *contract.Body) { b.Time = c.district.now().Add(time.Minute) })
	c.end(b, contract.WhyCancelled)
	c.sendManifest()
	c.pause(ctx, c.o.Settle) // who takes messages beside each other may take the body first
	c.sendBody(b)
	return c.never(ctx, b)
}

func tryCancelled(ctx context.Context, c *Check) error {
	b := c.district.body("To be cancelled")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.end(b, contract.WhyCancelled)
	c.sendManifest()
	u := next(b, wrong)
	c.show(u)
	return c.never(ctx, u)
}

func tryDrillOver(ctx context.Context, c *Check) error {
	b := c.district.body("A drill", func(b *contract.Body) { b.Status, b.Tier, b.Sound = "Exercise", contract.TierDrill, "drill" })
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.end(b, contract.WhyDrillOver)
	c.sendManifest()
	if err := c.must(ctx, b, contract.RungCancelled); err != nil {
		return err
	}
	real := next(b, "The real thing")
	real.Status, real.Tier, real.Sound = "Actual", contract.TierEmergency, "siren"
	return c.shown(ctx, real)
}

func tryExpires(ctx context.Context, c *Check) error {
	const life = 6 * time.Second
	b := c.district.body("Gone in 6 seconds", func(b *contract.Body) { b.Expires = c.district.now().Add(life) })
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.unlist(b) // a node does not list it any more, nor its end
	if err := c.mustWithin(ctx, life+c.o.Within, b, contract.RungCancelled); err != nil {
		return err
	}
	if early := b.Expires.Sub(c.district.now()); early > time.Second {
		return fmt.Errorf("it went %.1f s too early", early.Seconds())
	}
	return nil
}

func tryExpired(ctx context.Context, c *Check) error {
	b := c.district.body(wrong, func(b *contract.Body) {
		b.Time, b.Expires = c.district.now().Add(-3*time.Hour), c.district.now().Add(-2*time.Hour)
	})
	c.show(b)
	return c.never(ctx, b)
}

func tryClockOfDistrict(ctx context.Context, c *Check) error {
	b := c.district.body(wrong, func(b *contract.Body) { b.Expires = c.district.now().Add(-time.Second) })
	c.show(b)
	return c.never(ctx, b)
}

func trySilence(ctx context.Context, c *Check) error {
	b := c.district.body("This stays")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.unlist(b)
	c.sendManifest()
	c.sendManifest()
	if err := c.once(ctx, b); err != nil {
		return err
	}
	err := c.reconnect(ctx)
	if err == nil {
		err = c.once(ctx, b)
	}
	c.list(b) // to be cleaned away
	return err
}

func tryOldWord(ctx context.Context, c *Check) error {
	ended, replaced := c.district.body("To be ended by an old manifest"), c.district.body("To be replaced by one")
	if err := cmp.Or(c.shown(ctx, ended), c.shown(ctx, replaced)); err != nil {
		return err
	}
	c.district.mu.Lock()
	m := c.district.manifest()
	c.district.mu.Unlock()
	m.Version -= 1000
	m.InForce = []contract.InForce{{ID: replaced.Alert, Revision: replaced.Revision + 1, Digest: "for others", Expires: replaced.Expires}}
	m.Ended = append(m.Ended, contract.Ended{ID: ended.Alert, Revision: ended.Revision, At: m.Time, Why: contract.WhyCancelled, Expires: ended.Expires})
	c.gateway.Send(contract.TopicNow, c.signed(m), false)
	return cmp.Or(c.must(ctx, ended, contract.RungCancelled), c.must(ctx, replaced, contract.RungCancelled))
}

func tryReplay(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	c.list(b)
	c.district.mu.Lock()
	m := c.district.manifest() // is not sent now
	c.district.mu.Unlock()
	c.unlist(b)
	c.sendManifest()
	c.sendBody(b)
	c.pause(ctx, c.o.Settle)
	c.gateway.Send(contract.TopicNow, c.signed(m), false)
	return c.never(ctx, b)
}
