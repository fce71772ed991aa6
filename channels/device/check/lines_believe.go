package check

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"almenara/channels/contract"
)

var believing = []line{
	{"6.1", "refuses a body that was altered", tryAltered, false},
	{"6.1", "refuses a body that another key signed", tryOtherKey, false},
	{"6.1", "refuses alg none", tryAlgNone, false},
	{"6.1", "refuses the wrong typ", tryWrongTyp, false},
	{"6.1", "refuses a signature by a key of small order", trySmallOrder, false},
	{"6.1", "refuses a signature that is not canonical", tryNonCanonical, false},
	{"6.1", "refuses a key that is valid no more", tryLateKey, false},
	{"6.1", "refuses a body on the topic of another alert", tryOtherTopic, false},
	{"3", "does not obey a body with the retain flag", tryRetained, false},
	{"6.1", "tells what it refused", tryRefused, false},
	{"6.1", "is not moved by a forged manifest", tryForgedManifest, false},
	{"6.2", "refuses a ring of another root key", tryOtherRing, false},
	{"6.2", "does not go back to an older ring", tryOlderRing, false},
	{"6.1", "waits for the ring that has an unknown key", tryLaterRing, false},
	{"4.1", "goes on after bytes that are nothing", tryGarbage, false},
}

// refuses sends a payload in the name of a body that is listed, and holds that it is not shown.
func (c *Check) refuses(ctx context.Context, b contract.Body, payload []byte) error {
	c.list(b)
	c.sendManifest()
	c.send(b, payload)
	return c.never(ctx, b)
}

func tryAltered(ctx context.Context, c *Check) error {
	b := c.district.body("Altered")
	parts := strings.Split(string(c.signed(b)), ".")
	for i := range b.Texts {
		b.Texts[i].Headline = wrong
	}
	return c.refuses(ctx, b, []byte(parts[0]+"."+encoded(b)+"."+parts[2]))
}

func tryOtherKey(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	return c.refuses(ctx, b, c.forged(b, c.district.other, nil))
}

func tryAlgNone(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	h := c.district.header(contract.TypeBody)
	h["alg"] = "none"
	return c.refuses(ctx, b, []byte(encoded(h)+"."+encoded(b)+"."))
}

func tryWrongTyp(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	return c.refuses(ctx, b, c.forged(b, c.district.nodes[0].Key, func(h map[string]any) { h["typ"] = contract.TypeCommand }))
}

func trySmallOrder(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	h := c.district.header(contract.TypeBody)
	h["kid"] = "small"
	signature := make([]byte, ed25519.SignatureSize)
	signature[0] = 1 // R is the neutral point and S is 0: good for every message
	return c.refuses(ctx, b, []byte(encoded(h)+"."+encoded(b)+"."+base64.RawURLEncoding.EncodeToString(signature)))
}

// nonCanonical adds the order of the group to S (RFC 8032 §8.4).
func tryNonCanonical(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	jws := string(c.signed(b))
	at := strings.LastIndex(jws, ".") + 1
	signature, err := base64.RawURLEncoding.DecodeString(jws[at:])
	must(err)
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(signature[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	return c.refuses(ctx, b, []byte(jws[:at]+base64.RawURLEncoding.EncodeToString(append(signature[:32:32], sum...))))
}

func tryLateKey(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	jws, err := c.district.late.Sign(b)
	must(err)
	return c.refuses(ctx, b, jws)
}

func tryOtherTopic(ctx context.Context, c *Check) error {
	b, other := c.district.body(wrong), c.district.body(wrong)
	c.list(b)
	return c.refuses(ctx, other, c.signed(b))
}

func tryRetained(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	c.list(b)
	c.sendManifest()
	c.gateway.Send(contract.TopicAlert(c.o.ID, b.Alert), c.signed(b), true)
	return c.never(ctx, b)
}

func tryRefused(ctx context.Context, c *Check) error {
	b := c.district.body(wrong)
	c.list(b)
	c.sendManifest()
	c.send(b, c.forged(b, c.district.other, nil))
	return c.must(ctx, b, contract.RungRefused)
}

func tryForgedManifest(ctx context.Context, c *Check) error {
	b, waiting := c.district.body("This stays"), c.district.body(wrong)
	if err := c.shown(ctx, b); err != nil {
		return err
	}
	c.sendBody(waiting)
	c.district.mu.Lock()
	m := c.district.manifest()
	c.district.mu.Unlock()
	m.InForce = append(m.InForce, entry(waiting))
	m.Ended = append(m.Ended, contract.Ended{ID: b.Alert, Revision: b.Revision, At: m.Time, Why: contract.WhyCancelled})
	c.gateway.Send(contract.TopicNow, forge(c.district.other, c.district.header(contract.TypeManifest), m), false)
	if err := c.never(ctx, waiting); err != nil {
		return fmt.Errorf("as evidence: %w", err)
	}
	return c.once(ctx, b)
}

func tryOtherRing(ctx context.Context, c *Check) error {
	stranger := newSigner()
	c.district.mu.Lock()
	kr := contract.KeyRing{District: "check", Time: c.district.now(), Keys: []contract.Key{
		contract.NewKey("A", stranger.Key.Public().(ed25519.PublicKey), time.Time{}, time.Time{}),
	}}
	c.district.mu.Unlock()
	jws, err := contract.Signer{KeyID: "root", Key: c.district.other}.Sign(kr)
	must(err)
	c.gateway.Send(contract.TopicKeys, jws, true)
	b := c.district.body(wrong)
	jws, err = stranger.Sign(b)
	must(err)
	return c.refuses(ctx, b, jws)
}

func tryOlderRing(ctx context.Context, c *Check) error {
	d := c.district
	d.mu.Lock()
	before := d.ring(d.root, d.ringTime.Add(time.Second), 0, 1, 2)
	d.ringTime = d.ringTime.Add(2 * time.Second)
	d.mu.Unlock()
	c.gateway.Send(contract.TopicKeys, before, true)
	c.pause(ctx, c.o.Settle)
	c.sendRing() // without C
	c.pause(ctx, c.o.Settle)
	c.gateway.Send(contract.TopicKeys, before, true)
	c.pause(ctx, c.o.Settle)
	b := d.body(wrong)
	jws, err := d.nodes[2].Sign(b)
	must(err)
	return c.refuses(ctx, b, jws)
}

func tryLaterRing(ctx context.Context, c *Check) error {
	d := c.district
	newcomer := newSigner()
	b := d.body("By a node that has just joined")
	c.list(b)
	c.sendManifest()
	jws, err := newcomer.Sign(b)
	must(err)
	c.send(b, jws)
	if err := c.never(ctx, b); err != nil {
		return err
	}
	d.mu.Lock()
	d.nodes[2] = newcomer
	d.ringTime = d.ringTime.Add(time.Second)
	ring := d.ring(d.root, d.ringTime, 0, 1, 2)
	d.mu.Unlock()
	c.gateway.Send(contract.TopicKeys, ring, true)
	return c.must(ctx, b, contract.RungPresented)
}

func tryGarbage(ctx context.Context, c *Check) error {
	own := contract.TopicAlert(c.o.ID, randomID())
	for _, payload := range []string{"", "{}", "..", "a.b.c", "\x00\xff\xfe", strings.Repeat("A", 60<<10)} {
		for _, topic := range []string{contract.TopicKeys, contract.TopicNow, own, contract.TopicCommand(c.o.ID)} {
			c.gateway.Send(topic, []byte(payload), false)
		}
	}
	c.send(c.district.body(wrong), c.signed(contract.Command{ID: "x", Do: "later", Time: c.district.now(), Expires: c.district.now().Add(time.Hour)}))
	return c.never(ctx)
}
