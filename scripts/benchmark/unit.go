//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// unit is one server with the fleet of devices that is connected to it.
type unit struct {
	name  string
	sys   system
	fleet *child
	live  int // devices that read
	got   int // publishes that each of them must have received
}

// begin starts the server.
func (c *cell) begin(ctx context.Context, name string) (*unit, error) {
	dir := filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	u := &unit{name: name, sys: newSystem(name)}
	s := setup{dir: dir, program: c.program, pem: c.pem, devices: c.devices, stalled: c.stalled(), grown: c.variant == threeNodes || c.variant == killed, profile: c.profileTo}
	if name == olderName {
		s.program = c.older
	}
	if c.variant == manyStrangers || c.variant == killed {
		s.files = fewFiles
	}
	if err := u.sys.start(ctx, s); err != nil {
		u.end()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return u, nil
}

// connect brings the devices in and says how much memory the server grew by.
func (u *unit) connect(ctx context.Context, c *cell) (memory, error) {
	m := memory{System: u.name, Devices: c.devices, Over: c.over()}
	before, err := u.resident(ctx)
	if err != nil {
		return m, err
	}
	addr, ca := u.sys.reach(c.secure)
	config, err := json.Marshal(fleetConfig{
		Addr: addr, CA: ca, QoS: 1, Devices: u.sys.credentials(), Stalled: c.stalled(), Dead: c.dead(),
	})
	if err != nil {
		return m, err
	}
	file := filepath.Join(c.dir, u.name, "fleet.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return m, err
	}
	var ready reply
	u.fleet, ready, err = spawnRole(ctx, filepath.Join(c.dir, u.name, "fleet.log"), "fleet", "-config", file)
	if err != nil {
		return m, fmt.Errorf("connecting %d devices to %s: %w", c.devices, u.name, err)
	}
	u.live = ready.Count
	after, err := u.resident(ctx)
	m.PerConnection, m.Total = float64(after-before)/float64(c.devices), after
	return m, err
}

// resident is the memory of the server at rest.
func (u *unit) resident(ctx context.Context) (int64, error) {
	if err := pause(ctx, 300*time.Millisecond); err != nil {
		return 0, err
	}
	calm := longRest
	if node, ok := u.sys.(*almenara); ok {
		calm = node.calm()
	}
	if _, err := rest(ctx, u.sys.pid(), calm); err != nil {
		return 0, err
	}
	return residentBytes(u.sys.pid())
}

// measure sends count alerts, one after the other without waiting, and says what it
// cost until every live device has them and the server has the acknowledgements.
func (u *unit) measure(ctx context.Context, count int, qos byte) (s sample, err error) {
	cost, err := u.meter(ctx)
	if err != nil {
		return s, err
	}
	if _, err := u.fleet.ask(order{Do: "mark"}); err != nil {
		return s, err
	}
	at, err := u.sys.publish(ctx, count, qos)
	if err != nil {
		return s, err
	}
	s.Deliveries = count * u.live
	last, err := u.fleet.ask(order{Do: "await", Count: s.Deliveries})
	if err != nil {
		return s, err
	}
	u.got += count
	asking, err := u.sys.settle(ctx, s.Deliveries, qos)
	if err != nil {
		return s, err
	}
	s.System, s.QoS, s.Alerts = u.name, qos, count
	s.Last, s.Payload = time.Duration(last.At-at), last.Payload
	if err := cost(&s); err != nil {
		return s, err
	}
	s.CPU -= asking
	return s, u.sys.retire(ctx)
}

// receipts makes every device tell two receipts of one alert and measures until the
// last of them is acknowledged, which is when it is committed.
func (u *unit) receipts(ctx context.Context, node *almenara) (s sample, err error) {
	if _, err := u.fleet.ask(order{Do: "mark"}); err != nil {
		return s, err
	}
	if _, err := node.publish(ctx, 1, 1); err != nil {
		return s, err
	}
	if _, err := u.fleet.ask(order{Do: "await", Count: u.live}); err != nil {
		return s, err
	}
	u.got++
	if _, err := node.settle(ctx, u.live, 1); err != nil {
		return s, err
	}
	cost, err := u.meter(ctx)
	if err != nil {
		return s, err
	}
	told, err := u.fleet.ask(order{Do: "receipts", Alert: node.sent[0].Alert, Revision: node.sent[0].Revision})
	if err != nil {
		return s, err
	}
	s.System, s.QoS, s.Alerts, s.Deliveries = u.name, 1, 1, told.Count
	s.Last = time.Duration(told.At - told.First)
	if err := cost(&s); err != nil {
		return s, err
	}
	if err := node.exactly(ctx, u.live); err != nil {
		return s, err
	}
	return s, node.retire(ctx)
}

// meter waits until the server rests, and returns what tells the processor time of
// server and fleet from then until the server rests again.
func (u *unit) meter(ctx context.Context) (func(*sample) error, error) {
	server, err := rest(ctx, u.sys.pid(), shortRest)
	if err != nil {
		return nil, err
	}
	fleet, err := cpuTime(u.fleet.pid())
	return func(s *sample) error {
		serverNow, err := rest(ctx, u.sys.pid(), shortRest)
		if err != nil {
			return err
		}
		fleetNow, err := cpuTime(u.fleet.pid())
		s.CPU, s.FleetCPU = serverNow-server, fleetNow-fleet
		return err
	}, err
}

// verify checks that every live device got every alert once.
func (u *unit) verify() (connected int, err error) {
	r, err := u.fleet.ask(order{Do: "check"})
	if err == nil && (r.Min != u.got || r.Max != u.got) {
		err = fmt.Errorf("%s: devices got from %d to %d alerts, %d were sent", u.name, r.Min, r.Max, u.got)
	}
	return r.Count, err
}

// end stops both processes.
func (u *unit) end() {
	u.fleet.stop()
	u.sys.stop()
}
