// Package check tries a device of another maker out: it plays a district on ports of its own, sends
// the device real, forged, late and repeated messages, and grades it line by line from what it tells,
// by receipts and, where it publishes one, by its state. Each line names a section of
// channels/contract/CONTRACT.md.
//
// It owns the lines and the small MQTT server that they need, and nothing of a node: it must not
// import cluster, node or storage. A run is for one device.
package check

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/channels/device/check/gateway"
)

// Options describe one run.
type Options struct {
	ID     string   // of the device
	Listen []string // host:port of each node that is played; at least one, two are better
	// Within is how long the device may take to show what it must; zero: 10 s. Settle is how
	// long a line waits on top for what must not be shown; zero: 1 s.
	Within, Settle time.Duration
	// Power cuts the device's power and brings it back; nil: the lines that need it are not tried.
	Power func(ctx context.Context) error
	Clock func() time.Time // required
	// Only tries the lines whose name has one of these words in it, besides the first that
	// shows something; empty: all.
	Only []string
	// Told hears every line as it is graded; nil: nobody.
	Told func(Line)
}

// Result is the grade of a line.
type Result string

// The results.
const (
	Passed  Result = "ok"
	Failed  Result = "FAILED"
	NotSeen Result = "not seen" // nothing that the device tells says how it is, or it was not tried
)

// Line is one rule of the contract and how the device held to it.
type Line struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Result  Result `json:"result"`
	Why     string `json:"why,omitempty"`
}

// Enrolment is what the device has to be given, in the form of `device enrol --json`.
type Enrolment struct {
	ID      string   `json:"id"`
	Secret  string   `json:"secret"`
	Servers []string `json:"servers"`
	RootKey string   `json:"root_key"`
	CA      string   `json:"ca"`
}

// errNotSeen makes a line neither pass nor fail.
var errNotSeen = errors.New("not seen")

// ErrNotConnected is returned where the device never came.
var ErrNotConnected = errors.New("the device never connected")

// Check is one run, from New until Close.
type Check struct {
	o        Options
	gateway  *gateway.Gateway
	district *district
	secret   string
	lines    []Line
}

// New opens the ports. The device may connect from now on, and is told nothing before Run.
func New(o Options) (*Check, error) {
	if o.Within <= 0 {
		o.Within = 10 * time.Second
	}
	if o.Settle <= 0 {
		o.Settle = time.Second
	}
	if o.Told == nil {
		o.Told = func(Line) {}
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	c := &Check{o: o, secret: base64.RawURLEncoding.EncodeToString(secret)}
	c.district = newDistrict(o.ID, o.Clock)
	var err error
	if c.gateway, err = gateway.New(o.ID, c.secret, o.Listen); err != nil {
		return nil, fmt.Errorf("opening the ports of the district: %w", err)
	}
	return c, nil
}

// Close closes the ports and the connection.
func (c *Check) Close() { c.gateway.Close() }

// Enrolment is what the device has to be given before Run.
func (c *Check) Enrolment() Enrolment {
	return Enrolment{ID: c.o.ID, Secret: c.secret, Servers: c.gateway.Servers(), RootKey: c.district.rootKey()}
}

// Run waits for the device, an hour at most or until ctx ends, then goes through the lines, a minute or two, and
// returns them. An error says that the check itself could not go on; what was graded before comes
// with it.
func (c *Check) Run(ctx context.Context) ([]Line, error) {
	c.gateway.OnSubscribed(c.welcome)
	if !c.gateway.Await(ctx, time.Hour, func(s *gateway.Seen) bool { return s.Subscribed }) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, ErrNotConnected
	}
	beat := c.heartbeat(ctx)
	defer beat()
	wanted := slices.DeleteFunc(slices.Clone(lines), func(l line) bool { return !l.basic && !c.wants(l) })
	for i, l := range wanted {
		if ctx.Err() != nil {
			return c.lines, context.Cause(ctx)
		}
		graded := c.grade(ctx, l)
		c.lines = append(c.lines, graded)
		c.o.Told(graded)
		if l.basic && graded.Result == Failed {
			for _, rest := range wanted[i+1:] {
				c.lines = append(c.lines, Line{Section: rest.section, Name: rest.name, Result: NotSeen, Why: "not tried, as the device shows nothing"})
			}
			return c.lines, nil
		}
	}
	return c.lines, nil
}

func (c *Check) wants(l line) bool {
	return len(c.o.Only) == 0 || slices.ContainsFunc(c.o.Only, func(word string) bool { return strings.Contains(l.name, word) })
}

// grade tries one line on a device that is connected and shows nothing of earlier lines.
func (c *Check) grade(ctx context.Context, l line) Line {
	out := Line{Section: l.section, Name: l.name, Result: Passed}
	if !c.gateway.Await(ctx, 15*time.Second, func(s *gateway.Seen) bool { return s.Subscribed }) {
		out.Result, out.Why = Failed, "the device did not come back within 15 s"
		return out
	}
	err := l.try(ctx, c)
	c.clean()
	switch {
	case errors.Is(err, errNotSeen):
		out.Result = NotSeen
	case err != nil:
		out.Result, out.Why = Failed, err.Error()
	}
	return out
}

// welcome is what a connection is given when everything is subscribed: the ring, what is in force
// and the manifest, unless a line wants to say something else.
func (c *Check) welcome() {
	c.district.mu.Lock()
	silent, bodies := c.district.silent, c.district.bodies()
	c.district.mu.Unlock()
	c.sendRing()
	if silent {
		return
	}
	for _, b := range bodies {
		c.sendBody(b)
	}
	c.sendManifest()
}

// heartbeat sends a manifest every 5 seconds, unless a line wants silence, until the returned
// function is called.
func (c *Check) heartbeat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(5 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			c.district.mu.Lock()
			silent := c.district.silent
			c.district.mu.Unlock()
			if !silent {
				c.sendManifest()
			}
		}
	}()
	return func() { cancel(); <-done }
}
