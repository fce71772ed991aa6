package check

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/check/gateway"
)

// wrong is what people read on a device that fails.
const wrong = "THIS MUST NOT BE SHOWN"

var connecting = []line{
	{"2.3", "connects with a clean session and a keep alive", tryConnects, false},
	{"3", "subscribes to its own topics, at QoS 1", trySubscribes, false},
}

var starting = []line{
	{"7.1", "shows what a manifest lists", tryShows, true},
	{"8", "tells verified, then presented", tryTells, false},
	{"8", "tells them by the district's time, with seq", tryTellsWhen, false},
	{"7.1", "waits for the manifest that lists a body", tryWaits, false},
	{"7.1", "shows a body that is newer than the manifest", tryNewer, false},
	{"7.1", "shows nothing before the manifest of a connection", tryManifestFirst, false},
	{"7.1", "shows no other content than the one that is listed", tryDigest, false},
	{"4.3", "waits for all pages of a manifest", tryPages, false},
	{"7.1", "begins nothing twice when a body comes again", tryTwice, false},
	{"7.1", "begins nothing twice on the next connection", tryTwiceAcross, false},
	{"7.4", "shows two alerts at once", tryTwo, false},
	{"4.1", "leaves unknown members and words alone", tryUnknown, false},
}

var replacing = []line{
	{"7.2", "shows an update in the place of what it updates", tryUpdate, false},
	{"7.1", "shows nothing below a revision that was shown", tryBelow, false},
	{"7.2", "keeps what was replaced for 5 s without the update", trySuperseded, false},
}

var looking = []line{
	{"7.4", "verifies tests and does not show them", tryTest, false},
	{"7.4", "does not show a status that is not for devices", tryStatus, false},
	{"7.4", "shows a drill that asks for a siren as a drill", tryDrill, false},
}

func tryConnects(ctx context.Context, c *Check) (err error) {
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		last := s.Connects[len(s.Connects)-1]
		switch {
		case len(s.Faults) > 0:
			err = fmt.Errorf("%s", s.Faults[0])
		case !last.Clean:
			err = fmt.Errorf("it asks for a session that is kept")
		case last.KeepAlive == 0:
			err = fmt.Errorf("its keep alive is 0: a dead connection would go unnoticed")
		case last.Will != nil:
			if _, state := gateway.WillSession(last.Will.Payload); state != contract.StateLost {
				err = fmt.Errorf("its will does not say lost")
			}
		}
		return true
	})
	return err
}

func trySubscribes(ctx context.Context, c *Check) (err error) {
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		if s.Weak {
			err = fmt.Errorf("it subscribes to its own topics at QoS 0")
		}
		return true
	})
	return err
}

func tryShows(ctx context.Context, c *Check) error {
	return c.shown(ctx, c.district.body("Is this shown?"))
}

func tryTells(ctx context.Context, c *Check) (err error) {
	b := c.district.body("Is this told?")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		if !s.Has(b, contract.RungVerified) {
			err = fmt.Errorf("it tells presented without verified")
		} else if s.Of(b, contract.RungVerified)[0].Seq > s.Of(b, contract.RungPresented)[0].Seq {
			err = fmt.Errorf("it tells verified after presented")
		}
		if len(s.Faults) > 0 {
			err = fmt.Errorf("%s", s.Faults[0])
		}
		return true
	})
	return err
}

func tryTellsWhen(ctx context.Context, c *Check) (err error) {
	b := c.district.body("What is the time?")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	now := c.district.now()
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		if at := s.Of(b, contract.RungPresented)[0].At; at.Sub(now).Abs() > 20*time.Second {
			err = fmt.Errorf("it says %s where the district's time is %s", clock(at), clock(now))
		}
		byNumber := map[uint64]contract.Receipt{}
		for _, r := range s.Receipts {
			if other, twice := byNumber[r.Seq]; twice && (other.Alert != r.Alert || other.Rung != r.Rung) {
				err = fmt.Errorf("two receipts have the seq %d", r.Seq)
			}
			byNumber[r.Seq] = r.Receipt
		}
		return true
	})
	return err
}

func tryWaits(ctx context.Context, c *Check) error {
	b := c.district.body("Not before it is listed")
	c.sendBody(b)
	if err := c.never(ctx, b); err != nil {
		return err
	}
	c.list(b)
	c.sendManifest()
	return c.must(ctx, b, contract.RungPresented)
}

func tryNewer(ctx context.Context, c *Check) error {
	c.silent(true)
	c.sendManifest()
	b := c.district.body("Newer than the manifest", func(b *contract.Body) { b.Time = c.district.now().Add(50 * time.Millisecond) })
	c.sendBody(b)
	return c.must(ctx, b, contract.RungPresented)
}

func tryManifestFirst(ctx context.Context, c *Check) error {
	b := c.district.body("Not before the manifest")
	c.list(b)
	c.sendManifest()
	c.silent(true)
	if err := c.reconnect(ctx); err != nil {
		return err
	}
	c.sendBody(b)
	newer := c.district.body(wrong, func(b *contract.Body) { b.Time = c.district.now() })
	c.sendBody(newer)
	if err := c.quiet(ctx, b, newer); err != nil {
		return err
	}
	c.sendManifest()
	return c.must(ctx, b, contract.RungPresented)
}

func tryDigest(ctx context.Context, c *Check) error {
	b := c.district.body("The one that is listed")
	other := b
	other.Digest = "another"
	c.list(b)
	c.sendManifest()
	c.sendBody(other)
	if err := c.never(ctx, b); err != nil {
		return err
	}
	c.sendBody(b)
	return c.must(ctx, b, contract.RungPresented)
}

func tryPages(ctx context.Context, c *Check) error {
	c.silent(true)
	b := c.district.body("On the first of two pages")
	c.sendBody(b)
	c.district.mu.Lock()
	m := c.district.manifest()
	c.district.mu.Unlock()
	m.Page, m.Pages, m.InForce = 1, 2, []contract.InForce{entry(b)}
	c.gateway.Send(contract.TopicNow, c.signed(m), false)
	if err := c.quiet(ctx, b); err != nil {
		return err
	}
	m.Page, m.InForce, m.Ended = 2, []contract.InForce{}, []contract.Ended{}
	c.gateway.Send(contract.TopicNow, c.signed(m), false)
	err := c.must(ctx, b, contract.RungPresented)
	c.list(b)
	return err
}

func tryTwice(ctx context.Context, c *Check) error {
	b := c.district.body("Once")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.sendBody(b)
	c.sendManifest()
	c.sendBody(b)
	return c.once(ctx, b)
}

func tryTwiceAcross(ctx context.Context, c *Check) error {
	b := c.district.body("Once")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	if err := c.reconnect(ctx); err != nil {
		return err
	}
	return c.once(ctx, b)
}

func tryTwo(ctx context.Context, c *Check) error {
	one, other := c.district.body("One of two"), c.district.body("The other of two")
	if err := c.shown(ctx, one); err != nil {
		return err
	}
	if err := c.shown(ctx, other); err != nil {
		return err
	}
	if err := c.once(ctx, one); err != nil {
		return err
	}
	return c.once(ctx, other)
}

func tryUnknown(ctx context.Context, c *Check) error {
	b := c.district.body("With members of a later version", func(b *contract.Body) { b.Sound, b.Tier = "later", "later" })
	raw, err := json.Marshal(b)
	must(err)
	var members map[string]any
	must(json.Unmarshal(raw, &members))
	members["later"] = map[string]any{"a": 1}
	c.list(b)
	c.sendManifest()
	c.send(b, forge(c.district.nodes[0].Key, c.district.header(contract.TypeBody), members))
	return c.must(ctx, b, contract.RungPresented)
}

func tryUpdate(ctx context.Context, c *Check) error {
	b := c.district.body("To be updated")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	u := next(b, "Updated")
	if err := c.shown(ctx, u); err != nil {
		return err
	}
	if err := c.must(ctx, b, contract.RungCancelled); err != nil {
		return fmt.Errorf("of the old revision: %w", err)
	}
	return c.once(ctx, u)
}

func tryBelow(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	u := next(b, "The update came first")
	if err := c.shown(ctx, u); err != nil {
		return err
	}
	c.sendBody(b)
	c.pause(ctx, c.o.Settle)
	var err error
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		if s.Has(b, contract.RungPresented) {
			err = fmt.Errorf("it is shown")
		}
		return true
	})
	return err
}

func trySuperseded(ctx context.Context, c *Check) error {
	b := c.district.body("Gone in 5 seconds")
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.silent(true) // the heartbeat would only repeat it
	c.list(next(b, "never sent"))
	begun := c.district.now()
	c.sendManifest()
	if err := c.mustWithin(ctx, 5*time.Second+c.o.Within, b, contract.RungCancelled); err != nil {
		return err
	}
	if took := c.district.now().Sub(begun); took < 3*time.Second {
		return fmt.Errorf("it was gone after %.1f s already", took.Seconds())
	}
	return nil
}

func tryTest(ctx context.Context, c *Check) error {
	b := c.district.body(wrong, func(b *contract.Body) { b.Status, b.Tier, b.Sound = "Test", contract.TierTest, "none" })
	c.show(b)
	if err := c.must(ctx, b, contract.RungVerified); err != nil {
		return err
	}
	return c.never(ctx, b)
}

func tryStatus(ctx context.Context, c *Check) error {
	b := c.district.body(wrong, func(b *contract.Body) { b.Status = "System" })
	c.show(b)
	return c.never(ctx, b)
}

func tryDrill(ctx context.Context, c *Check) error {
	b := c.district.body("This must look like a drill", func(b *contract.Body) { b.Status = "Exercise" })
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.pause(ctx, c.o.Settle)
	look := ""
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool { look = s.Looks(b.Alert); return true })
	switch look {
	case "":
		return errNotSeen
	case "drill drill":
		return nil
	}
	return fmt.Errorf("it looks and sounds like %.30q", look)
}
