package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	topicNow  = "almenara/1/now"
	topicKeys = "almenara/1/keys"
)

var errSilence = errors.New("no answer from the node")

// topic is one of the device's own.
func (s settings) topic(leaf string) string { return "almenara/1/device/" + s.id + "/" + leaf }

// run lives the device's life: what it may not do first, then one alert from
// start to end.
func (s settings) run() error {
	if err := s.wrongSecret(); err != nil {
		return err
	}
	if err := s.foreign(); err != nil {
		return err
	}
	return s.live()
}

// codes are the refusals that the protocol version has words for.
func (s settings) codes() (credential, filter refusal) {
	if s.v5() {
		return 0x86, 0x87
	}
	return 4, 0x80
}

func (s settings) v5() bool { return s.version == "5" }

func (s settings) wrongSecret() error {
	want, _ := s.codes()
	s.secret = "wrong"
	c, err := s.dial(s, make(chan message, 64))
	if err == nil {
		c.close()
		return errors.New("wrong secret: the device was let in")
	}
	if !errors.Is(err, want) {
		return fmt.Errorf("wrong secret: %w, expected code 0x%02X", err, byte(want))
	}
	return nil
}

// foreign asks for what belongs to others, and forges another device's receipt.
func (s settings) foreign() error {
	_, want := s.codes()
	c, err := s.dial(s, make(chan message, 64))
	if err != nil {
		return err
	}
	defer c.close()
	filters := []string{"#", "almenara/1/device/" + s.other + "/#"}
	codes, err := c.subscribe(filters...)
	if err != nil {
		return err
	}
	for i, code := range codes {
		if refusal(code) != want {
			return fmt.Errorf("subscribing to %s: SUBACK code 0x%02X, expected 0x%02X", filters[i], code, byte(want))
		}
	}
	err = c.publish("almenara/1/device/"+s.other+"/receipt", []byte(s.forged), false)
	var told refusal
	switch {
	case err == nil:
		return errors.New("publishing for another device: acknowledged as if it were taken")
	case errors.Is(err, errSilence):
		return fmt.Errorf("publishing for another device: %w", err)
	case s.v5() && (!errors.As(err, &told) || told != want):
		return fmt.Errorf("publishing for another device: %w, expected code 0x%02X", err, byte(want))
	}
	return nil
}

// live follows one alert. Its end is the manifest that lists it as ended.
func (s settings) live() error {
	messages := make(chan message, 64)
	c, err := s.dial(s, messages)
	if err != nil {
		return err
	}
	defer c.close()
	codes, err := c.subscribe(topicNow, topicKeys, s.topic("#"))
	if err != nil {
		return err
	}
	for _, code := range codes {
		if code > 1 {
			return fmt.Errorf("subscribing to what is the device's: SUBACK codes %x", codes)
		}
	}
	d := &life{settings: s, connection: c}
	for !d.over {
		select {
		case m := <-messages:
			if err := d.take(m); err != nil {
				return err
			}
		case <-time.After(2 * patience):
			return fmt.Errorf("%w: ready %t, alert %q, in force %t", errSilence, d.ready, d.alert, d.inForce)
		}
	}
	return d.settle(messages)
}

// life is what the device knows in the course of one alert.
type life struct {
	settings
	connection
	ring     ring
	waiting  *message // the first manifest, if it came before the keys
	ready    bool
	alert    string
	revision uint64
	bodies   int
	inForce  bool // a manifest listed the alert
	over     bool // a manifest listed it as ended
}

func (d *life) take(m message) error {
	switch {
	case m.topic == topicKeys:
		return d.takeKeys(m)
	case m.topic == topicNow && d.ring == nil:
		d.waiting = &m
		return nil
	case m.topic == topicNow:
		return d.takeManifest(m)
	case strings.HasPrefix(m.topic, d.topic("alert/")):
		return d.takeBody(m)
	}
	return fmt.Errorf("a message on %s, which was not expected", m.topic)
}

func (d *life) takeKeys(m message) (err error) {
	if d.ring == nil && !m.retained {
		return errors.New("the key ring is not marked as retained")
	}
	if d.ring, err = openRing(d.root, m.payload); err != nil || d.waiting == nil {
		return err
	}
	return d.takeManifest(*d.waiting)
}

func (d *life) takeManifest(m message) error {
	var now struct {
		InForce []struct{ ID string } `json:"in_force"`
		Ended   []struct{ ID string } `json:"ended"`
	}
	if err := d.ring.open(m.payload, "almenara-manifest", &now); err != nil {
		return err
	}
	if !d.ready {
		if !m.retained {
			return errors.New("the first manifest is not marked as retained")
		}
		d.ready = true
		fmt.Println("ready")
	}
	for _, a := range now.InForce {
		d.inForce = d.inForce || a.ID == d.alert
	}
	for _, a := range now.Ended {
		d.over = d.over || d.alert != "" && a.ID == d.alert
	}
	return nil
}

// takeBody proves the alert to the node: verified and presented.
func (d *life) takeBody(m message) error {
	d.bodies++
	var body struct {
		Alert    string
		Revision uint64
	}
	if err := d.ring.open(m.payload, "almenara-body", &body); err != nil {
		return err
	}
	if d.topic("alert/"+body.Alert) != m.topic || d.bodies > 1 {
		return fmt.Errorf("body %d is of alert %s, on topic %s", d.bodies, body.Alert, m.topic)
	}
	d.alert, d.revision = body.Alert, body.Revision
	if err := d.publish(d.topic("receipt"), receipts(d.alert, d.revision, 1, "verified", "presented"), false); err != nil {
		return fmt.Errorf("publishing receipts: %w", err)
	}
	if err := d.tellState("presenting", `"`+d.alert+`"`); err != nil {
		return err
	}
	fmt.Println("presented", d.alert)
	return nil
}

func (d *life) tellState(state, presenting string) error {
	payload := fmt.Sprintf(`{"state":"%s","session":1,"kind":"screen","version":"1","presenting":[%s]}`, state, presenting)
	if err := d.publish(d.topic("state"), []byte(payload), true); err != nil {
		return fmt.Errorf("publishing state: %w", err)
	}
	return nil
}

// settle waits for one more PUBACK: whatever the node sent before it is here then.
func (d *life) settle(messages <-chan message) error {
	if !d.inForce {
		return errors.New("no manifest listed the alert as in force")
	}
	if err := d.publish(d.topic("receipt"), receipts(d.alert, d.revision, 3, "cancelled"), false); err != nil { // it is shown no more
		return fmt.Errorf("publishing receipts: %w", err)
	}
	if err := d.tellState("ready", ""); err != nil {
		return err
	}
	for len(messages) > 0 {
		if err := d.take(<-messages); err != nil {
			return err
		}
	}
	fmt.Println("ended", d.alert)
	return nil
}
