//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
)

// A storm: all devices of a server lose their connections and come back at once, over
// TLS, while a few others stay and alerts go out.
const (
	storm = "storm"
	// stormAtOnce is how many devices open a connection at the same moment; the others
	// follow as soon as one is in.
	stormAtOnce = 1024
	// watchers are the devices that stay.
	watchers = 50
	// stormPause is between two alerts during a storm.
	stormPause = 200 * time.Millisecond
)

// tempest is what one storm was like.
type tempest struct {
	System        string
	Devices       int           // that came back, all of them
	Resumed       int           // with a TLS session of before
	P50, P99, Max time.Duration // from the storm's beginning until a device was subscribed
	Alerts        int           // sent meanwhile
	LastP99       time.Duration // until the last watcher had an alert; of few alerts it is the longest
	CPU           time.Duration // of the server per device that came back
}

// storm is the fleet's part: it drops all connections and opens them again.
func (f *fleet) storm() (reply, error) {
	for _, d := range f.devices {
		if err := d.socket.Close(); err != nil {
			return reply{}, fmt.Errorf("dropping %s: %w", d.ID, err)
		}
	}
	r := reply{At: stamp(), Count: len(f.devices)}
	waits := make([]int64, len(f.devices))
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(stormAtOnce)
	for i := range f.devices {
		group.Go(func() error {
			resumed, err := f.comeBack(i)
			waits[i] = stamp() - r.At
			mu.Lock()
			defer mu.Unlock()
			if resumed {
				r.Resumed++
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return r, err
	}
	slices.Sort(waits)
	r.P50, r.P99, r.Longest = quantile(waits, 50), quantile(waits, 99), waits[len(waits)-1]
	return r, nil
}

// comeBack connects device i anew. What came behind its SUBACK is read before the
// loop has it: TLS may hold it already.
func (f *fleet) comeBack(i int) (resumed bool, err error) {
	d, err := connect(f.to, i, f.devices[i].credential, f.secure, 1, false)
	if err != nil {
		return false, fmt.Errorf("coming back: %w", err)
	}
	f.devices[i] = d
	if err := d.socket.unblock(); err != nil {
		return false, err
	}
	if _, err := d.read(make([]byte, 4096)); err != nil {
		return false, fmt.Errorf("device %s: %w", d.ID, err)
	}
	return d.resumed, f.watch(i)
}

// tempests measures a storm of each server that knows devices.
func (c *cell) tempests(ctx context.Context) error {
	for _, name := range c.only {
		if name == floorName {
			continue
		}
		t, err := c.tempest(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := c.record(t); err != nil {
			return err
		}
		c.say("%s: %d devices back after %.1f s", name, t.Devices, t.Max.Seconds())
	}
	return nil
}

func (c *cell) tempest(ctx context.Context, name string) (t tempest, err error) {
	u, err := c.begin(ctx, name)
	if err != nil {
		return t, err
	}
	defer u.end()
	all := u.sys.credentials()
	staying := min(watchers, len(all)/4)
	if u.fleet, u.live, err = c.fleetOf(ctx, u, "watchers", fleetConfig{QoS: 1, Devices: all[:staying]}, false); err != nil {
		return t, err
	}
	away, _, err := c.fleetOf(ctx, u, "away", fleetConfig{QoS: 1, Devices: all[staying:], Storm: true}, true)
	if err != nil {
		return t, err
	}
	defer away.stop()
	before, err := rest(ctx, u.sys.pid(), longRest)
	if err != nil {
		return t, err
	}
	lasts, back, err := u.weather(ctx, away)
	if err != nil {
		return t, err
	}
	after, err := cpuTime(u.sys.pid())
	if _, wrong := u.verify(); wrong != nil {
		return t, wrong
	}
	slices.Sort(lasts)
	return tempest{
		System: name, Devices: back.Count, Resumed: back.Resumed,
		P50: time.Duration(back.P50), P99: time.Duration(back.P99), Max: time.Duration(back.Longest),
		Alerts: len(lasts), LastP99: quantile(lasts, 99), CPU: (after - before) / time.Duration(back.Count),
	}, err
}

// fleetOf starts a fleet beside the unit's own.
func (c *cell) fleetOf(ctx context.Context, u *unit, name string, f fleetConfig, secure bool) (*child, int, error) {
	f.Addr, f.CA = u.sys.reach(secure)
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, 0, err
	}
	path := filepath.Join(c.dir, u.name, name)
	if err := os.WriteFile(path+".json", raw, 0o600); err != nil {
		return nil, 0, err
	}
	fleet, ready, err := spawnRole(ctx, path+".log", "fleet", "-config", path+".json")
	return fleet, ready.Count, err
}

// weather sends alerts to those who stay, as long as the others come back.
func (u *unit) weather(ctx context.Context, away *child) (lasts []time.Duration, back reply, err error) {
	type outcome struct {
		back reply
		err  error
	}
	over := make(chan outcome, 1)
	go func() {
		r, err := away.ask(order{Do: storm})
		over <- outcome{r, err}
	}()
	for {
		last, err := u.alert(ctx)
		if err != nil {
			return lasts, back, errors.Join(err, u.sys.alive())
		}
		lasts = append(lasts, last)
		select {
		case o := <-over:
			return lasts, o.back, o.err
		case <-time.After(stormPause):
		}
	}
}

// alert sends one alert and waits until every live device has it.
func (u *unit) alert(ctx context.Context) (time.Duration, error) {
	if _, err := u.fleet.ask(order{Do: "mark"}); err != nil {
		return 0, err
	}
	at, err := u.sys.publish(ctx, 1, 1)
	if err != nil {
		return 0, err
	}
	last, err := u.fleet.ask(order{Do: "await", Count: u.live})
	if err != nil {
		return 0, err
	}
	u.got++
	return time.Duration(last.At - at), u.sys.retire(ctx)
}

// stormTable writes what storms were like.
func (r *results) stormTable(w io.Writer, _ options) error {
	if len(r.storms) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "devices back at once\tover\tsystem\tresumed\tin after p50\tp99\tmax\tCPU/device\talerts meanwhile\tlast of them p99\t")
	for _, s := range r.storms {
		fmt.Fprintf(t, "%d\tTLS\t%s\t%d\t%s\t%s\t%s\t%s\t%d\t%s\t\n",
			s.Devices, s.System, s.Resumed, milli(s.P50), milli(s.P99), milli(s.Max), micro(s.CPU), s.Alerts, milli(s.LastP99))
	}
	return t.Flush()
}

// stormTargets judges storms.
func (r *results) stormTargets(system string) (all []target) {
	for _, s := range r.storms {
		if s.System != system {
			continue
		}
		all = append(all,
			target{system, fmt.Sprintf("%s, storm of %d devices: nobody waits more than %s", system, s.Devices, milli(mostStormWait)), milli(s.Max), s.Max <= mostStormWait},
			target{system, fmt.Sprintf("%s, alerts during the storm, p99: less than %s", system, milli(mostLastP99)), milli(s.LastP99), s.LastP99 < mostLastP99})
	}
	return all
}
