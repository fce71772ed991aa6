package check

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/check/gateway"
)

// line is one rule and how it is tried. A basic one that fails ends the check.
type line struct {
	section, name string
	try           func(context.Context, *Check) error
	basic         bool
}

// lines are all rules, in the order in which they are tried.
var lines = slices.Concat(connecting, starting[:1], commanding, starting[1:], replacing, stopping, looking, believing, keeping)

// sendRing sends the key ring of nodes A and B.
func (c *Check) sendRing() {
	c.district.mu.Lock()
	jws := c.district.ring(c.district.root, c.district.ringTime, 0, 1)
	c.district.mu.Unlock()
	c.gateway.Send(contract.TopicKeys, jws, true)
}

// sendManifest sends the next manifest, of what is in force and what has ended.
func (c *Check) sendManifest() {
	c.district.mu.Lock()
	defer c.district.mu.Unlock()
	c.gateway.Send(contract.TopicNow, c.district.sign(c.district.manifest()), false)
}

// sendBody sends a body, rightly signed.
func (c *Check) sendBody(b contract.Body) { c.send(b, c.signed(b)) }

// send sends anything on the topic of a body.
func (c *Check) send(b contract.Body, payload []byte) {
	c.gateway.Send(contract.TopicAlert(c.o.ID, b.Alert), payload, false)
}

func (c *Check) signed(v any) []byte {
	c.district.mu.Lock()
	defer c.district.mu.Unlock()
	return c.district.sign(v)
}

// list puts bodies in force, each in the place of the alert's other revisions.
func (c *Check) list(bodies ...contract.Body) {
	c.district.mu.Lock()
	defer c.district.mu.Unlock()
	for _, b := range bodies {
		c.district.inForce = slices.DeleteFunc(c.district.inForce, func(o contract.Body) bool { return o.Alert == b.Alert })
		c.district.inForce = append(c.district.inForce, b)
	}
}

// unlist forgets an alert without an end.
func (c *Check) unlist(b contract.Body) {
	c.district.mu.Lock()
	defer c.district.mu.Unlock()
	c.district.inForce = slices.DeleteFunc(c.district.inForce, func(o contract.Body) bool { return o.Alert == b.Alert })
}

// end lists the end of an alert, up to this revision unless why says for ever.
func (c *Check) end(b contract.Body, why string) {
	c.unlist(b)
	c.district.mu.Lock()
	defer c.district.mu.Unlock()
	c.district.ended = append(c.district.ended, contract.Ended{
		ID: b.Alert, Revision: b.Revision, At: c.district.now(), Why: why, Expires: b.Expires,
	})
}

// show puts a body in force and sends it and the manifest that lists it.
func (c *Check) show(b contract.Body) {
	c.list(b)
	c.sendBody(b)
	c.sendManifest()
}

// silent keeps manifests from being sent but where a line does it.
func (c *Check) silent(yes bool) {
	c.district.mu.Lock()
	defer c.district.mu.Unlock()
	c.district.silent = yes
}

// clean ends what a line left, so that the next one begins on an empty screen.
func (c *Check) clean() {
	c.district.mu.Lock()
	left := c.district.bodies()
	c.district.silent, c.district.node = false, 0
	c.district.mu.Unlock()
	for _, b := range left {
		c.end(b, contract.WhyCancelled)
	}
	c.gateway.Behave()
	c.sendManifest()
}

// pause lets time pass for what must not happen.
func (c *Check) pause(ctx context.Context, d time.Duration) {
	c.gateway.Await(ctx, d, func(*gateway.Seen) bool { return false })
}

// must waits until the device tells a rung of the body.
func (c *Check) must(ctx context.Context, b contract.Body, rung string) error {
	return c.mustWithin(ctx, c.o.Within, b, rung)
}

func (c *Check) mustWithin(ctx context.Context, most time.Duration, b contract.Body, rung string) error {
	if c.gateway.Await(ctx, most, func(s *gateway.Seen) bool { return s.Has(b, rung) }) {
		return nil
	}
	return fmt.Errorf("it does not tell %s within %s", rung, most)
}

// shown waits until the body is shown.
func (c *Check) shown(ctx context.Context, b contract.Body) error {
	c.show(b)
	return c.must(ctx, b, contract.RungPresented)
}

// never holds that none of the bodies is shown, after the device had the time to show another
// one that was sent later.
func (c *Check) never(ctx context.Context, bodies ...contract.Body) error {
	control := c.district.body("This one is right")
	if err := c.shown(ctx, control); err != nil {
		return fmt.Errorf("after it, the device shows nothing any more: %w", err)
	}
	err := c.quiet(ctx, bodies...)
	c.end(control, contract.WhyCancelled)
	c.sendManifest()
	return err
}

// quiet holds that none of the bodies is shown now or in the next moment.
func (c *Check) quiet(ctx context.Context, bodies ...contract.Body) (err error) {
	c.pause(ctx, c.o.Settle)
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		for _, b := range bodies {
			if s.Has(b, contract.RungPresented) {
				err = fmt.Errorf("it is shown, at %s", clock(s.Of(b, contract.RungPresented)[0].At))
			} else if yes, _ := s.Presenting(b.Alert); yes {
				err = fmt.Errorf("the state says that it is shown")
			}
		}
		return true
	})
	return err
}

// once holds that a body that was shown is so still, and began only once: what is told again
// keeps the time of the first.
func (c *Check) once(ctx context.Context, b contract.Body) (err error) {
	c.pause(ctx, c.o.Settle)
	c.gateway.Await(ctx, 0, func(s *gateway.Seen) bool {
		if first, again := s.BeganAgain(b); !again.IsZero() {
			err = fmt.Errorf("it began at %s, and again at %s", clock(first), clock(again))
		}
		yes, known := s.Presenting(b.Alert)
		switch {
		case s.Has(b, contract.RungCancelled):
			err = fmt.Errorf("it was taken away, at %s", clock(s.Of(b, contract.RungCancelled)[0].At))
		case known && !yes && err == nil:
			err = fmt.Errorf("the state says that it is not shown any more")
		}
		return true
	})
	return err
}

func clock(at time.Time) string { return at.UTC().Format("15:04:05.0") }

// reconnect ends the connection and waits for the next one.
func (c *Check) reconnect(ctx context.Context) error {
	c.gateway.Drop()
	if !c.gateway.Await(ctx, 15*time.Second, func(s *gateway.Seen) bool { return s.Subscribed }) {
		return fmt.Errorf("it does not come back within 15 s")
	}
	return nil
}

// forged is a body by the first node's key id, which another key signed.
func (c *Check) forged(b contract.Body, key ed25519.PrivateKey, change func(header map[string]any)) []byte {
	h := c.district.header(contract.TypeBody)
	if change != nil {
		change(h)
	}
	return forge(key, h, b)
}
